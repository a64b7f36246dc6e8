# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configurations of learning from recorded data alone."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen
from isaaclab.utils import configclass

from cohoff.settings import CheckedSettings


@configclass
class OfflineTrainingCfg(CheckedSettings, section="training"):
    """The loop that all methods share."""

    sampler: Literal["uniform", "success", "return", "bins", "curriculum"] = "uniform"
    """Which episodes batches are drawn from: all alike, successes only, more often with a higher return (ReD), by bins
    of the return (CWBC), or near ones first (COIL)."""

    stages: Annotated[int, Ge(1)] = 50
    """Selections of the curriculum."""

    stage_episodes: Annotated[int, Ge(1)] = 2
    """Episodes of each."""

    updates: Annotated[int, Ge(1)] = 20_000
    """Updates of the critic in the whole training."""

    batch_size: Annotated[int, Ge(2)] = 256
    """Transitions per update."""

    demonstration_share: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of the batch drawn from the successful episodes alone."""

    policy_delay: Annotated[int, Ge(1)] = 2
    """Critic updates per actor update."""

    n_step: Annotated[int, Ge(1)] = 1
    """Steps of reward before the bootstrap."""

    discount: Annotated[float, Gt(0), Lt(1)] | None = None
    """Discount of a control step; None takes it from ``effective_horizon``."""

    effective_horizon: Annotated[float, Gt(1)] = 4.0
    """1/(1 - discount) in mean lengths of a success, or of an episode where there is none."""

    learning_rate: Annotated[float, Gt(0)] = 3e-4
    """Of all optimizers, at the start."""

    final_learning_rate: Annotated[float, Ge(0)] = 3e-5
    """At the last update; linear in between."""

    actor_learning_rate_share: Annotated[float, Gt(0)] = 1.0
    """Learning rate of the actor as a share of ``learning_rate``."""

    save_interval: Annotated[int, Ge(1)] = 5_000
    """Updates between two checkpoints."""


@configclass
class ContinuousCfg(CheckedSettings, section="method"):
    """Choices with continuous actions."""

    backup: Literal["none", "minimum", "expectile", "best_of", "monte_carlo"] = "minimum"
    """Target of the critic: no critic, the lower of two at the actor's action (TD3), an expectile over recorded actions
    (IQL), the best of samples of a clone, or the rewards that followed."""

    anchor: Literal["none", "squared_error", "decayed", "reverse_kl", "advantage", "samples"] = "squared_error"
    """What keeps the policy near the data: nothing, the squared error from the recorded action (TD3+BC), the same with
    a weight that falls, the log density of a clone with several modes, the squared error weighted by advantage (IQL),
    or choosing among samples of the clone, without an actor."""

    data: Literal["recorded", "model", "conditioned"] = "recorded"
    """The recorded transitions; as many of a learned model beside them, with a penalty (MOPO); or the actor also reads
    the rewards that followed and is asked for the highest (RvS)."""

    alpha: Annotated[float, Ge(0)] = 2.5
    """Weight of the critic against the anchor, for values of mean magnitude 1."""

    expectile: Annotated[float, Gt(0), Lt(1)] = 0.7
    """Expectile of the value network."""

    inverse_temperature: Annotated[float, Ge(0)] = 3.0
    """Factor of the advantage, in units of its spread, in the exponent."""

    num_samples: Annotated[int, Ge(1)] = 32
    """Samples K of the clone."""

    decay_start: Annotated[float, Ge(0), Lt(1)] = 0.8
    """Share of the updates after which the critic rests and a decaying anchor falls."""

    final_anchor_share: Annotated[float, Gt(0), Le(1)] = 0.2
    """Weight of a decaying anchor at the end."""

    clone_steps: Annotated[int, Ge(1)] = 5_000
    """Optimizer steps of the clone, where one is used."""

    dynamics_steps: Annotated[int, Ge(1)] = 10_000
    """Optimizer steps of the model, where one is used."""

    rollout_steps: Annotated[int, Ge(1)] = 5
    """Steps of a rollout in the model."""

    penalty: Annotated[float, Ge(0)] = 0.01
    """Reward that an uncertainty of 1 costs (ours: small, as a success is worth 1)."""

    hidden_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (256, 256)
    """Widths of the hidden layers of all networks."""

    num_members: Annotated[int, Ge(1)] = 2
    """Critics; the lowest of them counts."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.005
    """Share of the online networks that moves into the targets at each update."""


@configclass
class CodesCfg(CheckedSettings, section="method"):
    """Choices with learned codes of actions (SAQ)."""

    backup: Literal["minimum", "expectile"] = "minimum"
    """Target of the critic: the lower of two at the policy's choice, or an expectile over recorded codes (IQL)."""

    anchor: Literal["none", "conservative", "reverse_kl", "advantage"] = "none"
    """What keeps the policy near the data: nothing, a penalty on the values of codes that were not recorded (CQL), a
    divergence from the codes' likelihood in value and policy (BRAC), or in the policy alone, on the advantage (IQL)."""

    num_codes: Annotated[int, Ge(2)] = 64
    """Number of codes."""

    code_steps: Annotated[int, Ge(1)] = 5_000
    """Optimizer steps of the codes."""

    conservatism: Annotated[float, Ge(0)] = 0.02
    """Weight of the penalty (ours: small, as a success is worth 1)."""

    expectile: Annotated[float, Gt(0), Lt(1)] = 0.9
    """Expectile of the value network."""

    inverse_temperature: Annotated[float, Ge(0)] = 10.0
    """Factor of the advantage, in units of its spread."""

    temperature: Annotated[float, Gt(0)] = 0.05
    """Worth of a divergence of 1 nat."""

    hidden_dims: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)] = (256, 256)
    """Widths of the hidden layers of all networks."""

    num_members: Annotated[int, Ge(1)] = 2
    """Critics; the lowest of them counts."""

    target_rate: Annotated[float, Gt(0), Le(1)] = 0.005
    """Share of the online critics that moves into the target at each update."""
