# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What CSIL++ and CSIL share: an actor that starts as the clone and is regularized to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import losses
from cohoff.algorithms.csil import updates
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.learner import Metrics, PolicyKind, Problem
from cohoff.policies.acting import CombinedPolicy, SmallPolicy
from cohoff.policies.combine import make_combination


class SoftImitation(ABC):
    """Base class of learners of a reward under a KL penalty toward the prior. A subclass says how the critic learns.

    Args:
        problem: The task.
        model: The networks.
        reward: What the critic is taught to predict.
        relabels: Whether the reward is refined while learning.
        refinement_learning_rate: SGD rate of the refinement.
        target_rate: Share of the online critic that moves into the target at each update.
        beta: Cost of a divergence of 1 nat from the prior, in units of ``reward.step_worth``.
        exploration_std: Largest standard deviation before tanh with which training environments act.
    """

    def __init__(
        self,
        problem: Problem,
        model: SoftImitationModel,
        reward: Any,
        *,
        relabels: bool,
        refinement_learning_rate: float,
        target_rate: float,
        beta: float,
        exploration_std: float,
    ):
        self.problem = problem
        self.modules = self.model = model
        self.combination = model.combination
        self.uses_base = self.combination.uses_base
        self.target_rate, self.beta, self.exploration_std = target_rate, beta, exploration_std
        self._reward = reward
        self.relabels = relabels
        # The core sets the learning rates of these two; the refinement keeps its own.
        capturable = problem.device.type == "cuda"
        self.optimizers = {
            "critic": torch.optim.Adam(self.model.critic.parameters(), fused=True, capturable=capturable),
            "actor": torch.optim.Adam(self.model.actor.parameters(), fused=True, capturable=capturable),
        }
        self._refinement = torch.optim.SGD(self.model.reward.parameters(), refinement_learning_rate)
        self.model.reward.requires_grad_(self.relabels)

    @abstractmethod
    def update_critic(self, batch: Batch, beta: float, num_demonstrations: int) -> Metrics:
        """One step of the critic, without the target network's."""

    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Mean and spread of the frozen prior, [B, A] each: updates need them at every state that they draw."""
        return self.model.prior_features(actor_obs)

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """Executed actions [B, A]: sampled where ``explore`` [B] bool holds, of the mean policy elsewhere."""
        mean, std = self.model.actor(state.actor)
        noise = torch.randn_like(mean) * explore[:, None]
        action = losses.sample_tanh_gaussian(mean, std.clamp_max(self.exploration_std), noise)
        return self.combination(state.base_action, action)

    @torch.no_grad()
    def value(self, state: State, action: Tensor) -> Tensor:
        """Value [B] of executing actions [B, A]."""
        return self.model.critic.value(*self.model.critic_inputs(state, action)).mean(0)

    def policy(self, kind: PolicyKind) -> CombinedPolicy:
        """Mean policy: ``trained``, at ``step0``, or the ``clone`` alone."""
        if kind == "clone":
            return CombinedPolicy(self.model.clone, make_combination("policy"))
        return CombinedPolicy(self.model.actor if kind == "trained" else self.model.prior, self.combination)

    def start_from(self, actor: SmallPolicy) -> None:
        """Make a trained network the prior, which the actor starts as; the clone is then the reward's alone."""
        self.model.prior.load_state_dict(actor.state_dict())
        self.model.started = True

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Scaled reward [B] of executed actions."""
        return self._reward(actor_obs, action, success)

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """Critic, target and, if ``with_actor``, actor."""
        beta = self.beta * self._reward.step_worth
        metrics = self.update_critic(batch, beta, num_demonstrations)
        self.model.target.track_(self.model.critic, self.target_rate)
        if with_actor:
            noise = torch.randn_like(batch.action)
            metrics |= updates.update_actor(self.model, self.optimizers["actor"], batch, noise, beta)
        if self.relabels:
            metrics |= updates.update_reward(self.model.reward, self._refinement, batch, num_demonstrations)
        return metrics

    def constants(self) -> dict[str, float]:
        """Scale and offsets of the reward."""
        return self._reward.constants()

    def load_constants(self, constants: dict[str, float]) -> None:
        """Take up :meth:`constants`; those of another reward are left out, as nothing can be trained with them."""
        for name in self._reward.constants().keys() & constants.keys():
            setattr(self._reward, name, constants[name])
