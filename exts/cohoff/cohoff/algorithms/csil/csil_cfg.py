# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of CSIL++. Values marked (ours) are not given by the papers."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen, MultipleOf
from isaaclab.utils import configclass

from cohoff.algorithms.common.critic_cfg import CategoricalCriticCfg
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg, OffPolicyRunnerCfg
from cohoff.settings import CheckedSettings


@configclass
class StationaryPolicyCfg(CheckedSettings, section="agent.algorithm.policy"):
    """The small per-step policy (HETSTAT)."""

    hidden_dim: Annotated[int, Ge(1)] = 256
    """Width of the two hidden layers."""

    code_dim: Annotated[int, Ge(1)] = 12
    """Width of the code that the periodic features see."""

    num_features: Annotated[int, Ge(4), MultipleOf(4)] = 256
    """Number of periodic features."""

    phase_std: Annotated[float, Gt(0)] = 1.0
    """Initial standard deviation of the phases over the demonstrations [rad], an inverse lengthscale (ours)."""


@configclass
class CloneCfg(CheckedSettings, section="agent.algorithm.clone"):
    """Phase 1: behavior cloning of the small policy."""

    steps: Annotated[int, Ge(1)] = 25_000
    """Number of optimizer steps, unless :attr:`epochs` asks for more."""

    epochs: Annotated[float, Ge(0)] = 0.0
    """Least number of passes over all transitions, those of the corrections included (ours): long tasks with many
    demonstrations need more steps."""

    batch_size: Annotated[int, Ge(2)] = 256
    """Transitions per step."""

    learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Adam's learning rate, decayed to zero along a cosine (ours)."""

    covariance_learning_rate: Annotated[float, Gt(0)] = 5e-3
    """The same for the covariance factor, which has to shrink from the prior to the data's noise (ours)."""

    holdout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of the demonstrations held out; the parameters with the lowest loss on them are kept (ours). 0 for none:
    the clone then takes all ``steps`` on all demonstrations, which is better where these are few."""


@configclass
class CriticCfg(CategoricalCriticCfg, section="agent.algorithm.critic"):
    """The XQC critic and its pre-training (phase 2)."""

    pretrain_steps: Annotated[int, Ge(0)] = 5_000
    """Updates on the demonstrations' returns before the first environment step."""

    pretrain_batch_size: Annotated[int, Ge(2)] = 256
    """Transitions in each of these updates."""

    pretrain_learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of these updates."""


@configclass
class CsilAlgorithmCfg(OffPolicyAlgorithmCfg):
    """CSIL++ (arXiv 2606.02194) with an XQC critic."""

    learner: str = "cohoff.algorithms.csil.csil:CSIL"
    """The algorithm."""

    combination: Literal["ensemble", "residual", "policy"] = "ensemble"
    """How base action and policy action become the executed one."""

    residual_scale: Annotated[float, Gt(0), Le(1)] = 0.1
    """Share of the policy's action under ``residual``."""

    reward: Literal["coherent", "time", "sparse"] = "coherent"
    """``coherent``: read off the clone. Its controls: ``time``, -1 on every step until success; ``sparse``, 1 at
    success."""

    reward_floor: float = -5.0
    """Coherent rewards are clipped from below to this (before scaling)."""

    margin_share: Annotated[float, Ge(0), Lt(1)] = 0.45
    """Share of the constant cost per step, which makes finishing pay, in the mean cost of a demonstrated step under the
    coherent reward (ours)."""

    refinement_learning_rate: Annotated[float, Ge(0)] = 0.0
    """SGD rate of the reward refinement; 0 keeps the clone's reward."""

    policy: StationaryPolicyCfg = StationaryPolicyCfg()
    """The small policy."""

    actor_hidden_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] | None = None
    """Widths of a perceptron as actor, for ``start`` as a policy that is one; None makes the actor like the clone."""

    clone: CloneCfg = CloneCfg()
    """Phase 1."""

    critic: CriticCfg = CriticCfg()
    """Critic and phase 2."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.005
    """Share of the online critic that moves into the target at each update."""

    beta: Annotated[float, Ge(0)] = 2.0
    """Cost of a divergence of 1 nat from the prior, in mean costs of a demonstrated step (ours: a unit that means the
    same on every task)."""

    exploration_std: Annotated[float, Ge(0)] = 0.1
    """Largest standard deviation (before tanh) with which training environments act (ours): far from the
    demonstrations the policy's own is near the prior's, and so much noise ends a precise motion."""

    gradient_penalty: Annotated[float, Ge(0)] = 1.0
    """Weight of sqrt(E|dQ/da|^2) on demonstrations."""

    demonstrated_actions: bool = False
    """Whether demonstrations teach the critic what their actions are worth, and not values of states alone (ours): for
    a base that was not trained on them."""


@configclass
class CsilRunnerCfg(OffPolicyRunnerCfg):
    """Runner settings of CSIL++ under rsl_rl."""

    algorithm: CsilAlgorithmCfg = CsilAlgorithmCfg()
    """The algorithm."""
