# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""RLPD with many updates per environment step, as far as a CPU allows."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.common.gaussian_cfg import GaussianPolicyCfg
from cohoff.algorithms.rlpd.rlpd_cfg import RlpdAlgorithmCfg, RlpdRunnerCfg
from cohoff_tasks.agents.budget_cfg import BudgetCfg


@configclass
class ManipulationRlpdAlgorithmCfg(RlpdAlgorithmCfg):
    """Small networks, and four times the updates of the tasks' CSIL++."""

    actor: GaussianPolicyCfg = GaussianPolicyCfg(hidden_dims=(128, 128, 128))
    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(128, 128, 128), num_members=5)
    learning_rate: float = 3e-4
    final_learning_rate: float = 3e-4
    initial_temperature: float = 0.01
    n_step: int = 5
    update_to_data: float = 0.5


@configclass
class ManipulationRlpdRunnerCfg(BudgetCfg, RlpdRunnerCfg):
    """The recipe under rsl_rl."""

    algorithm: ManipulationRlpdAlgorithmCfg = ManipulationRlpdAlgorithmCfg()
    """The learner."""
