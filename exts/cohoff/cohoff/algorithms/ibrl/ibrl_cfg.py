# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of IBRL. Values marked (ours) are not given by the paper."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.common.td3_cfg import ActorCfg, NoiseCfg, Td3AlgorithmCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyRunnerCfg


@configclass
class IbrlAlgorithmCfg(Td3AlgorithmCfg):
    """IBRL (arXiv 2311.02198), with the settings for states."""

    learner: str = "cohoff.algorithms.ibrl.ibrl:IBRL"
    """The algorithm."""

    actor: ActorCfg = ActorCfg(hidden_dims=(1024, 1024))
    """The policy (ours: its depth)."""

    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(1024, 1024), num_members=5)
    """Five critics (ours: their depth)."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.01
    """Share of the online networks that moves into the targets."""

    noise: NoiseCfg = NoiseCfg(exploration_std=0.1, smoothing_std=0.1, smoothing_limit=0.3)
    """Exploration and target policy smoothing."""

    discount: Annotated[float, Gt(0), Lt(1)] | None = 0.99
    """Discount of a control step."""

    policy_delay: Annotated[int, Ge(1)] = 5
    """Critic updates per actor update."""


@configclass
class IbrlRunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of IBRL under rsl_rl."""

    algorithm: IbrlAlgorithmCfg = IbrlAlgorithmCfg()
    """The algorithm."""
