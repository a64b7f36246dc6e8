# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL++ on the manipulation tasks: a recipe for two CPU cores and fifty thousand environment steps."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.csil.csil_cfg import CloneCfg, CriticCfg, CsilAlgorithmCfg, CsilRunnerCfg, StationaryPolicyCfg


@configclass
class ManipulationCsilAlgorithmCfg(CsilAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    policy: StationaryPolicyCfg = StationaryPolicyCfg(num_features=128)
    clone: CloneCfg = CloneCfg(steps=2_500, epochs=20, holdout=0.0)
    critic: CriticCfg = CriticCfg(hidden_dims=(128, 128, 128), pretrain_steps=1_000)
    n_step: int = 5
    target_rate: float = 0.02
    gradient_penalty: float = 0.0
    update_to_data: float = 0.125


@configclass
class ManipulationCsilRunnerCfg(CsilRunnerCfg):
    """51,200 environment steps. The experiment is named after the task (:mod:`cohoff_tasks.common.derived_cfg`)."""

    max_iterations: int = 100
    """100 iterations of 8 control steps in 64 environments are 51,200 environment steps."""

    algorithm: ManipulationCsilAlgorithmCfg = ManipulationCsilAlgorithmCfg()
    """The learner."""
