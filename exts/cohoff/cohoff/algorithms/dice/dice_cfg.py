# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of DICE-RL. Values marked (ours) are not given by the paper."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.common.td3_cfg import ActorCfg, NoiseCfg, Td3AlgorithmCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyRunnerCfg


@configclass
class DiceAlgorithmCfg(Td3AlgorithmCfg):
    """DICE-RL (arXiv 2603.10263), one control step at a time."""

    learner: str = "cohoff.algorithms.dice.dice:Dice"
    """The algorithm."""

    anchor_weight: Annotated[float, Ge(0)] = 100.0
    """Weight of the residual's mean square, against Q of mean magnitude 1; the paper uses 50 to 100."""

    residual_scale: Annotated[float, Gt(0), Le(1)] = 1.0
    """Largest correction of an entry of the base action (ours: the action range; the anchor keeps it small)."""

    actor: ActorCfg = ActorCfg(hidden_dims=(1024, 1024, 1024), layer_norm=True)
    """The residual."""

    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(1024, 1024, 1024), num_members=10)
    """Ten critics."""

    target_members: Annotated[int, Ge(1)] = 10
    """The target is the minimum of all critics."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.01
    """Share of the online networks that moves into the targets."""

    noise: NoiseCfg = NoiseCfg(exploration_std=0.0, smoothing_std=0.0, smoothing_limit=0.0)
    """None: what a flow base draws its plans from explores."""

    final_demonstration_share: Annotated[float, Gt(0), Lt(1)] | None = 0.1
    """At the last iteration, from 0.5 at the start (ours: the paper is there after 10,000 steps)."""

    actor_start_steps: Annotated[int, Ge(0)] = 96_000
    """Environment steps with the base alone; the paper uses 96,000 to 192,000."""

    actor_start_episodes: Annotated[int, Ge(0)] = 0
    """Episodes before the actor moves; the paper counts steps alone."""

    discount: Annotated[float, Gt(0), Lt(1)] | None = 0.9975
    """Discount of a control step: that of the paper, 0.99, is of a chunk of four."""

    final_learning_rate: Annotated[float, Ge(0)] = 1e-6
    """At the last iteration."""

    policy_delay: Annotated[int, Ge(1)] = 2
    """Critic updates per actor update."""

    update_to_data: Annotated[float, Ge(0)] = 10 / 64
    """Ten for each control step of 64 environments (of a chunk each in the paper)."""


@configclass
class DiceRunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of DICE-RL under rsl_rl."""

    algorithm: DiceAlgorithmCfg = DiceAlgorithmCfg()
    """The algorithm."""
