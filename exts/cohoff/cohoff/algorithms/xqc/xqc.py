# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""XQC (arXiv 2509.25174) with demonstrations, over a frozen base policy."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from cohoff.algorithms.common import categorical_td
from cohoff.algorithms.common.soft_actor_critic import SoftActorCritic, SoftModel
from cohoff.networks.critic import CategoricalCritic
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.policies.combine import make_combination


class XQC(SoftActorCritic):
    """Soft actor-critic with a categorical critic of batch norm and unit weight norm.

    The settings are described in :class:`~cohoff.algorithms.xqc.xqc_cfg.XqcAlgorithmCfg`.
    """

    fixed_settings = ("combination", "residual_scale", "actor")
    fixed_for_training = ("critic",)

    def __init__(
        self,
        problem: Problem,
        *,
        combination: str,
        residual_scale: float,
        actor: dict[str, Any],
        critic: dict[str, Any],
        target_rate: float,
        target_entropy: float,
        initial_temperature: float,
    ):
        """Allocate networks and optimizers. Success is worth the end of the critic's support."""
        policy = GaussianPolicy(problem.actor_dim, problem.action_dim, zero_mean=combination == "residual", **actor)
        model = SoftModel(
            problem, make_combination(combination, residual_scale), policy, CategoricalCritic,
            categorical_td.critic_kwargs(critic, -1.0, 1.0), initial_temperature,
        )  # fmt: skip
        super().__init__(problem, model, critic["support"], target_entropy, target_rate)

    def update_critic(
        self, batch: Batch, next_action: Tensor, next_log_prob: Tensor, num_demonstrations: int
    ) -> Metrics:
        """Cross-entropy with the n-step soft target; states inside of the window pay what its end pays."""
        cost = self.model.log_temperature.detach().exp() * batch.followed * next_log_prob
        target, clipped = categorical_td.bootstrap_target(self.model, batch, next_action, cost)
        metrics = categorical_td.update_critic(
            self.model, self.optimizers["critic"], batch, target, next_action, num_demonstrations, penalty_weight=0.0
        )
        return metrics | {"target_clipped": clipped}
