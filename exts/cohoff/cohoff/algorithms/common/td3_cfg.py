# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration that the algorithms with a deterministic actor share."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, MinLen
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg
from cohoff.settings import CheckedSettings


@configclass
class ActorCfg(CheckedSettings, section="agent.algorithm.actor"):
    """The deterministic actor."""

    hidden_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (256, 256)
    """Widths of the hidden layers."""

    layer_norm: bool = False
    """Whether a layer norm follows each hidden layer."""


@configclass
class NoiseCfg(CheckedSettings, section="agent.algorithm.noise"):
    """Normal noise on actions, in units of the action range [-1, 1]."""

    exploration_std: Annotated[float, Ge(0)] = 0.1
    """Standard deviation with which training environments act."""

    smoothing_std: Annotated[float, Ge(0)] = 0.2
    """Standard deviation of target policy smoothing."""

    smoothing_limit: Annotated[float, Ge(0)] = 0.5
    """Largest noise of target policy smoothing."""


@configclass
class Td3AlgorithmCfg(OffPolicyAlgorithmCfg):
    """TD3 with demonstrations over a frozen base policy."""

    actor: ActorCfg = ActorCfg()
    """The actor."""

    critic: ScalarCriticCfg = ScalarCriticCfg(num_members=10)
    """The critics."""

    target_members: Annotated[int, Ge(1)] = 2
    """Critics, drawn for each update, whose minimum is the target."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.005
    """Share of the online networks that moves into the targets: of the critics at each update, of the actor at each of
    its own."""

    noise: NoiseCfg = NoiseCfg()
    """Exploration and target policy smoothing."""

    base_collection_std: Annotated[float, Ge(0)] | None = 0.0
    """Until the actor moves, training environments execute the base action plus normal noise of this standard
    deviation, and only the critic learns. None lets the policy act from the start."""

    n_step: Annotated[int, Ge(1)] = 3
    """Steps of reward before the bootstrap."""

    learning_rate: Annotated[float, Gt(0)] = 1e-4
    """Of the critics, at the start."""

    final_learning_rate: Annotated[float, Ge(0)] = 1e-4
    """At the last iteration: constant."""

    actor_learning_rate_share: Annotated[float, Gt(0)] = 1.0
    """The actor learns at the critics' rate."""
