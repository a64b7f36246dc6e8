# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstration files to test with, written by Isaac Lab's own handler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import torch
from isaaclab.utils.datasets import EpisodeData, HDF5DatasetFileHandler

TASK = "Cohoff-Square-Franka"


def write_file(
    path: Path,
    lengths: Sequence[int] = (3, 5),
    task: str = TASK,
    obs_dim: int = 4,
    action_dim: int = 2,
    success: bool = True,
    seed: int = 0,
    edit: Callable[[int, dict[str, Any]], None] | None = None,
) -> Path:
    """Write episodes whose observation is (episode, step, ...) and whose action is step / 100."""
    handler = HDF5DatasetFileHandler()
    handler.create(str(path), env_name=task)
    for index, length in enumerate(lengths):
        obs = torch.zeros(length, obs_dim)
        obs[:, 0], obs[:, 1] = index, torch.arange(length)
        next_obs = obs.clone()
        next_obs[:, 1] += 1
        actions = (torch.arange(length) / 100).unsqueeze(1).expand(-1, action_dim).clone()
        episode = EpisodeData()
        episode.data = {"obs": {"policy": obs}, "next_obs": {"policy": next_obs}, "actions": actions}
        if edit is not None:
            edit(index, episode.data)
        episode.success, episode.seed = success, seed
        handler.write_episode(episode)
    handler.close()
    with h5py.File(path, "a") as file:
        file["data"].attrs.update({"task": task, "seed": seed, "noise": 0.05, "versions": "{}"})
    return path


def add_pictures(index: int, data: dict[str, Any]) -> None:
    """One camera whose pixels tell episode and step."""
    length = len(data["actions"])
    values = torch.full((length, 1, 1, 3), 100 * index) + torch.arange(length)[:, None, None, None]
    data["obs"]["images"] = {"wrist": values.expand(-1, 4, 6, -1).to(torch.uint8)}
