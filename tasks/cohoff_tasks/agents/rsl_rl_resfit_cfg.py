# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResFiT on the manipulation tasks: a recipe for two CPU cores and a hundred thousand environment steps."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.common.td3_cfg import ActorCfg, ScalarCriticCfg
from cohoff.algorithms.resfit.resfit_cfg import ResfitAlgorithmCfg, ResfitRunnerCfg


@configclass
class ManipulationResfitAlgorithmCfg(ResfitAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    actor: ActorCfg = ActorCfg(hidden_dims=(128, 128))
    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(128, 128))
    discount: float | None = None
    learning_rate: float = 3e-4
    final_learning_rate: float = 3e-4
    target_rate: float = 0.02
    actor_start_episodes: int = 1
    update_to_data: float = 0.125


@configclass
class ManipulationResfitRunnerCfg(ResfitRunnerCfg):
    """102,400 environment steps. The experiment is named after the task (:mod:`cohoff_tasks.common.derived_cfg`)."""

    max_iterations: int = 200
    """200 iterations of 8 control steps in 64 environments are 102,400 environment steps."""

    algorithm: ManipulationResfitAlgorithmCfg = ManipulationResfitAlgorithmCfg()
    """The learner."""
