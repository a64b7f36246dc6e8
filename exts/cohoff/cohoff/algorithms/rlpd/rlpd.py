# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""RLPD (arXiv 2302.02948)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import scalar_td, temporal_difference
from cohoff.algorithms.common.soft_actor_critic import SoftActorCritic, SoftModel
from cohoff.errors import InputError
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.combine import make_combination


class RLPD(SoftActorCritic):
    """Soft actor-critic with an ensemble of critics with layer norm, of which a random subset makes the target.

    The settings are described in :class:`~cohoff.algorithms.rlpd.rlpd_cfg.RlpdAlgorithmCfg`.
    """

    fixed_settings = ("actor",)
    fixed_for_training = ("critic",)

    def __init__(
        self,
        problem: Problem,
        *,
        actor: dict[str, Any],
        critic: dict[str, Any],
        num_minimum: int,
        target_rate: float,
        target_entropy: float,
        initial_temperature: float,
    ):
        """Allocate networks and optimizers."""
        if num_minimum > critic["num_members"]:
            raise InputError(
                f"agent.algorithm.num_minimum={num_minimum}, "
                f"agent.algorithm.critic.num_members={critic['num_members']}: the first must not be above the second"
            )
        policy = GaussianPolicy(problem.actor_dim, problem.action_dim, **actor)
        model = SoftModel(problem, make_combination("policy"), policy, ScalarCritic, critic, initial_temperature)
        super().__init__(problem, model, 1.0, target_entropy, target_rate)
        self.num_members, self.num_minimum = critic["num_members"], num_minimum

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Normalize the observations of actor and critic by the demonstrations."""
        obs, _ = self.model.critic_inputs(demonstrations.now, demonstrations.action)
        for critic in (self.model.critic, self.model.target):
            critic.fit_normalization(obs)
        return super().prepare(demonstrations, corrections, discount, progress)

    def update_critic(
        self, batch: Batch, next_action: Tensor, next_log_prob: Tensor, num_demonstrations: int
    ) -> Metrics:
        """Squared error to the least value of a random subset; the entropy is not part of the target."""
        members = temporal_difference.random_members(self.num_members, self.num_minimum, batch.action.device)
        free = torch.zeros_like(batch.returns)
        target = scalar_td.bootstrap_target(self.model, batch, next_action, free, members)
        return scalar_td.update_critic(
            self.model, self.optimizers["critic"], batch, target, num_demonstrations, penalty_weight=0.0
        )
