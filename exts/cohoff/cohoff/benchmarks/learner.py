# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Time of an update, from the drawn batch to the metrics, with and without a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from cohoff.algorithms.csil.csil import CSIL
from cohoff.benchmarks.sizes import ACTION_DIM, OBS_DIM, Sizes
from cohoff.experiments.timing import milliseconds
from cohoff.offpolicy.batch import FEATURES, Batch, assemble, concatenate
from cohoff.offpolicy.capture import WARM_UP, CapturedCalls, CudaRecorder
from cohoff.offpolicy.learner import Problem
from cohoff.offpolicy.replay_buffer import Fields, ReplayBuffer
from cohoff.offpolicy.report import MetricMeans

POLICY_DELAY = 3
"""Critic updates per actor update."""

N_STEP = 3
"""Steps of reward before the bootstrap."""


def make_learner(device: str, hidden_dims: tuple[int, ...]) -> CSIL:
    """CSIL++ with the tasks' sizes and a critic of these widths; untrained."""
    policy = {"hidden_dim": 256, "code_dim": 12, "num_features": 128, "phase_std": 1.0}
    critic = {"hidden_dims": hidden_dims, "num_atoms": 101, "support": 5.0, "num_members": 2}
    return CSIL(
        Problem(OBS_DIM, OBS_DIM, ACTION_DIM, torch.device(device)),
        combination="ensemble", residual_scale=0.1, reward="coherent", reward_floor=-5.0, margin_share=0.5,
        refinement_learning_rate=0.0, policy=policy, clone={}, critic=critic, target_rate=0.005, beta=0.01,
        exploration_std=0.2, gradient_penalty=0.0, demonstrated_actions=False,
    )  # fmt: skip


def random_states(count: int, device: str) -> Fields:
    """States as the learner stores them."""
    names = ("actor", "base_action", FEATURES + "prior_mean", FEATURES + "prior_std")
    widths = (OBS_DIM, ACTION_DIM, ACTION_DIM, ACTION_DIM)
    return {name: torch.rand(count, width, device=device) + 0.1 for name, width in zip(names, widths, strict=True)}


def write_step(buffer: ReplayBuffer, states: Fields) -> None:
    """Append one step of all environments, in which a hundredth of the episodes ends."""
    count, device = buffer.stride, buffer.device
    done = torch.rand(count, device=device) < 0.01
    action = torch.rand(count, ACTION_DIM, device=device) - 0.5
    buffer.extend(
        states, states, action=action, reward=action[:, 0], success=done, done=done, valid=torch.ones_like(done)
    )


def filled_buffer(num_steps: int, stride: int, device: str) -> ReplayBuffer:
    """A full replay buffer of random experience."""
    states = random_states(stride, device)
    buffer = ReplayBuffer(num_steps, stride, states, ACTION_DIM)
    for _ in range(num_steps):
        write_step(buffer, states)
    return buffer


def draw(buffer: ReplayBuffer, batch_size: int) -> Batch:
    """A batch of n-step transitions."""
    rows, mask = buffer.sample(batch_size, N_STEP)
    return assemble(buffer, rows, mask, buffer.transitions["reward"][rows], 0.99)


def make_update(learner: CSIL, buffer: ReplayBuffer, batch_size: int, captured: bool) -> Callable[[bool], None]:
    """One update of half demonstrations and half experience, both from ``buffer``."""
    means, half = MetricMeans(), batch_size // 2

    def update(with_actor: bool) -> None:
        batch = concatenate(draw(buffer, half), draw(buffer, batch_size - half))
        means.add(learner.update(batch, half, with_actor))

    return CapturedCalls(update, CudaRecorder(learner.problem.device)) if captured else update


def measure_updates(sizes: Sizes, device: str) -> Iterator[dict[str, Any]]:
    """One row for each critic and batch size: time of an update, eager and, on CUDA, captured."""
    buffer = filled_buffer(64, sizes.update_envs, device)
    for name, hidden_dims in sizes.critics.items():
        for batch_size in sizes.batches:
            row: dict[str, Any] = {"critic": name, "batch": batch_size}
            for captured in (False, True)[: 1 + device.startswith("cuda")]:
                update = make_update(make_learner(device, hidden_dims), buffer, batch_size, captured)

                def cycle(update: Callable[[bool], None] = update) -> None:
                    for index in range(POLICY_DELAY):
                        update(index == 0)

                time = milliseconds(device, cycle, sizes.calls, warm_up=WARM_UP + 1) / POLICY_DELAY
                row["captured_ms" if captured else "eager_ms"] = time
            yield row
