# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL as published, with the sizes and the budget of the tasks' CSIL++."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.csil2023.csil2023_cfg import (
    CloneCfg,
    Csil2023AlgorithmCfg,
    Csil2023RunnerCfg,
    SarsaCriticCfg,
    StationaryPolicyCfg,
)
from cohoff_tasks.agents.budget_cfg import BudgetCfg


@configclass
class ManipulationCsil2023AlgorithmCfg(Csil2023AlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    policy: StationaryPolicyCfg = StationaryPolicyCfg(num_features=128)
    clone: CloneCfg = CloneCfg(steps=2_500, epochs=20, holdout=0.0)
    critic: SarsaCriticCfg = SarsaCriticCfg(hidden_dims=(128, 128))
    update_to_data: float = 0.125


@configclass
class ManipulationCsil2023RunnerCfg(BudgetCfg, Csil2023RunnerCfg):
    """The recipe under rsl_rl."""

    algorithm: ManipulationCsil2023AlgorithmCfg = ManipulationCsil2023AlgorithmCfg()
    """The learner."""
