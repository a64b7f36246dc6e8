# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of ResiP: rsl_rl's PPO. Values marked (ours) are not given by the paper."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, MinLen
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg

from cohoff.settings import CheckedSettings


@configclass
class ResidualDistributionCfg(
    CheckedSettings, RslRlMLPModelCfg.GaussianDistributionCfg, section="agent.actor.distribution_cfg"
):
    """Gaussian with a mean of 0 at the start."""

    class_name: str = "cohoff.algorithms.resip.distribution:ZeroMeanGaussian"
    """rsl_rl's Gaussian with a last layer of zeros."""

    init_std: Annotated[float, Gt(0)] = math.exp(-1.0)
    """Standard deviation at the start."""

    std_type: Literal["scalar", "log"] = "log"
    """What is learned of it: itself or its logarithm."""


@configclass
class ResidualActorCfg(CheckedSettings, RslRlMLPModelCfg, section="agent.actor"):
    """The residual policy."""

    hidden_dims: Annotated[list[Annotated[int, Ge(1)]], MinLen(1)] = [256, 256]
    """Widths of the hidden layers."""

    activation: str = "relu"
    """Activation of the hidden layers."""

    distribution_cfg: ResidualDistributionCfg = ResidualDistributionCfg()
    """Distribution of the residual before it is scaled."""


@configclass
class ValueCfg(CheckedSettings, RslRlMLPModelCfg, section="agent.critic"):
    """The value function."""

    hidden_dims: Annotated[list[Annotated[int, Ge(1)]], MinLen(1)] = [256, 256]
    """Widths of the hidden layers."""

    activation: str = "relu"
    """Activation of the hidden layers."""


@configclass
class ResipAlgorithmCfg(CheckedSettings, RslRlPpoAlgorithmCfg, section="agent.algorithm"):
    """PPO as ResiP (arXiv 2407.16677) uses it."""

    class_name: str = "cohoff.algorithms.resip.ppo:ResidualPPO"
    """Builds rsl_rl's PPO."""

    num_learning_epochs: Annotated[int, Ge(1)] = 5
    """Passes over the collected steps (ours)."""

    num_mini_batches: Annotated[int, Ge(1)] = 4
    """Parts of each pass (ours)."""

    learning_rate: Annotated[float, Gt(0)] = 3e-4
    """At the start (ours)."""

    schedule: Literal["adaptive", "fixed"] = "adaptive"
    """``adaptive``: rsl_rl raises and lowers the learning rate to meet ``desired_kl``."""

    gamma: Annotated[float, Gt(0), Le(1)] = 0.999
    """Discount of a control step."""

    lam: Annotated[float, Ge(0), Le(1)] = 0.95
    """Lambda of the generalized advantage estimation."""

    entropy_coef: Annotated[float, Ge(0)] = 0.0
    """Weight of the entropy bonus (ours)."""

    desired_kl: Annotated[float, Gt(0)] = 0.1
    """KL divergence between the policies before and after an update."""

    max_grad_norm: Annotated[float, Gt(0)] = 1.0
    """Largest norm of a gradient (ours)."""

    value_loss_coef: Annotated[float, Ge(0)] = 1.0
    """Weight of the value loss (ours)."""

    use_clipped_value_loss: bool = False
    """Whether the value loss is clipped like the policy's (ours)."""

    clip_param: Annotated[float, Gt(0)] = 0.2
    """Range of the probability ratio around 1."""


@configclass
class ResipRunnerCfg(CheckedSettings, RslRlOnPolicyRunnerCfg, section="agent"):
    """Runner settings of ResiP under rsl_rl. Base policy and scale are settings of the environment, ``env.base``."""

    seed: Annotated[int, Ge(-1), Le(2**32 - 1)] = 42
    """Of everything that draws; -1 draws one, which is recorded."""

    device: str = "cuda:0" if torch.cuda.is_available() else "cpu"
    """Where the learner runs: the first GPU if there is one."""

    num_steps_per_env: Annotated[int, Ge(1)] = 64
    """Control steps per iteration (ours)."""

    max_iterations: Annotated[int, Ge(1)] = 300
    """Iterations of a run (ours)."""

    save_interval: Annotated[int, Ge(1)] = 50
    """Iterations between checkpoints."""

    init_at_random_ep_len: bool = False
    """Episodes keep their full length: a shortened first episode would count as a failure."""

    wandb_project: str = "cohoff"
    """Project of ``--logger wandb``."""

    obs_groups: dict[str, list[str]] = {"actor": ["policy", "base_action"], "critic": ["policy", "base_action"]}
    """Observation groups of actor and critic: both see the base action."""

    actor: ResidualActorCfg = ResidualActorCfg()
    """The residual policy."""

    critic: ValueCfg = ValueCfg()
    """The value function."""

    algorithm: ResipAlgorithmCfg = ResipAlgorithmCfg()
    """PPO."""
