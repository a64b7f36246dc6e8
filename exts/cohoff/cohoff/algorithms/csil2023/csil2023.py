# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL as published in 2023: the policy alone, scalar critics, a reward that is refined."""

from __future__ import annotations

import math
from typing import Any

import torch

from cohoff.algorithms.common import scalar_td
from cohoff.algorithms.csil import cloning, quality, updates
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.algorithms.csil.reward import discounted_returns
from cohoff.algorithms.csil.soft_imitation import SoftImitation
from cohoff.algorithms.csil2023 import sarsa
from cohoff.algorithms.csil2023.reward import PublishedReward
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.policies.combine import make_combination


class CSIL2023(SoftImitation):
    """Coherent soft imitation learning. CSIL (arXiv 2305.16498).

    The settings are described in :class:`~cohoff.algorithms.csil2023.csil2023_cfg.Csil2023AlgorithmCfg`.
    """

    fixed_settings = ("policy",)
    fixed_for_training = ("critic",)

    def __init__(
        self,
        problem: Problem,
        *,
        refinement_learning_rate: float,
        policy: dict[str, Any],
        clone: dict[str, Any],
        critic: dict[str, Any],
        target_rate: float,
        beta: float,
        gradient_penalty: float,
    ):
        """Allocate networks and optimizers."""
        shape = {name: critic[name] for name in ("hidden_dims", "num_members")}
        with problem.device:
            model = SoftImitationModel(
                problem.actor_dim, problem.critic_dim, problem.action_dim, make_combination("policy"), policy, shape,
                ScalarCritic,
            )  # fmt: skip
        self.clone_cfg, self.critic_cfg, self.gradient_penalty = clone, critic, gradient_penalty
        self._members = torch.arange(critic["num_members"], device=problem.device)
        super().__init__(
            problem,
            model,
            PublishedReward(model.reward),
            relabels=refinement_learning_rate > 0.0,
            refinement_learning_rate=refinement_learning_rate,
            target_rate=target_rate,
            beta=beta,
            exploration_std=math.inf,
        )

    def prepare(
        self, demonstrations: Transitions, corrections: Corrections | None, discount: float, progress: Any
    ) -> dict[str, dict[str, float]]:
        """Clone, read off the reward, and pre-train the critic."""
        model, cfg = self.model, self.critic_cfg
        report: dict[str, dict[str, float]] = {}
        with progress("clone", cloning.num_steps(self.clone_cfg, demonstrations, corrections), "steps") as advance:
            report["clone"] = cloning.train_clone(model.clone, demonstrations, corrections, self.clone_cfg, advance)
        model.start_from_clone(residual=False)
        model.critic.fit_normalization(demonstrations.now.critic)
        model.target.load_state_dict(model.critic.state_dict())
        rewards = self.reward(demonstrations.now.actor, demonstrations.action, demonstrations.success)
        with progress("critic", cfg["pretrain_steps"], "steps") as advance:
            sarsa.pretrain_critic(
                model, demonstrations, rewards, discount, cfg, self.gradient_penalty, self.target_rate, advance
            )
        returns = discounted_returns(rewards, discount, demonstrations.lengths.tolist())
        report["critic"] = quality.critic_quality(model, demonstrations, returns)
        report["reward"] = quality.reward_quality(model, self._reward.raw, demonstrations)
        return report

    def update_critic(self, batch: Batch, beta: float, num_demonstrations: int) -> Metrics:
        """Squared error to the soft target of the lower value."""
        next_action, cost, metrics = updates.next_step(self.model, batch, torch.randn_like(batch.action), beta)
        target = scalar_td.bootstrap_target(self.model, batch, next_action, cost, self._members)
        return metrics | scalar_td.update_critic(
            self.model, self.optimizers["critic"], batch, target, num_demonstrations, self.gradient_penalty
        )
