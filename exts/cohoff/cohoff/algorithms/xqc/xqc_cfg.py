# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of XQC with demonstrations."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import CategoricalCriticCfg
from cohoff.algorithms.common.gaussian_cfg import GaussianPolicyCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg, OffPolicyRunnerCfg


@configclass
class XqcAlgorithmCfg(OffPolicyAlgorithmCfg):
    """XQC (arXiv 2509.25174) with demonstrations, the control ``XQC+OD`` of CSIL++ (arXiv 2606.02194)."""

    learner: str = "cohoff.algorithms.xqc.xqc:XQC"
    """The algorithm."""

    combination: Literal["ensemble", "residual", "policy"] = "residual"
    """How base action and policy action become the executed one. With ``residual`` training starts at the base."""

    residual_scale: Annotated[float, Gt(0), Le(1)] = 0.1
    """Share of the policy's action under ``residual``."""

    actor: GaussianPolicyCfg = GaussianPolicyCfg(hidden_dims=(256, 256, 256, 256))
    """The policy that is learned."""

    critic: CategoricalCriticCfg = CategoricalCriticCfg()
    """The critic; success is worth its support."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.005
    """Share of the online critic that moves into the target at each update."""

    target_entropy: float = -0.5
    """Entropy of the policy's own action that the temperature holds, for each dimension [nat]."""

    initial_temperature: Annotated[float, Gt(0)] = 0.01
    """Temperature at the start, in units of the scaled reward (ours)."""

    actor_learning_rate_share: Annotated[float, Gt(0)] = 1.0
    """The actor has the rate of the critic."""

    learning_starts: Annotated[int, Ge(0)] = 5_000
    """Environment steps before the first update."""

    actor_start_episodes: Annotated[int, Ge(0)] = 0
    """The actor does not wait for ended episodes."""


@configclass
class XqcRunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of XQC under rsl_rl."""

    algorithm: XqcAlgorithmCfg = XqcAlgorithmCfg()
    """The algorithm."""
