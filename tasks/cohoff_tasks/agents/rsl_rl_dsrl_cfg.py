# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DSRL on the manipulation tasks, with networks and updates for two CPU cores."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.dsrl.dsrl_cfg import DsrlAlgorithmCfg, DsrlRunnerCfg
from cohoff_tasks.agents.budget_cfg import BudgetCfg


@configclass
class ManipulationDsrlAlgorithmCfg(DsrlAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    actor_dims: tuple[int, ...] = (256, 256)
    critic_dims: tuple[int, ...] = (256, 256)
    target_rate: float = 0.02
    update_to_data: float = 0.125


@configclass
class ManipulationDsrlRunnerCfg(BudgetCfg, DsrlRunnerCfg):
    """The recipe under rsl_rl."""

    algorithm: ManipulationDsrlAlgorithmCfg = ManipulationDsrlAlgorithmCfg()
    """The learner."""
