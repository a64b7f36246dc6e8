# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A deterministic actor with an ensemble of scalar critics: what several algorithms over a frozen base share."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from cohoff.algorithms.common import temporal_difference as td
from cohoff.algorithms.common.constant import constant
from cohoff.errors import InputError
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.acting import StepPolicy


class Td3Model(nn.Module):
    """Actor, critics and the target network of each; of the actor, only the mean is used."""

    def __init__(self, actor: GaussianPolicy, critic: ScalarCritic):
        super().__init__()
        self.actor, self.critic = actor, critic
        self.target_actor = copy.deepcopy(actor).requires_grad_(False)
        self.target = copy.deepcopy(critic).requires_grad_(False)
        self.eval()


class Td3Learner(ABC):
    """TD3 (arXiv 1802.09477) over a frozen base policy, with demonstrations, on the sparse reward.

    The reward is 1 at success. Subclasses say what is executed. The settings are described in
    :class:`~cohoff.algorithms.common.td3_cfg.Td3AlgorithmCfg`.
    """

    uses_base = True
    relabels = False
    fixed_settings: tuple[str, ...] = ("actor",)
    fixed_for_training: tuple[str, ...] = ("critic",)

    def __init__(
        self,
        problem: Problem,
        actor_dim: int,
        critic_dim: int,
        zero_mean: bool,
        actor: dict[str, Any],
        critic: dict[str, Any],
        target_members: int,
        target_rate: float,
        noise: dict[str, float],
    ):
        """Allocate networks and optimizers; actor and critic read inputs of ``actor_dim`` and ``critic_dim``."""
        if target_members > critic["num_members"]:
            raise InputError(
                f"agent.algorithm.target_members={target_members} is above agent.algorithm.critic.num_members="
                f"{critic['num_members']}"
            )
        self.problem = problem
        with problem.device:
            self.modules = self.model = Td3Model(
                GaussianPolicy(
                    actor_dim, problem.action_dim, tuple(actor["hidden_dims"]), actor["layer_norm"], zero_mean
                ),
                ScalarCritic(critic_dim, problem.action_dim, tuple(critic["hidden_dims"]), critic["num_members"]),
            )
        capturable = problem.device.type == "cuda"
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), fused=True, capturable=capturable)
            for name, network in (("critic", self.model.critic), ("actor", self.model.actor))
        }
        self.num_members = critic["num_members"]
        self.target_members, self.target_rate = target_members, target_rate
        self.exploration_std = noise["exploration_std"]
        self.smoothing = noise["smoothing_std"], noise["smoothing_limit"]

    @abstractmethod
    def actor_obs(self, state: State) -> Tensor:
        """What the actor reads, [B, ·]."""

    @abstractmethod
    def critic_obs(self, state: State) -> Tensor:
        """What the critic reads beside the action, [B, ·]."""

    @abstractmethod
    def executed(self, actor: GaussianPolicy, state: State) -> Tensor:
        """Action [B, A] of ``actor`` as the critic sees it."""

    @abstractmethod
    def policy(self, kind: str) -> StepPolicy | None:
        """See :meth:`cohoff.offpolicy.learner.Learner.policy`. Nothing is cloned: there is no ``clone``."""

    def features(self, actor_obs: Tensor) -> dict[str, Tensor]:
        """Nothing is stored with a state."""
        return {}

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """Executed actions [B, A], with noise where ``explore`` [B] bool holds."""
        action = self.executed(self.model.actor, state)
        return td.noisy_action(action, torch.randn_like(action) * explore[:, None], self.exploration_std, 1.0)

    @torch.no_grad()
    def value(self, state: State, action: Tensor) -> Tensor:
        """Value [B] of executing actions [B, A]."""
        return self.model.critic(self.critic_obs(state), action).mean(0)

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Normalize inputs by the demonstrations."""
        model = self.model
        model.actor.fit_normalization(self.actor_obs(demonstrations.now))
        model.critic.fit_normalization(self.critic_obs(demonstrations.now))
        model.target_actor.load_state_dict(model.actor.state_dict())
        model.target.load_state_dict(model.critic.state_dict())
        return {}

    def reward(self, actor_obs: Tensor, action: Tensor, success: Tensor) -> Tensor:
        """1 at success, else 0, [B]."""
        return success.float()

    def next_value(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """Value [B] after the window: of the target actor's action, smoothed by noise, under a few random critics."""
        action = self.smoothed(self.executed(self.model.target_actor, batch.next))
        values = self.model.target(self.critic_obs(batch.next), action)
        return td.subset_minimum(values, self.drawn_members()), {}

    def smoothed(self, action: Tensor) -> Tensor:
        """Actions [B, A] with the noise of target policy smoothing."""
        return td.noisy_action(action, torch.randn_like(action), *self.smoothing)

    def drawn_members(self) -> Tensor:
        """The critics that a target is taken from, [target_members]."""
        return td.random_members(self.num_members, self.target_members, self.problem.device)

    def actor_loss(self, batch: Batch, num_demonstrations: int) -> tuple[Tensor, Metrics]:
        """−Q of the actor's action, the mean over all critics as in REDQ, scalar."""
        value = self.model.critic(self.critic_obs(batch.now), self.executed(self.model.actor, batch.now)).mean()
        return -value, {"q_actor": value.detach()}

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        """Critics and their target; if ``with_actor``, actor and its target."""
        model = self.model
        with torch.no_grad():
            next_value, metrics = self.next_value(batch)
            target = td.td_target(batch.returns, batch.discount, next_value)
        values = model.critic(self.critic_obs(batch.now), batch.action)
        loss = td.scalar_td_loss(values, target, batch.weight)
        metrics |= {
            "critic_loss": loss.detach(),
            "q_demo": values.detach()[:, :num_demonstrations].mean(),
            "q_replay": values.detach()[:, num_demonstrations:].mean(),
            "skipped_critic": step_if_finite(self.optimizers["critic"], loss),
        }
        model.target.track_(model.critic, self.target_rate)
        if with_actor:
            with constant(model.critic):
                loss, measured = self.actor_loss(batch, num_demonstrations)
            metrics |= measured | {"skipped_actor": step_if_finite(self.optimizers["actor"], loss)}
            model.target_actor.track_(model.actor, self.target_rate)
        return metrics

    def constants(self) -> dict[str, float]:
        """Nothing beside the networks."""
        return {}

    def load_constants(self, constants: dict[str, float]) -> None:  # noqa: B027 (there are none)
        """Nothing to take up."""
