# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""XQC with demonstrations, with the sizes and the budget of the tasks' CSIL++."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import CategoricalCriticCfg
from cohoff.algorithms.common.gaussian_cfg import GaussianPolicyCfg
from cohoff.algorithms.xqc.xqc_cfg import XqcAlgorithmCfg, XqcRunnerCfg
from cohoff_tasks.agents.budget_cfg import BudgetCfg


@configclass
class ManipulationXqcAlgorithmCfg(XqcAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    actor: GaussianPolicyCfg = GaussianPolicyCfg(hidden_dims=(128, 128, 128))
    critic: CategoricalCriticCfg = CategoricalCriticCfg(hidden_dims=(128, 128, 128))
    n_step: int = 5
    target_rate: float = 0.02
    update_to_data: float = 0.125


@configclass
class ManipulationXqcRunnerCfg(BudgetCfg, XqcRunnerCfg):
    """The recipe under rsl_rl."""

    algorithm: ManipulationXqcAlgorithmCfg = ManipulationXqcAlgorithmCfg()
    """The learner."""
