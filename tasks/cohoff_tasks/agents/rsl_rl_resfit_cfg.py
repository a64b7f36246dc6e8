# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResFiT on the manipulation tasks: a recipe for two CPU cores and a hundred thousand environment steps."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.resfit.resfit_cfg import ResfitAlgorithmCfg, ResfitRunnerCfg
from cohoff_tasks.agents.budget_cfg import BudgetCfg
from cohoff_tasks.agents.small_td3_cfg import SmallTd3Cfg


@configclass
class ManipulationResfitAlgorithmCfg(SmallTd3Cfg, ResfitAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""


@configclass
class ManipulationResfitRunnerCfg(BudgetCfg, ResfitRunnerCfg):
    """The recipe under rsl_rl."""

    algorithm: ManipulationResfitAlgorithmCfg = ManipulationResfitAlgorithmCfg()
    """The learner."""
