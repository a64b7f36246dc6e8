# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations replayed from their initial states, with the recorded actions in open loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from isaaclab.utils.datasets import EpisodeData, HDF5DatasetFileHandler

if TYPE_CHECKING:
    from .env import ManipulationEnv

GRACE = 20
"""Control steps after the recorded actions in which the robot stands still and a late success still counts."""


def read_episodes(path: str | os.PathLike[str], device: str) -> list[EpisodeData]:
    """Episodes of a file of :func:`cohoff.isaac.recording.write_demonstrations`, in the order of their numbers."""
    handler = HDF5DatasetFileHandler()
    handler.open(str(path))
    try:
        names = sorted(handler.get_episode_names(), key=lambda name: int(name.removeprefix("demo_")))
        return [cast(EpisodeData, handler.load_episode(name, device)) for name in names]
    finally:
        handler.close()


@torch.no_grad()
def replay(
    env: ManipulationEnv, episodes: Sequence[EpisodeData], progress: Callable[[int, int], None] | None = None
) -> torch.Tensor:
    """Put the environments into the initial states of the episodes and execute the recorded actions.

    Only the state of the scene is recorded. Randomized friction and mass are not, so a replay uses other values.

    Args:
        env: The environment, N copies, in which N episodes at a time are replayed.
        episodes: E episodes with ``actions`` and ``initial_state``, as from :func:`cohoff.isaac.recording.collect`.
        progress: Called with the number of replayed episodes and E.

    Returns:
        Whether each episode succeeded, bool, shape [E].
    """
    n, total = env.num_envs, len(episodes)
    rounds = []
    for start in range(0, total, n):
        # The last episode fills up the last round.
        rounds.append(_replay_round(env, [episodes[min(start + i, total - 1)] for i in range(n)]))
        if progress is not None:
            progress(min(start + n, total), total)
    return torch.cat(rounds)[:total]


def _replay_round(env: ManipulationEnv, episodes: Sequence[EpisodeData]) -> torch.Tensor:
    """Success of N episodes, one in each environment, bool, shape [N]."""
    recorded = [episode.data["actions"].to(env.device) for episode in episodes]
    lengths = torch.tensor([len(actions) for actions in recorded], device=env.device)
    actions = torch.nn.utils.rnn.pad_sequence(recorded)
    rows = torch.arange(len(episodes), device=env.device)
    env.reset_to(_join([episode.data["initial_state"] for episode in episodes]), is_relative=True)
    succeeded = torch.zeros_like(rows, dtype=torch.bool)
    ended = torch.zeros_like(succeeded)
    for step in range(len(actions) + GRACE):
        action = actions[lengths.sub(1).clamp(max=step), rows]
        # Stand still with the gripper as it was: the last entry of an action is the gripper's.
        action[:, :-1].masked_fill_((lengths <= step)[:, None], 0.0)
        _, _, terminated, truncated, extras = env.step(action)
        # Steps after an end belong to another episode.
        succeeded |= extras["success"] & ~ended
        ended |= terminated | truncated | (lengths + GRACE <= step + 1)
    return succeeded


def _join(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Nested dictionaries of tensors, joined along the first dimension."""
    return {
        key: torch.cat([state[key] for state in states])
        if isinstance(value, torch.Tensor)
        else _join([state[key] for state in states])
        for key, value in states[0].items()
    }
