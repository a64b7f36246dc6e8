# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""IBRL on the manipulation tasks: a recipe for two CPU cores and a hundred thousand environment steps."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.ibrl.ibrl_cfg import IbrlAlgorithmCfg, IbrlRunnerCfg
from cohoff_tasks.agents.budget_cfg import BudgetCfg
from cohoff_tasks.agents.small_td3_cfg import SmallTd3Cfg


@configclass
class ManipulationIbrlAlgorithmCfg(SmallTd3Cfg, IbrlAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(128, 128), num_members=5)
    policy_delay: int = 2


@configclass
class ManipulationIbrlRunnerCfg(BudgetCfg, IbrlRunnerCfg):
    """The recipe under rsl_rl."""

    algorithm: ManipulationIbrlAlgorithmCfg = ManipulationIbrlAlgorithmCfg()
    """The learner."""
