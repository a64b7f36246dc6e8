# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Memory of a large replay buffer, and the times of writing to it and of drawing from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cohoff.benchmarks.learner import draw, random_states, write_step
from cohoff.benchmarks.sizes import ACTION_DIM, Sizes
from cohoff.experiments.timing import clock, milliseconds
from cohoff.offpolicy.replay_buffer import ReplayBuffer


def measure_replay(sizes: Sizes, device: str) -> Iterator[dict[str, Any]]:
    """One row: rows, memory, time to write a step of all environments and to draw batches of n-step transitions."""
    num_steps = max(sizes.rows // sizes.replay_envs, 1)
    states = random_states(sizes.replay_envs, device)
    buffer = ReplayBuffer(num_steps, sizes.replay_envs, states, ACTION_DIM)
    start = clock(device)
    for _ in range(num_steps):
        write_step(buffer, states)
    write = 1e3 * (clock(device) - start) / num_steps
    tensors = [*buffer.states.values(), *buffer.transitions.values(), buffer.successor, buffer.end_owner]
    yield {
        "rows": num_steps * sizes.replay_envs,
        "memory_gib": sum(tensor.nbytes for tensor in tensors) / 2**30,
        "num_envs": sizes.replay_envs,
        "write_ms": write,
        **{
            f"draw_{size}_ms": milliseconds(device, lambda n=size: draw(buffer, n), sizes.calls)
            for size in sizes.batches
        },
    }
