# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What all critics have in common, whatever they predict and however they learn it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.learner import Metrics
from cohoff.policies.combine import Combination


class CriticModel(nn.Module):
    """Base class of what holds critics of the executed action and their target network."""

    combination: Combination
    critic: Any
    """Has ``value(obs, action)``, the expected returns [E, B] of its members."""
    target: Any
    """Follows the critic."""

    def critic_inputs(self, state: State, action: Tensor) -> tuple[Tensor, Tensor]:
        """What the critic sees of executed actions [B, A]: observation [B, ·] and action [B, A].

        The observation has the base action where the executed one depends on it.
        """
        obs = torch.cat([state.critic, state.base_action], dim=-1) if self.combination.uses_base else state.critic
        return obs, action


def critic_input_dim(obs_dim: int, action_dim: int, combination: Combination) -> int:
    """Size of the observation of :meth:`CriticModel.critic_inputs`."""
    return obs_dim + (action_dim if combination.uses_base else 0)


def gradient_norm(model: CriticModel, batch: Batch, num_rows: int) -> Tensor:
    """sqrt(E|dQ/da|^2) over the first rows, scalar, differentiable in the critic's weights. CSIL, sec. 5."""
    obs, action = (rows[:num_rows] for rows in model.critic_inputs(batch.now, batch.action))
    action = action.clone().requires_grad_(True)
    value = model.critic.value(obs, action).mean(0).sum()
    (gradient,) = torch.autograd.grad(value, action, create_graph=True)
    return torch.sqrt(gradient.square().sum(-1).mean() + 1e-12)


def with_penalty(
    model: CriticModel, batch: Batch, loss: Tensor, value: Tensor, num_demos: int, penalty_weight: float
) -> tuple[Tensor, Metrics]:
    """Add ``penalty_weight`` times the gradient norm on the first ``num_demos`` rows to a critic's loss, scalar.

    The metrics are those of the loss before, and the mean of the ``value`` [E, B] of the batch's actions.
    """
    metrics = {
        "critic_loss": loss.detach(),
        "q_demo": value[:, :num_demos].mean(),
        "q_replay": value[:, num_demos:].mean(),
    }
    if penalty_weight > 0.0:
        penalty = gradient_norm(model, batch, num_demos)
        loss = loss + penalty_weight * penalty
        metrics["gradient_norm"] = penalty.detach()
    return loss, metrics
