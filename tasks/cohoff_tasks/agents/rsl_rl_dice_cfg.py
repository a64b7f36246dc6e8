# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DICE-RL on the manipulation tasks: a recipe for two CPU cores and a hundred thousand environment steps."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.common.td3_cfg import ActorCfg, ScalarCriticCfg
from cohoff.algorithms.dice.dice_cfg import DiceAlgorithmCfg, DiceRunnerCfg


@configclass
class ManipulationDiceAlgorithmCfg(DiceAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    actor: ActorCfg = ActorCfg(hidden_dims=(128, 128), layer_norm=True)
    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(128, 128))
    discount: float | None = None
    learning_rate: float = 3e-4
    target_rate: float = 0.02
    actor_start_steps: int = 20_000
    actor_start_episodes: int = 1
    update_to_data: float = 0.125


@configclass
class ManipulationDiceRunnerCfg(DiceRunnerCfg):
    """102,400 environment steps. The experiment is named after the task (:mod:`cohoff_tasks.common.derived_cfg`)."""

    max_iterations: int = 200
    """200 iterations of 8 control steps in 64 environments are 102,400 environment steps."""

    algorithm: ManipulationDiceAlgorithmCfg = ManipulationDiceAlgorithmCfg()
    """The learner."""
