# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How the critics over noise come to their values: from rewards, or from critics over plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from cohoff.algorithms.common import losses
from cohoff.algorithms.common import temporal_difference as td
from cohoff.algorithms.dsrl import updates
from cohoff.algorithms.dsrl.model import DsrlModel
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics
from cohoff.offpolicy.plans import NOISE, PLAN

Plan = Callable[[Tensor, Tensor], Tensor]
"""Maps observations [B, D] of the actor and noise [B, K] to plans [B, P]."""


class NoiseCritics:
    """The critics over noise learn from rewards and the noise that was chosen.

    Args:
        model: Networks.
        optimizers: Of ``critic``.
        noise_bound: Bound of every noise value.
    """

    def __init__(self, model: DsrlModel, optimizers: Mapping[str, torch.optim.Optimizer], noise_bound: float):
        self.model, self.optimizers, self.noise_bound = model, optimizers, noise_bound

    def update(self, batch: Batch) -> Metrics:
        """One step of the critics."""
        with torch.no_grad():
            action, log_prob = next_choice(self.model, batch)
            values = self.model.target(batch.next.critic, action)
            target = updates.soft_target(batch.returns, batch.discount, values, log_prob, self.model.temperature)
        values = self.model.critic(batch.now.critic, batch.now.features[NOISE] / self.noise_bound)
        loss = td.scalar_td_loss(values, target, batch.weight)
        return {
            "critic_loss": loss.detach(),
            "q_replay": values.detach().mean(),
            "whole_plans": batch.weight.mean(),
            "skipped_critic": step_if_finite(self.optimizers["critic"], loss),
        }


class PlanCritics:
    """Critics over plans learn from rewards, and the critics over noise from them. DSRL-NA (arXiv 2506.15799).

    What was executed teaches whatever noise it came from, and noise that was never tried has the value of its plan.

    Args:
        model: Networks, with critics over plans.
        optimizers: Of ``critic`` and ``plan_critic``.
        noise_bound: Bound of every noise value that the actor chooses.
    """

    def __init__(self, model: DsrlModel, optimizers: Mapping[str, torch.optim.Optimizer], noise_bound: float):
        self.model, self.optimizers, self.noise_bound = model, optimizers, noise_bound
        self.plan: Plan
        """Plans with the base policy."""

    def update(self, batch: Batch) -> Metrics:
        """One step of the critics over plans, then one of those over noise, at standard normal noise."""
        assert self.model.plan_critic is not None
        with torch.no_grad():
            action, log_prob = next_choice(self.model, batch)
            values = self.model.target(batch.next.critic, self.plan(batch.next.actor, self.noise_bound * action))
            target = updates.soft_target(batch.returns, batch.discount, values, log_prob, self.model.temperature)
        values = self.model.plan_critic(batch.now.critic, batch.now.features[PLAN])
        loss = td.scalar_td_loss(values, target, batch.weight)
        skipped = step_if_finite(self.optimizers["plan_critic"], loss)
        distillation = self.distillation_loss(batch)
        return {
            "critic_loss": loss.detach(),
            "distillation_loss": distillation.detach(),
            "q_replay": values.detach().mean(),
            "whole_plans": batch.weight.mean(),
            "skipped_plan_critic": skipped,
            "skipped_critic": step_if_finite(self.optimizers["critic"], distillation),
        }

    def distillation_loss(self, batch: Batch) -> Tensor:
        """See :func:`~cohoff.algorithms.dsrl.updates.distillation_loss`, at noise drawn for each row, scalar."""
        assert self.model.plan_critic is not None
        with torch.no_grad():
            noise = torch.randn(len(batch.weight), self.model.actor.action_dim, device=batch.weight.device)
            plan_values = self.model.plan_critic(batch.now.critic, self.plan(batch.now.actor, noise))
        values = self.model.critic(batch.now.critic, noise / self.noise_bound)
        return updates.distillation_loss(values, plan_values, batch.weight)


def next_choice(model: DsrlModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """The actor's choice at the next plan [B, K], in (-1, 1), and its log density [B]."""
    mean, std = model.actor(batch.next.actor)
    return losses.sample_with_log_prob(mean, std, torch.randn_like(mean))
