# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of RLPD."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.common.gaussian_cfg import GaussianPolicyCfg
from cohoff.algorithms.common.published_cfg import PublishedAlgorithmCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyRunnerCfg


@configclass
class RlpdAlgorithmCfg(PublishedAlgorithmCfg):
    """RLPD (arXiv 2302.02948): the policy alone, without a base."""

    learner: str = "cohoff.algorithms.rlpd.rlpd:RLPD"
    """The algorithm."""

    actor: GaussianPolicyCfg = GaussianPolicyCfg(hidden_dims=(512, 512, 512))
    """The policy that is learned."""

    critic: ScalarCriticCfg = ScalarCriticCfg(hidden_dims=(256, 256, 256), num_members=5)
    """The critics."""

    num_minimum: Annotated[int, Ge(1)] = 2
    """Critics in the random subset whose least value is the target."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.01
    """Share of the online critics that moves into the target at each update."""

    target_entropy: float = -1.0
    """Entropy of the action that the temperature holds, for each dimension [nat]."""

    initial_temperature: Annotated[float, Gt(0)] = 1.0
    """Temperature at the start."""

    learning_rate: Annotated[float, Gt(0)] = 1e-4
    """Of actor, critics and temperature, at the start."""

    final_learning_rate: Annotated[float, Ge(0)] = 1e-4
    """At the last iteration."""

    update_to_data: Annotated[float, Ge(0)] = 3 / 64
    """Three for each step of one environment; here for a control step of 64."""


@configclass
class RlpdRunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of RLPD under rsl_rl."""

    algorithm: RlpdAlgorithmCfg = RlpdAlgorithmCfg()
    """The algorithm."""
