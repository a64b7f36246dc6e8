# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++: what differs from other off-policy algorithms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from cohoff.algorithms.common import categorical_td
from cohoff.algorithms.csil import preparation, updates
from cohoff.algorithms.csil.model import CsilModel
from cohoff.algorithms.csil.reward import REWARDS, CoherentReward, make_reward
from cohoff.algorithms.csil.soft_imitation import SoftImitation
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.combine import make_combination


class CSIL(SoftImitation):
    """Coherent soft imitation learning with a frozen base policy. CSIL++ (arXiv 2606.02194).

    The settings are described in :class:`~cohoff.algorithms.csil.csil_cfg.CsilAlgorithmCfg`.
    """

    fixed_settings = ("combination", "residual_scale", "policy", "actor_hidden_dims")
    fixed_for_training = ("critic", "reward")

    def __init__(
        self,
        problem: Problem,
        *,
        combination: str,
        residual_scale: float,
        reward: str,
        reward_floor: float,
        margin_share: float,
        refinement_learning_rate: float,
        policy: dict[str, Any],
        clone: dict[str, Any],
        critic: dict[str, Any],
        target_rate: float,
        beta: float,
        exploration_std: float,
        gradient_penalty: float,
        demonstrated_actions: bool,
        actor_hidden_dims: tuple[int, ...] | None = None,
    ):
        """Allocate networks and optimizers."""
        combined = make_combination(combination, residual_scale)
        with problem.device:
            model = CsilModel(
                problem.actor_dim, problem.critic_dim, problem.action_dim, combined, policy,
                categorical_td.critic_kwargs(critic, REWARDS[reward].lowest, REWARDS[reward].highest),
                actor_hidden_dims=actor_hidden_dims,
            )  # fmt: skip
        model.demonstrated_actions = demonstrated_actions
        self.residual = combination == "residual"
        self.clone_cfg, self.critic_cfg, self.gradient_penalty = clone, critic, gradient_penalty
        super().__init__(
            problem,
            model,
            make_reward(reward, model.reward, reward_floor, margin_share),
            relabels=refinement_learning_rate > 0.0 and REWARDS[reward] is CoherentReward,
            refinement_learning_rate=refinement_learning_rate,
            target_rate=target_rate,
            beta=beta,
            exploration_std=exploration_std,
        )

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Clone, read off the reward, and pre-train the critic."""
        return preparation.prepare(
            self.model, self._reward, demonstrations, corrections, discount, self.residual, self.clone_cfg,
            self.critic_cfg, self.gradient_penalty, progress,
        )  # fmt: skip

    def update_critic(self, batch: Batch, beta: float, num_demonstrations: int) -> Metrics:
        """Cross-entropy with the distributional soft target."""
        is_demonstrated = torch.arange(len(batch.action), device=batch.action.device)[:, None] < num_demonstrations
        taught = self.model.taught_action(batch.now, batch.action)
        batch = replace(batch, action=torch.where(is_demonstrated, taught, batch.action))
        noise = torch.randn_like(batch.action)
        target, next_action, metrics = updates.bootstrap_target(self.model, batch, noise, beta)
        return metrics | categorical_td.update_critic(
            self.model, self.optimizers["critic"], batch, target, next_action, num_demonstrations, self.gradient_penalty
        )
