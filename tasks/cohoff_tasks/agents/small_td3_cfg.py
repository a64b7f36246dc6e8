# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the recipes of the algorithms with a deterministic actor share: sizes and rates for two CPU cores."""

from __future__ import annotations

from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.common.td3_cfg import ActorCfg


@configclass
class SmallTd3Cfg:
    """Small networks, few updates per environment step and a discount that follows the demonstrations.

    A recipe inherits it before the configuration of its algorithm.
    """

    actor: ActorCfg = ActorCfg(hidden_dims=(128, 128))
    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(128, 128), num_members=10)
    discount: float | None = None
    learning_rate: float = 3e-4
    final_learning_rate: float = 3e-4
    target_rate: float = 0.02
    actor_start_episodes: int = 1
    update_to_data: float = 0.125
