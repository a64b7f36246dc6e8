# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The replay buffer of a run, whose memory is told and checked before it is allocated."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from cohoff.errors import InputError
from cohoff.memory import GB, free_memory
from cohoff.offpolicy.replay_buffer import ReplayBuffer


def replay_bytes(num_steps: int, num_envs: int, state: Mapping[str, Tensor], action_dim: int) -> int:
    """Memory [byte] of a :class:`~cohoff.offpolicy.replay_buffer.ReplayBuffer`, without allocating it."""
    return ReplayBuffer(num_steps, num_envs, {k: v.to("meta") for k, v in state.items()}, action_dim).num_bytes


def allocate_replay(
    rows: int, num_envs: int, window: int, state: Mapping[str, Tensor], action_dim: int, tell: bool = True
) -> ReplayBuffer:
    """A replay buffer for ``rows`` transitions, rounded down to whole control steps of all environments.

    Args:
        rows: Transitions of all environments together.
        num_envs: Environments that fill it.
        window: Control steps that are drawn at a time.
        state: Example of the states of one step.
        action_dim: Size of an action.
        tell: Whether to print a line about its size.

    Raises:
        InputError: It holds less than a window of each environment, or does not fit into the free memory.
    """
    device = next(iter(state.values())).device
    num_steps = rows // num_envs
    if num_steps < window:
        raise InputError(
            f"agent.algorithm.replay_rows={rows} holds {num_steps} control steps of each of {num_envs} training "
            f"environments, and {window} are drawn at a time; set it to {window * num_envs} or more"
        )
    needed, free = replay_bytes(num_steps, num_envs, state, action_dim), free_memory(device)
    size = (
        f"the replay buffer of {num_steps * num_envs:,} transitions, {num_steps:,} control steps of each of "
        f"{num_envs:,} training environments, takes {needed / GB:.2f} GB"
    )
    if needed > free:
        raise InputError(
            f"{size}, but {device} has {free / GB:.2f} GB free; lower agent.algorithm.replay_rows={rows}, "
            f"for half of that to {int(rows * 0.5 * free / needed):d}"
        )
    if tell:
        print(f"[cohoff] {size}, of {free / GB:.1f} GB free", flush=True)
    return ReplayBuffer(num_steps, num_envs, state, action_dim)
