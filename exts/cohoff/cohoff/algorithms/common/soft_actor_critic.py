# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Soft actor-critic with demonstrations in every batch: what XQC and RLPD share."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from cohoff.algorithms.common import entropy, losses
from cohoff.algorithms.common.constant import constant
from cohoff.algorithms.common.critics import CriticModel, critic_input_dim
from cohoff.networks.critic import CategoricalCritic
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics, PolicyKind, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.acting import CombinedPolicy, SmallPolicy
from cohoff.policies.combine import Combination


class SoftModel(CriticModel):
    """Actor, its copy from before the first update, critics and temperature; the base policy stays outside."""

    def __init__(
        self,
        problem: Problem,
        combination: Combination,
        actor: GaussianPolicy,
        critic_class: type[CategoricalCritic | ScalarCritic],
        critic_kwargs: dict[str, Any],
        initial_temperature: float,
    ):
        super().__init__()
        self.combination = combination
        self.actor = actor
        self.start = copy.deepcopy(actor).requires_grad_(False)
        size = critic_input_dim(problem.critic_dim, problem.action_dim, combination)
        self.critic = critic_class(size, problem.action_dim, **critic_kwargs)
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(initial_temperature)))


class SoftActorCritic(ABC):
    """Base class of learners of the maximum-entropy objective on a sparse reward; they clone nothing.

    SAC (arXiv 1801.01290) with an automatic temperature (arXiv 1812.05905). A subclass says how the critic learns.

    Args:
        problem: The task.
        model: The networks.
        success_reward: Reward of the step that succeeds; all others earn 0.
        target_entropy: Entropy of the actor's own action that the temperature holds, for each of its dimensions.
        target_rate: Share of the online critic that moves into the target at each update.
    """

    relabels = False
    started = False

    def __init__(
        self, problem: Problem, model: SoftModel, success_reward: float, target_entropy: float, target_rate: float
    ):
        self.modules = self.model = model.to(problem.device)
        self.combination = model.combination
        self.uses_base = self.combination.uses_base
        self.success_reward = success_reward
        self.target_entropy = target_entropy * problem.action_dim
        self.target_rate = target_rate
        capturable = problem.device.type == "cuda"
        self.optimizers = {
            name: torch.optim.Adam(parameters, fused=True, capturable=capturable)
            for name, parameters in (
                ("critic", model.critic.parameters()),
                ("actor", model.actor.parameters()),
                ("temperature", [model.log_temperature]),
            )
        }

    @abstractmethod
    def update_critic(
        self, batch: Batch, next_action: Tensor, next_log_prob: Tensor, num_demonstrations: int
    ) -> Metrics:
        """One step of the critic, given the next executed action [B, A] and the log density [B] of the actor's own."""

    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Nothing is stored with a state."""
        return {}

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """Executed actions [B, A]: sampled where ``explore`` [B] bool holds, of the mean policy elsewhere."""
        mean, std = self.model.actor(state.actor)
        noise = torch.randn_like(mean) * explore[:, None]
        return self.combination(state.base_action, losses.sample_tanh_gaussian(mean, std, noise))

    @torch.no_grad()
    def value(self, state: State, action: Tensor) -> Tensor:
        """Value [B] of executing actions [B, A]."""
        return self.model.critic.value(*self.model.critic_inputs(state, action)).mean(0)

    def policy(self, kind: PolicyKind) -> CombinedPolicy | None:
        """Mean policy: ``trained`` or at ``step0``."""
        if kind == "clone":
            return None
        return CombinedPolicy(self.model.actor if kind == "trained" else self.model.start, self.combination)

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Normalize the actor's observations by the demonstrations, unless it has a normalization."""
        if not self.started:
            for actor in (self.model.actor, self.model.start):
                actor.fit_normalization(demonstrations.now.actor)
        return {}

    def start_from(self, actor: SmallPolicy) -> None:
        """Take up a network that was trained before, but for its spread: methods of offline learning train the mean."""
        own = self.model.start.log_std_head.state_dict(prefix="log_std_head.")
        for network in (self.model.actor, self.model.start):
            network.load_state_dict(actor.state_dict() | own)
        self.started = True

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """Reward [B], sparse."""
        return success.float() * self.success_reward

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """Critic, target and, if ``with_actor``, actor and temperature."""
        with torch.no_grad():
            mean, std = self.model.actor(batch.next.actor)
            action, log_prob = losses.sample_with_log_prob(mean, std, torch.randn_like(mean))
            next_action = self.combination(batch.next.base_action, action)
        metrics = self.update_critic(batch, next_action, log_prob, num_demonstrations)
        self.model.target.track_(self.model.critic, self.target_rate)
        return metrics | (self.update_actor(batch) if with_actor else {})

    def update_actor(self, batch: Batch) -> Metrics:
        """One step each of actor and temperature."""
        model, now = self.model, batch.now
        mean, std = model.actor(now.actor)
        own_action, log_prob = losses.sample_with_log_prob(mean, std, torch.randn_like(mean))
        action = self.combination(now.base_action, own_action)
        temperature = model.log_temperature.detach().exp()
        with constant(model.critic):
            value = model.critic.value(*model.critic_inputs(now, action))
        loss = entropy.actor_loss(log_prob, value, temperature)
        skipped_actor = step_if_finite(self.optimizers["actor"], loss)
        log_prob = log_prob.detach()
        loss = entropy.temperature_loss(model.log_temperature, log_prob, self.target_entropy)
        return {
            "q_actor": value.detach().mean(),
            "entropy": -log_prob.mean(),
            "temperature": temperature,
            "std": std.detach().mean(),
            "skipped_actor": skipped_actor,
            "skipped_temperature": step_if_finite(self.optimizers["temperature"], loss),
        }

    def constants(self) -> dict[str, float]:
        """None beside the networks."""
        return {}

    def load_constants(self, constants: dict[str, float]) -> None:  # noqa: B027 (there are none)
        """Nothing to take up."""
