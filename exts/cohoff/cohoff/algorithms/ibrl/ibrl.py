# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""IBRL: what differs from other off-policy algorithms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import temporal_difference as td
from cohoff.algorithms.common.td3 import Td3Learner
from cohoff.errors import InputError
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.policies.acting import CombinedPolicy, StepPolicy
from cohoff.policies.choosing import ChosenPolicy
from cohoff.policies.combine import make_combination


class IBRL(Td3Learner):
    """The critic chooses between base action and policy action, in acting and in the target. IBRL (arXiv 2311.02198).

    The actor itself is trained as in TD3 and does not see the base. The target critic chooses; as it acts, it reads
    what the actor reads. The settings are described in :class:`~cohoff.algorithms.ibrl.ibrl_cfg.IbrlAlgorithmCfg`.
    """

    fixed_settings = (*Td3Learner.fixed_settings, "critic")
    fixed_for_training = ()

    def __init__(
        self,
        problem: Problem,
        *,
        actor: dict[str, Any],
        critic: dict[str, Any],
        target_members: int,
        target_rate: float,
        noise: dict[str, float],
    ):
        """Allocate networks and optimizers."""
        if problem.critic_dim != problem.actor_dim:
            raise InputError(
                "the critic of IBRL acts, so that it sees what the actor sees; give agent.obs_groups.critic the groups "
                "of agent.obs_groups.actor"
            )
        super().__init__(
            problem, problem.actor_dim, problem.actor_dim, zero_mean=False, actor=actor, critic=critic,
            target_members=target_members, target_rate=target_rate, noise=noise,
        )  # fmt: skip
        self.chosen = ChosenPolicy(self.model.actor, self.model.target)

    def actor_obs(self, state: State) -> Tensor:
        """Observation of the actor, [B, D]."""
        return state.actor

    def critic_obs(self, state: State) -> Tensor:
        """Observation of the actor, [B, D]."""
        return state.actor

    def executed(self, actor: GaussianPolicy, state: State) -> Tensor:
        """Policy action [B, A], which is executed where it is chosen."""
        return torch.tanh(actor.mean(state.actor))

    @torch.no_grad()
    def act(self, state: State, explore: Tensor) -> Tensor:
        """The better of base action and policy action, [B, A]; the latter with noise where ``explore`` [B] holds."""
        return self.chosen.choose(state.actor, state.base_action, super().act(state, explore))

    def policy(self, kind: str) -> StepPolicy | None:
        """Mean policy: ``trained``, or at ``step0`` the base, which collects until the actor starts."""
        if kind == "clone":
            return None
        return self.chosen if kind == "trained" else CombinedPolicy(self.model.actor, make_combination("base"))

    def next_value(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """Value [B] after the window: of the better action, each under the same few random critics."""
        members = self.drawn_members()
        action = self.smoothed(self.executed(self.model.target_actor, batch.next))
        policy_value, base_value = (
            td.subset_minimum(self.model.target(self.critic_obs(batch.next), candidate), members)
            for candidate in (action, batch.next.base_action)
        )
        share = (policy_value > base_value).float().mean()
        return torch.maximum(policy_value, base_value), {"policy_share": share}

    def actor_loss(self, batch: Batch, num_demonstrations: int) -> tuple[Tensor, Metrics]:
        """−Q of the actor's action, the minimum over all critics as in the authors' code, scalar."""
        values = self.model.critic(self.critic_obs(batch.now), self.executed(self.model.actor, batch.now))
        value = values.amin(0).mean()
        return -value, {"q_actor": value.detach()}
