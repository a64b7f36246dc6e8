# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DICE-RL on the manipulation tasks: a recipe for two CPU cores and a hundred thousand environment steps."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.common.td3_cfg import ActorCfg
from cohoff.algorithms.dice.dice_cfg import DiceAlgorithmCfg, DiceRunnerCfg
from cohoff_tasks.agents.budget_cfg import BudgetCfg
from cohoff_tasks.agents.small_td3_cfg import SmallTd3Cfg


@configclass
class ManipulationDiceAlgorithmCfg(SmallTd3Cfg, DiceAlgorithmCfg):
    """Small networks and few updates per environment step, for training on a CPU."""

    actor: ActorCfg = ActorCfg(hidden_dims=(128, 128), layer_norm=True)
    final_learning_rate: float = 1e-6
    actor_start_steps: int = 20_000


@configclass
class ManipulationDiceRunnerCfg(BudgetCfg, DiceRunnerCfg):
    """The recipe under rsl_rl."""

    algorithm: ManipulationDiceAlgorithmCfg = ManipulationDiceAlgorithmCfg()
    """The learner."""
