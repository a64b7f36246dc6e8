# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of the off-policy core. Values marked (ours) are not given by the papers."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le, Lt
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg

from cohoff.settings import CheckedSettings


@configclass
class OffPolicyAlgorithmCfg(CheckedSettings, section="agent.algorithm"):
    """Settings of the core that all off-policy algorithms share. The default values are those of CSIL++."""

    class_name: str = "cohoff.offpolicy.algorithm:OffPolicyAlgorithm"
    """Resolved by rsl_rl's runner."""

    learner: str = MISSING  # pyright: ignore[reportAssignmentType]
    """The algorithm, as ``module:class``; see :class:`cohoff.offpolicy.learner.Learner`."""

    demonstrations: str | None = None
    """HDF5 file of demonstrations, made by scripts/collect_demos.py. Needed for training."""

    num_demonstrations: Annotated[int, Ge(1)] | None = None
    """Use only the first so many demonstrations; None uses all."""

    corrections: str | None = None
    """HDF5 file of demonstrations that were recorded with ``--disturbance``. The policy clones what was intended in
    them, too; nothing else is learned from them."""

    start: str | None = None
    """Checkpoint of ``cohoff offline``, or its folder, whose policy the actor starts as. Files of methods with an actor
    fit, for agents that can take it up: csil, csil2023, xqc and rlpd."""

    base: str | None = None
    """Checkpoint of the frozen base policy: a file of scripts/pretrain.py or the folder of a pi-0.5 checkpoint. Or only
    its kind, ``flow`` or ``pi05``. Needed where the combination uses it."""

    base_checkpoint: str | None = None
    """The file or folder where ``base`` is a kind."""

    base_device: str | None = None
    """Device of the base policy; None is the learner's."""

    encoder: str | None = None
    """File of scripts/pretrain.py whose encoder makes the observation group ``vision``; None takes it from ``base``."""

    replan_interval: Annotated[int, Ge(1)] = 10
    """Control steps between two plans of the base policy."""

    batch_size: Annotated[int, Ge(2)] = 256
    """Transitions per update."""

    demonstration_share: Annotated[float, Gt(0), Lt(1)] = 0.5
    """Share of the batch drawn from the demonstrations, at the start."""

    final_demonstration_share: Annotated[float, Gt(0), Lt(1)] | None = None
    """At the last iteration; linear in between, in nine sizes. None keeps ``demonstration_share``."""

    update_to_data: Annotated[float, Ge(0)] = 0.125
    """Critic updates per environment step (ours), whatever the number of environments: 64 an iteration of 8 control
    steps in 64 environments. In N processes, per environment step of one of them."""

    policy_delay: Annotated[int, Ge(1)] = 3
    """Critic updates per actor update."""

    replay_rows: Annotated[int, Ge(1)] = 224_000
    """Transitions that the replay buffer holds, of all training environments together (ours): 4,000 control steps of
    each of 56, which are those of 64 environments. In N processes, of each."""

    n_step: Annotated[int, Ge(1)] = 1
    """Steps of reward before the bootstrap (ours: larger for few updates)."""

    discount: Annotated[float, Gt(0), Lt(1)] | None = None
    """Discount of a control step; None takes it from ``effective_horizon``."""

    effective_horizon: Annotated[float, Gt(1)] = 4.0
    """1/(1 - discount) in mean lengths of a demonstration (ours): a learner that looks less far ahead than a
    demonstration lasts does not see what finishing is worth."""

    learning_rate: Annotated[float, Gt(0)] = 3e-4
    """Of all optimizers of the learner, at the start."""

    final_learning_rate: Annotated[float, Ge(0)] = 3e-5
    """At the last iteration; linear in between."""

    actor_learning_rate_share: Annotated[float, Gt(0)] = 0.3
    """Learning rate of the optimizer ``actor`` as a share of ``learning_rate`` (ours): at the critic's rate, a good
    policy moves far within its first twenty steps, when the critic knows least."""

    learning_starts: Annotated[int, Ge(0)] = 2_000
    """Environment steps before the first update."""

    actor_start_steps: Annotated[int, Ge(0)] = 0
    """Environment steps before the actor moves; ``actor_start_episodes`` has to be reached, too."""

    actor_start_episodes: Annotated[int, Ge(0)] = 1
    """Episodes that every training environment ends before the actor moves (ours): failures are the last to end, and a
    critic that has seen none takes every action for a good one."""

    time_limit: Annotated[float, Ge(1)] | None = 2.0
    """Longest episode in mean lengths of a demonstration, if the task's limit is longer; None keeps the task's (ours):
    what takes longer is mostly lost, and fills the replay buffer with states that teach nothing. Evaluations by
    ``cohoff evaluate`` have the task's limit."""

    base_collection_std: Annotated[float, Ge(0)] | None = None
    """Until the actor moves, training environments execute the base action plus normal noise of this standard
    deviation, and only the critic learns. None lets the policy act from the start."""

    best_of: Annotated[int, Ge(1)] = 1
    """Samples of base noise and of the action from which the critic chooses in training; 1 takes what comes."""

    evaluation_share: Annotated[float, Ge(0), Lt(1)] = 0.125
    """Share of the environments that act with the mean policy and are never stored."""

    capture: bool | None = None
    """Capture one update as a CUDA graph and replay it. None is on for CUDA and off elsewhere."""


@configclass
class OffPolicyRunnerCfg(CheckedSettings, RslRlBaseRunnerCfg, section="agent"):
    """Runner settings of the off-policy algorithms under rsl_rl."""

    class_name: str = "OnPolicyRunner"
    """rsl_rl's stock runner drives the algorithm."""

    seed: Annotated[int, Ge(-1), Le(2**32 - 1)] = 42
    """Of everything that draws; -1 draws one, which is recorded."""

    num_steps_per_env: Annotated[int, Ge(1)] = 8
    """Control steps per iteration."""

    max_iterations: Annotated[int, Ge(1)] = 300
    """Iterations of a run."""

    wandb_project: str = "cohoff"
    """Project of ``--logger wandb``."""

    save_interval: Annotated[int, Ge(1)] = 50
    """Iterations between checkpoints."""

    init_at_random_ep_len: bool = False
    """Episodes keep their full length: a shortened first episode would count as a failure."""

    check_for_nan: bool = False
    """The environment's non-finite guard does this without a host synchronization."""

    clip_actions: Annotated[float, Gt(0), Le(1)] | None = 1.0
    """Bound of every action component."""

    obs_groups: dict[str, list[str]] = {"actor": ["policy"], "critic": ["policy"]}
    """Observation groups of actor and critic."""

    device: str = "cuda:0" if torch.cuda.is_available() else "cpu"
    """Where the learner runs: the first GPU if there is one."""
