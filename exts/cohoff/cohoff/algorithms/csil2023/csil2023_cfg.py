# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of CSIL as published."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import ScalarCriticCfg
from cohoff.algorithms.common.published_cfg import PublishedAlgorithmCfg
from cohoff.algorithms.csil.csil_cfg import CloneCfg, StationaryPolicyCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyRunnerCfg


@configclass
class SarsaCriticCfg(ScalarCriticCfg, section="agent.algorithm.critic"):
    """Critics with layer norm and their pre-training."""

    pretrain_steps: Annotated[int, Ge(0)] = 5_000
    """SARSA updates on the demonstrations before the first environment step."""

    pretrain_batch_size: Annotated[int, Ge(2)] = 256
    """Transitions in each of these updates."""

    pretrain_learning_rate: Annotated[float, Gt(0)] = 3e-4
    """Learning rate of these updates."""


@configclass
class Csil2023AlgorithmCfg(PublishedAlgorithmCfg):
    """CSIL (arXiv 2305.16498): the policy alone, without a base."""

    learner: str = "cohoff.algorithms.csil2023.csil2023:CSIL2023"
    """The algorithm."""

    refinement_learning_rate: Annotated[float, Ge(0)] = 1e-3
    """SGD rate of the reward refinement; 0 keeps the clone's reward."""

    policy: StationaryPolicyCfg = StationaryPolicyCfg()
    """The stationary policy (HETSTAT) of clone, reward and actor."""

    clone: CloneCfg = CloneCfg()
    """Behavior cloning."""

    critic: SarsaCriticCfg = SarsaCriticCfg()
    """Critics and their pre-training."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.005
    """Share of the online critics that moves into the target at each update."""

    beta: Annotated[float, Ge(0)] = 0.01
    """Cost of a divergence of 1 nat from the clone, in units of the reward."""

    gradient_penalty: Annotated[float, Ge(0)] = 1.0
    """Weight of sqrt(E|dQ/da|^2) on demonstrations."""

    final_learning_rate: Annotated[float, Ge(0)] = 3e-4
    """At the last iteration."""

    update_to_data: Annotated[float, Ge(0)] = 1 / 64
    """The paper's one for each step of one environment; here for a control step of 64."""


@configclass
class Csil2023RunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of CSIL under rsl_rl."""

    algorithm: Csil2023AlgorithmCfg = Csil2023AlgorithmCfg()
    """The algorithm."""
