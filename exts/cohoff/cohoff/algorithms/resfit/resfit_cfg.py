# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of ResFiT. Values marked (ours) are not given by the paper."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.common.td3_cfg import ActorCfg, NoiseCfg, Td3AlgorithmCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyRunnerCfg


@configclass
class ResfitAlgorithmCfg(Td3AlgorithmCfg):
    """ResFiT (arXiv 2509.19301): TD3 of a residual on the frozen base."""

    learner: str = "cohoff.algorithms.resfit.resfit:ResFiT"
    """The algorithm."""

    residual_scale: Annotated[float, Gt(0), Le(1)] = 0.2
    """Largest correction of an entry of the base action; the paper uses 0.1 to 0.2."""

    actor: ActorCfg = ActorCfg()
    """The residual (ours: its size)."""

    critic: ScalarCriticCfg = ScalarCriticCfg(num_members=10)
    """Ten critics (ours: their size)."""

    noise: NoiseCfg = NoiseCfg(exploration_std=0.05, smoothing_std=0.05, smoothing_limit=0.1)
    """Exploration and target policy smoothing (ours: small beside ``residual_scale``)."""

    base_collection_std: Annotated[float, Ge(0)] | None = 0.05
    """Noise on the base action until the actor moves (ours: that of exploration)."""

    actor_start_steps: Annotated[int, Ge(0)] = 10_000
    """Environment steps before the actor moves."""

    actor_start_episodes: Annotated[int, Ge(0)] = 0
    """Episodes before the actor moves; the paper counts steps alone."""

    discount: Annotated[float, Gt(0), Lt(1)] | None = 0.99
    """Discount of a control step."""

    actor_learning_rate_share: Annotated[float, Gt(0)] = 0.05
    """The actor's rate is 5e-6; the paper uses 1e-6 to 5e-6."""

    policy_delay: Annotated[int, Ge(1)] = 2
    """Critic updates per actor update; the paper uses 2 to 8."""

    update_to_data: Annotated[float, Ge(0)] = 4 / 64
    """The paper's four for each step of one environment; here for a control step of 64."""


@configclass
class ResfitRunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of ResFiT under rsl_rl."""

    algorithm: ResfitAlgorithmCfg = ResfitAlgorithmCfg()
    """The algorithm."""
