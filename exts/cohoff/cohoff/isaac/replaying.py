# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations replayed from their initial states, with the recorded actions or with disturbed ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from isaaclab.utils.datasets import EpisodeData, HDF5DatasetFileHandler

from cohoff.errors import InputError

from .recording import EpisodeRecorder, before_reset, disturb

if TYPE_CHECKING:
    from .env import ManipulationEnv

GRACE = 20
"""Control steps after the recorded actions in which the robot stands still and a late success still counts."""


def read_episodes(path: str | os.PathLike[str], device: str) -> list[EpisodeData]:
    """Episodes of a file of Isaac Lab's handler, in the order of their numbers."""
    handler = HDF5DatasetFileHandler()
    handler.open(str(path))
    try:
        names = sorted(handler.get_episode_names(), key=lambda name: int(name.removeprefix("demo_")))
        return [cast(EpisodeData, handler.load_episode(name, device)) for name in names]
    finally:
        handler.close()


def check_episodes(env: ManipulationEnv, episodes: Sequence[EpisodeData], name: str) -> None:
    """Check that ``episodes``, from the file ``name``, can be replayed in ``env``.

    Raises:
        InputError: The actions have another size, or the initial state is of another scene.
    """
    size, scene = env.action_manager.total_action_dim, _shapes(env.scene.get_state(is_relative=True))
    for number, episode in enumerate(episodes):
        found = episode.data["actions"].shape[1]
        if found != size:
            raise InputError(f"demo {number} of {name!r} has actions of size {found}, not {size}; of another task?")
        state = _shapes(episode.data["initial_state"])
        if differing := sorted(key for key in scene.keys() | state.keys() if scene.get(key) != state.get(key)):
            raise InputError(
                f"demo {number} of {name!r} starts in another scene, it differs in {', '.join(differing)}; of another "
                "task?"
            )


def _shapes(state: dict[str, Any], prefix: str = "") -> dict[str, torch.Size]:
    """Shape of every tensor of a nested dictionary by its path, without the first dimension."""
    shapes = {}
    for key, value in state.items():
        if isinstance(value, torch.Tensor):
            shapes[prefix + key] = value.shape[1:]
        else:
            shapes |= _shapes(value, f"{prefix}{key}/")
    return shapes


@dataclass(frozen=True)
class Disturbance:
    """Noise on replayed actions, and the way back to the recorded path."""

    std: float
    """Standard deviation of the noise with which the intended actions are executed, in their units."""
    seed: int
    """Seed of the noise."""
    gain: float = 0.3
    """Share of the way back to the recorded path that an intended action covers, the gain of the scripted experts."""


@torch.no_grad()
def replay(
    env: ManipulationEnv,
    episodes: Sequence[EpisodeData],
    progress: Callable[[int, int], None] | None = None,
    disturbance: Disturbance | None = None,
    record: bool = False,
) -> tuple[torch.Tensor, list[EpisodeData]]:
    """Put the environments into the initial states of the episodes and execute the recorded actions.

    Only the state of the scene is recorded. Randomized friction and mass are not, so a replay uses other values.

    With a disturbance, an intended action is the recorded one and a part of the way back, as actions move the goal of
    the hand by steps: what has been executed in excess is taken back. So demonstrations of any origin show how to come
    back to their path.

    Args:
        env: The environment, N copies, in which N episodes at a time are replayed.
        episodes: E episodes with ``actions`` and ``initial_state``, as from :func:`cohoff.isaac.recording.collect`.
        progress: Called with the number of replayed episodes and E.
        disturbance: Of the actions; None replays them as they are.
        record: Whether to return the replays that succeed.

    Returns:
        Whether each episode succeeded, bool, shape [E], and the successful replays in their order.
    """
    n, total = env.num_envs, len(episodes)
    generator = torch.Generator(env.device).manual_seed(disturbance.seed if disturbance else 0)
    rounds, replays = [], []
    for start in range(0, total, n):
        # The last episode fills up the last round.
        chosen = [episodes[min(start + i, total - 1)] for i in range(n)]
        success, recorded = _replay_round(env, chosen, disturbance, generator, record)
        rounds.append(success)
        replays += recorded[: total - start]
        if progress is not None:
            progress(min(start + n, total), total)
    return torch.cat(rounds)[:total], [episode for episode in replays if episode is not None]


def _replay_round(
    env: ManipulationEnv,
    episodes: Sequence[EpisodeData],
    disturbance: Disturbance | None,
    generator: torch.Generator,
    record: bool,
) -> tuple[torch.Tensor, list[EpisodeData | None]]:
    """Success of N episodes, one in each environment, bool, shape [N], and the recorded successes in their places."""
    # As the action terms execute them: a teleoperation may ask for more.
    recorded = [episode.data["actions"].to(env.device).clamp(-1.0, 1.0) for episode in episodes]
    lengths = torch.tensor([len(actions) for actions in recorded], device=env.device)
    actions = torch.nn.utils.rnn.pad_sequence(recorded)
    rows = torch.arange(len(episodes), device=env.device)
    obs, _ = env.reset_to(_join([episode.data["initial_state"] for episode in episodes]), is_relative=True)
    recorder = EpisodeRecorder(env, obs, actions.shape[2]) if record else None
    replays: list[EpisodeData | None] = [None] * len(episodes)
    excess = torch.zeros(len(episodes), actions.shape[2] - 1, device=env.device)
    succeeded = torch.zeros_like(rows, dtype=torch.bool)
    ended = torch.zeros_like(succeeded)
    for step in range(min(len(actions) + GRACE, env.max_episode_length)):
        intended = actions[lengths.sub(1).clamp(max=step), rows]
        # Stand still with the gripper as it was: the last entry of an action is the gripper's.
        intended[:, :-1].masked_fill_((lengths <= step)[:, None], 0.0)
        action = intended
        if disturbance is not None:
            path = intended[:, :-1].clone()
            intended[:, :-1] = (path - disturbance.gain * excess).clamp(-1.0, 1.0)
            action = disturb(intended, disturbance.std, generator)
            excess += action[:, :-1] - path
        next_obs, reward, terminated, truncated, extras = env.step(action)
        dones = terminated | truncated
        won = extras["success"] & ~ended
        if recorder is not None:
            recorder.record(obs, action, intended, before_reset(next_obs, extras, dones), reward, dones)
            for env_id in won.nonzero().squeeze(1).tolist():
                replays[env_id] = recorder.take(env_id, success=True)
            recorder.restart(dones)
        obs = next_obs
        # Steps after an end belong to another episode.
        succeeded |= won
        ended |= dones | (lengths + GRACE <= step + 1)
    return succeeded, replays


def _join(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Nested dictionaries of tensors, joined along the first dimension."""
    return {
        key: torch.cat([state[key] for state in states])
        if isinstance(value, torch.Tensor)
        else _join([state[key] for state in states])
        for key, value in states[0].items()
    }
