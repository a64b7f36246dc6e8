# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of CSIL++. Values marked (ours) are not given by the papers."""

from __future__ import annotations

from typing import Literal

import torch
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg


@configclass
class StationaryPolicyCfg:
    """The small per-step policy (HETSTAT)."""

    hidden_dim: int = 256
    """Width of the two hidden layers."""

    code_dim: int = 12
    """Width of the code that the periodic features see."""

    num_features: int = 256
    """Number of periodic features."""

    phase_std: float = 1.0
    """Initial standard deviation of the features' phases over the demonstrations [rad], an inverse lengthscale (ours)."""


@configclass
class CloneCfg:
    """Phase 1: behaviour cloning of the small policy."""

    steps: int = 25_000
    """Largest number of optimiser steps."""

    batch_size: int = 256
    """Transitions per step."""

    learning_rate: float = 1e-3
    """Adam's learning rate, decayed to zero along a cosine (ours)."""

    covariance_learning_rate: float = 5e-3
    """The same for the covariance factor, which has to shrink from the prior to the data's noise (ours)."""

    holdout: float = 0.1
    """Share of the demonstrations held out; the parameters with the lowest loss on them are kept (ours). 0 for none: the
    clone then takes all ``steps`` on all demonstrations, which is better where these are few."""


@configclass
class CriticCfg:
    """The XQC critic and its pre-training (phase 2)."""

    hidden_dims: tuple[int, ...] = (512, 512, 512, 512)
    """Widths of the hidden layers."""

    num_atoms: int = 101
    """Atoms of the categorical head."""

    support: float = 5.0
    """The atoms span [-support, support]."""

    num_members: int = 2
    """Critics in the ensemble."""

    pretrain_steps: int = 5_000
    """Updates on the demonstrations' returns before the first environment step."""

    pretrain_learning_rate: float = 1e-3
    """Learning rate of these updates."""


@configclass
class CsilAlgorithmCfg:
    """CSIL++ (arXiv 2606.02194) with an XQC critic."""

    class_name: str = "cohoff.algorithms.csil.csil:CSIL"
    """Resolved by rsl_rl's runner."""

    demonstrations: str | None = None
    """HDF5 file of demonstrations, made by scripts/collect_demos.py. Needed for training."""

    base: str | None = None
    """Checkpoint of the frozen base policy: a file of scripts/pretrain.py or the folder of a pi-0.5 checkpoint. Or only its
    kind, ``flow`` or ``pi05``. Needed where the combination uses it."""

    base_checkpoint: str | None = None
    """The file or folder where ``base`` is a kind."""

    base_device: str | None = None
    """Device of the base policy; None is the learner's."""

    num_demonstrations: int | None = None
    """Use only the first so many demonstrations; None uses all."""

    combination: Literal["ensemble", "residual", "policy"] = "ensemble"
    """How base action and policy action become the executed one."""

    residual_scale: float = 0.1
    """Share of the policy's action under ``residual``."""

    replan_interval: int = 10
    """Control steps between two plans of the base policy."""

    reward: Literal["coherent", "sparse"] = "coherent"
    """``coherent``: read off the clone. ``sparse``: 1 at success, the control."""

    reward_floor: float = -5.0
    """Coherent rewards are clipped from below to this (before scaling)."""

    refinement_learning_rate: float = 0.0
    """SGD rate of the reward refinement; 0 keeps the clone's reward."""

    policy: StationaryPolicyCfg = StationaryPolicyCfg()
    """The small policy."""

    clone: CloneCfg = CloneCfg()
    """Phase 1."""

    critic: CriticCfg = CriticCfg()
    """Critic and phase 2."""

    batch_size: int = 256
    """Transitions per update."""

    demonstration_share: float = 0.5
    """Share of the batch drawn from the demonstrations."""

    updates_per_iteration: int = 64
    """Critic updates per iteration of ``num_steps_per_env`` control steps."""

    replay_steps: int = 4_000
    """Control steps that the replay holds, for each training environment."""

    learning_rate: float = 3e-4
    """Of actor and critic, at the start."""

    final_learning_rate: float = 3e-5
    """At the last iteration; linear in between."""

    policy_delay: int = 3
    """Critic updates per actor update."""

    target_rate: float = 0.005
    """Share of the online critic that moves into the target at each update."""

    n_step: int = 1
    """Steps of reward before the bootstrap (ours: larger for few updates)."""

    discount: float | None = None
    """None: clip((T/5 - 1)/(T/5), 0.95, 0.995) for an episode of T control steps."""

    beta: float = 0.01
    """Weight of the divergence from the prior, in the unit of the scaled reward."""

    exploration_std: float = 0.2
    """Largest standard deviation (before tanh) with which training environments act: away from the demonstrations the
    policy's own is near the prior's, and shaking so hard ends a precise task (ours)."""

    gradient_penalty: float = 1.0
    """Weight of sqrt(E|dQ/da|^2) on demonstrations."""

    actor_start_steps: int = 0
    """Environment steps of the initial behaviour on which the critic learns before the actor moves (ours)."""

    learning_starts: int = 2_000
    """Environment steps before the first update."""

    evaluation_share: float = 0.125
    """Share of the environments that act with the mean policy and are never stored."""


@configclass
class CsilRunnerCfg(RslRlBaseRunnerCfg):
    """Runner settings of CSIL++ under rsl_rl."""

    class_name: str = "OnPolicyRunner"
    """rsl_rl's stock runner drives the algorithm."""

    num_steps_per_env: int = 8
    """Control steps per iteration."""

    max_iterations: int = 300
    """Iterations of a run."""

    save_interval: int = 50
    """Iterations between checkpoints."""

    init_at_random_ep_len: bool = False
    """Episodes keep their full length: a shortened first episode would count as a failure."""

    check_for_nan: bool = False
    """The environment's non-finite guard does this without a host synchronisation."""

    clip_actions: float | None = 1.0
    """Bound of every action component."""

    obs_groups: dict[str, list[str]] = {"actor": ["policy"], "critic": ["policy"]}
    """Observation groups of actor and critic."""

    algorithm: CsilAlgorithmCfg = CsilAlgorithmCfg()
    """The learner."""

    device: str = "cuda:0" if torch.cuda.is_available() else "cpu"
    """Where the learner runs: the first GPU if there is one."""
