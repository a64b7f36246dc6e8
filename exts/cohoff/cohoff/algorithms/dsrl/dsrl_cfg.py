# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of DSRL. Values marked (ours) are not given by the paper."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MinLen
from isaaclab.utils import configclass

from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg, OffPolicyRunnerCfg


@configclass
class DsrlAlgorithmCfg(OffPolicyAlgorithmCfg):
    """DSRL (arXiv 2506.15799): soft actor-critic over the noise of the base policy's plans."""

    learner: str = "cohoff.algorithms.dsrl.dsrl:DSRL"
    """The algorithm."""

    noise_aliased: bool = False
    """Whether critics over plans learn from what was executed, and the critics over noise from them (DSRL-NA)."""

    demonstration_share: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of the batch drawn from demonstrations, with ``noise_aliased`` alone: they do not tell the noise."""

    discount: Annotated[float, Gt(0), Lt(1)] | None = 0.999
    """Discount of a control step, as in all algorithms; that of a plan is its power. None takes it from
    ``effective_horizon``."""

    n_step: Annotated[int, Ge(1), Le(1)] = 1
    """Plans before the bootstrap."""

    noise_bound: Annotated[float, Gt(0)] = 1.5
    """Bound of every noise value."""

    actor_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (2048, 2048, 2048)
    """Widths of the actor's hidden layers."""

    critic_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (2048, 2048, 2048)
    """Widths of the critics' hidden layers, each with a layer norm."""

    num_critics: Annotated[int, Ge(1)] = 2
    """Number of critics; the lowest value counts."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.005
    """Share of the online critics that moves into the targets at each update."""

    temperature: Annotated[float, Gt(0)] = 0.01
    """Weight of the entropy at the start (ours: an entropy of a hundred noise values outweighs a reward of 1)."""

    target_entropy: float | None = None
    """Entropy of the noise, divided by its bound, that the temperature holds [nat]; None is minus the number of noise
    values (ours, as in SAC)."""

    update_to_data: Annotated[float, Ge(0)] = 20 / 64
    """20 for each control step of 64 environments."""

    policy_delay: Annotated[int, Ge(1)] = 1
    """Critic updates per actor update."""

    final_learning_rate: Annotated[float, Ge(0)] = 3e-4
    """At the last iteration: the rate is constant."""

    actor_learning_rate_share: Annotated[float, Gt(0)] = 1.0
    """Learning rate of the actor as a share of ``learning_rate``."""


@configclass
class DsrlRunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of DSRL under rsl_rl."""

    algorithm: DsrlAlgorithmCfg = DsrlAlgorithmCfg()
    """The algorithm."""
