# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations: HDF5 files in, flat tensors out."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from cohoff.errors import InputError
from cohoff.files import atomic_path

_OBS, _NEXT_OBS, _ACTIONS = "obs/policy", "next_obs/policy", "actions"


@dataclass
class Demonstrations:
    """Successful episodes, laid end to end: transition ``starts[e] + t`` is step ``t`` of episode ``e``.

    The last transition of each episode is the one that ended in success.
    """

    obs: torch.Tensor
    """Observations before each action, float32, shape [M, D]."""
    actions: torch.Tensor
    """Executed actions, execution noise included, in [-1, 1], float32, shape [M, A]."""
    next_obs: torch.Tensor
    """Observations after each action and before any reset, float32, shape [M, D]."""
    lengths: torch.Tensor
    """Number of transitions of each episode, int64, shape [E]."""
    task: str
    """Id of the task that was demonstrated."""
    file: str | None = None
    """File that also holds the other observations; None where there is none."""
    episodes: tuple[str, ...] = ()
    """Name of each episode in the file."""
    starts: torch.Tensor = field(init=False)
    """Index of the first transition of each episode, int64, shape [E]."""
    episode_of: torch.Tensor = field(init=False)
    """Episode of each transition, int64, shape [M]."""
    step_of: torch.Tensor = field(init=False)
    """Step of each transition within its episode, int64, shape [M]."""

    def __post_init__(self) -> None:
        device = self.lengths.device
        self.starts = self.lengths.cumsum(0) - self.lengths
        self.episode_of = torch.arange(self.num_episodes, device=device).repeat_interleave(self.lengths)
        self.step_of = torch.arange(len(self.episode_of), device=device) - self.starts[self.episode_of]

    @property
    def num_episodes(self) -> int:
        """Number of episodes E."""
        return len(self.lengths)

    @property
    def num_transitions(self) -> int:
        """Number of transitions M."""
        return len(self.obs)

    def subset(self, episode_ids: Sequence[int] | torch.Tensor) -> Demonstrations:
        """The given episodes, in the given order, as new contiguous tensors."""
        ids = torch.as_tensor(episode_ids, dtype=torch.long, device=self.lengths.device)
        lengths = self.lengths[ids]
        offsets = self.starts[ids] - (lengths.cumsum(0) - lengths)
        rows = offsets.repeat_interleave(lengths) + torch.arange(int(lengths.sum()), device=ids.device)
        episodes = tuple(self.episodes[i] for i in ids.tolist()) if self.episodes else ()
        return Demonstrations(
            self.obs[rows], self.actions[rows], self.next_obs[rows], lengths, self.task, self.file, episodes
        )


def load_demonstrations(
    path: str | os.PathLike[str],
    task: str | None = None,
    obs_dim: int | None = None,
    action_dim: int | None = None,
    device: str | torch.device = "cpu",
    limit: int | None = None,
) -> Demonstrations:
    """Read demonstrations written by ``scripts/collect_demos.py`` (Isaac Lab's ``HDF5DatasetFileHandler`` layout).

    Args:
        path: HDF5 file.
        task: Task id that the file must be of; None accepts any.
        obs_dim: Required size D of an observation of the group ``policy``; None accepts any.
        action_dim: Required size A of an action; None accepts any.
        device: Where the tensors go.
        limit: Read the first ``limit`` episodes only; None reads all.

    Raises:
        InputError: The file is missing, truncated, foreign, empty, of another task, of other sizes, holds fewer episodes than
            ``limit``, or holds non-finite values, actions outside [-1, 1] or episodes that did not succeed.
    """
    name = repr(str(path))
    if limit is not None and limit < 1:
        raise InputError(f"the number of demonstrations must be at least 1, got {limit}")
    with open_file(path) as file:
        try:
            data, file_task = _check_header(file, name)
            if task is not None and file_task != task:
                raise InputError(
                    f"{name} holds demonstrations of task {file_task!r}, not {task!r}; give a file of {task!r}"
                )
            demos = _demo_names(data)
            if not demos:
                raise InputError(f"{name} holds no demonstrations; record some with scripts/collect_demos.py")
            if limit is not None and len(demos) < limit:
                raise InputError(
                    f"{limit} demonstrations were asked for, but {name} holds {len(demos)}; record more or ask for fewer"
                )
            episodes = [_read_episode(data[demo], f"{demo} of {name}") for demo in demos[:limit]]
        except OSError as error:
            raise InputError(f"{name} is damaged ({error}); record it again with scripts/collect_demos.py") from error
    for demo, (demo_obs, demo_actions, _) in zip(demos[:limit], episodes, strict=True):
        _check_size("observation", demo_obs.shape[1], obs_dim or episodes[0][0].shape[1], f"{demo} of {name}")
        _check_size("action", demo_actions.shape[1], action_dim or episodes[0][1].shape[1], f"{demo} of {name}")
    obs, actions, next_obs = (np.concatenate(parts) for parts in zip(*episodes, strict=True))
    return Demonstrations(
        obs=torch.from_numpy(obs).to(device),
        actions=torch.from_numpy(actions).to(device),
        next_obs=torch.from_numpy(next_obs).to(device),
        lengths=torch.tensor([len(episode[0]) for episode in episodes], device=device),
        task=file_task,
        file=str(Path(path).absolute()),
        episodes=tuple(demos[:limit]),
    )


def merge_demonstrations(paths: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str]) -> int:
    """Write the demonstrations of several files of one task into ``output``, in the order of ``paths``; return their number.

    The attributes of the first file are kept, except ``seed``, which becomes the list of all seeds.

    Raises:
        InputError: A file cannot be read, or the files are not all of the same task.
    """
    with atomic_path(output) as temporary, h5py.File(temporary, "w") as merged:
        group = merged.create_group("data")
        seeds: list[int] = []
        total = count = 0
        for path in paths:
            with open_file(path) as file:
                data, task = _check_header(file, repr(str(path)))
                if count == 0:
                    merged.attrs.update(file.attrs)
                    group.attrs.update(data.attrs)
                elif task != group.attrs["task"]:
                    raise InputError(
                        f"{str(path)!r} is of task {task!r}, {str(paths[0])!r} of {group.attrs['task']!r}; merge one task"
                    )
                for demo in _demo_names(data):
                    file.copy(data[demo], group, name=f"demo_{count}")
                    total += int(_attributes(data[demo])["num_samples"])
                    count += 1
                seeds += np.atleast_1d(_attributes(data)["seed"]).tolist()
        group.attrs["total"] = total
        group.attrs["seed"] = seeds
    return count


def open_file(path: str | os.PathLike[str]) -> h5py.File:
    """Open a demonstration file to read.

    Raises:
        InputError: It is missing, or no HDF5 file, or truncated.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"demonstration file {str(path)!r} does not exist; record one with scripts/collect_demos.py --output {path}"
        )
    if not h5py.is_hdf5(path):
        raise InputError(f"{str(path)!r} is not an HDF5 file; give a file written by scripts/collect_demos.py")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be opened ({error}); record it again with scripts/collect_demos.py"
        ) from error


def _check_header(file: h5py.File, name: str) -> tuple[h5py.Group, str]:
    """The group ``/data`` and the task id."""
    data = file.get("data")
    if not isinstance(data, h5py.Group) or "env_args" not in data.attrs or "task" not in data.attrs:
        raise InputError(
            f"{name} was not written by cohoff (no /data with env_args and task); use scripts/collect_demos.py"
        )
    attributes = _attributes(data)
    task = str(attributes["task"])
    if json.loads(attributes["env_args"]).get("env_name") != task:
        raise InputError(f"{name} contradicts itself about its task; record it again with scripts/collect_demos.py")
    return data, task


def _attributes(item: Any) -> dict[str, Any]:
    return dict(item.attrs)


def _demo_names(data: h5py.Group) -> list[str]:
    """Names of the demonstrations, in the order of their numbers."""
    names = [str(name) for name in data]
    for name in names:
        if not name.removeprefix("demo_").isdecimal():
            raise InputError(f"/data/{name} in {data.file.filename!r} is not a demonstration (demo_0, demo_1, ...)")
    return sorted(names, key=lambda name: int(name.removeprefix("demo_")))


def _read_episode(group: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations [T, D], actions [T, A] and next observations [T, D] of one episode, checked."""
    if not group.attrs.get("success", False):
        raise InputError(f"{name} is not marked as a success; only successful episodes can be learned from")
    obs, actions, next_obs = (_read_array(group, key, name) for key in (_OBS, _ACTIONS, _NEXT_OBS))
    if not len(obs) == len(actions) == len(next_obs) or obs.shape[1] != next_obs.shape[1] or len(actions) == 0:
        raise InputError(
            f"{name} is inconsistent: obs {obs.shape}, actions {actions.shape}, next_obs {next_obs.shape}; record the file again"
        )
    if np.abs(actions).max() > 1.0 + 1e-4:
        raise InputError(
            f"{name} holds actions up to {np.abs(actions).max():.3g}; executed actions must lie in [-1, 1]"
        )
    return obs, actions, next_obs


def _read_array(group: h5py.Group, key: str, name: str) -> np.ndarray:
    dataset = group.get(key)
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 2:
        raise InputError(f"{name} has no two-dimensional {key!r}; record the file again with scripts/collect_demos.py")
    array = dataset[:].astype(np.float32)
    if not np.isfinite(array).all():
        raise InputError(
            f"{name} holds non-finite values in {key!r}; remove that demonstration or record the file again"
        )
    return array


def _check_size(what: str, size: int, expected: int, name: str) -> None:
    if size != expected:
        raise InputError(
            f"{name} has {what}s of size {size}, not {expected} as expected; record the file again for this task"
        )
