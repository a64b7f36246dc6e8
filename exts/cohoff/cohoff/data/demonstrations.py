# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations: HDF5 files in, flat tensors out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from cohoff.errors import InputError
from cohoff.files import reading

CURE = "record it again with scripts/collect_demos.py"
"""What to do about a damaged file."""

SPARSE = 1_000
"""A dataset may be so many times larger than what it takes in the file; compression stays below."""

POLICY = "policy"
"""Observation group of the whole state, which is read unless others are named."""


@dataclass
class Demonstrations:
    """Successful episodes, laid end to end: transition ``starts[e] + t`` is step ``t`` of episode ``e``.

    The last transition of each episode is the one that ended in success.
    """

    observations: dict[str, torch.Tensor]
    """Observation groups before each action, float32, shape [M, D] each."""
    actions: torch.Tensor
    """Executed actions, execution noise included, in [-1, 1], float32, shape [M, A]."""
    intended: torch.Tensor
    """Actions as they would have been without a disturbance; the executed ones where none was recorded, [M, A]."""
    next_observations: dict[str, torch.Tensor]
    """The same groups after each action and before any reset."""
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
    def obs(self) -> torch.Tensor:
        """The group ``policy`` before each action, shape [M, D]."""
        return self.observations[POLICY]

    @property
    def next_obs(self) -> torch.Tensor:
        """The group ``policy`` after each action, shape [M, D]."""
        return self.next_observations[POLICY]

    @property
    def num_episodes(self) -> int:
        """Number of episodes E."""
        return len(self.lengths)

    @property
    def num_transitions(self) -> int:
        """Number of transitions M."""
        return len(self.actions)

    def fingerprint(self) -> str:
        """Short hash of actions and lengths: the same for the same demonstrations, wherever their file is."""
        digest = hashlib.sha256()
        for value in (self.lengths, self.actions):
            digest.update(value.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def subset(self, episode_ids: Sequence[int] | torch.Tensor) -> Demonstrations:
        """The given episodes, in the given order, as new contiguous tensors."""
        ids = torch.as_tensor(episode_ids, dtype=torch.long, device=self.lengths.device)
        lengths = self.lengths[ids]
        offsets = self.starts[ids] - (lengths.cumsum(0) - lengths)
        rows = offsets.repeat_interleave(lengths) + torch.arange(int(lengths.sum()), device=ids.device)
        episodes = tuple(self.episodes[i] for i in ids.tolist()) if self.episodes else ()
        observations = {name: value[rows] for name, value in self.observations.items()}
        next_observations = {name: value[rows] for name, value in self.next_observations.items()}
        return Demonstrations(
            observations, self.actions[rows], self.intended[rows], next_observations, lengths, self.task, self.file,
            episodes,
        )  # fmt: skip


def load_demonstrations(
    path: str | os.PathLike[str],
    task: str | None = None,
    sizes: Mapping[str, int | None] = {POLICY: None},
    action_dim: int | None = None,
    device: str | torch.device = "cpu",
    limit: int | None = None,
) -> Demonstrations:
    """Read demonstrations written by ``scripts/collect_demos.py`` (Isaac Lab's ``HDF5DatasetFileHandler`` layout).

    Args:
        path: HDF5 file.
        task: Task id that the file must be of; None accepts any.
        sizes: Observation groups to read and the required size D of each; None accepts any size.
        action_dim: Required size A of an action; None accepts any.
        device: Where the tensors go.
        limit: Read the first ``limit`` episodes only; None reads all.

    Raises:
        InputError: The file is missing, truncated, foreign, empty, of another task or other sizes, has fewer episodes
            than ``limit``, or holds non-finite values, actions outside [-1, 1] or episodes that did not succeed.
    """
    name = repr(str(path))
    if limit is not None and limit < 1:
        raise InputError(f"the number of demonstrations must be at least 1, got {limit}")
    with open_file(path) as file, reading(path, CURE):
        data, file_task = _check_header(file, name, sizes)
        if task is not None and file_task != task:
            raise InputError(
                f"{name} holds demonstrations of task {file_task!r}, not {task!r}; give a file of {task!r}"
            )
        demos = demonstration_names(data)
        if not demos:
            raise InputError(f"{name} holds no demonstrations; record some with scripts/collect_demos.py")
        if limit is not None and len(demos) < limit:
            raise InputError(
                f"{limit} demonstrations were asked for, but {name} holds {len(demos)}; record more or ask for less"
            )
        episodes = [_read_episode(data[demo], sizes, f"{demo} of {name}") for demo in demos[:limit]]
    expected = {f"obs/{group}": size for group, size in sizes.items()} | {"actions": action_dim}
    for key, size in expected.items():
        for demo, episode in zip(demos[:limit], episodes, strict=True):
            _check_size(key, episode[key].shape[1], size or episodes[0][key].shape[1], f"{demo} of {name}")
    joined = {key: torch.from_numpy(np.concatenate([e[key] for e in episodes])).to(device) for key in episodes[0]}
    return Demonstrations(
        observations={group: joined[f"obs/{group}"] for group in sizes},
        actions=joined["actions"],
        intended=joined["intended_actions"],
        next_observations={group: joined[f"next_obs/{group}"] for group in sizes},
        lengths=torch.tensor([len(episode["actions"]) for episode in episodes], device=device),
        task=file_task,
        file=str(Path(path).absolute()),
        episodes=tuple(demos[:limit]),
    )


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
    with reading(path, CURE):
        return h5py.File(path, "r")


def _check_header(file: h5py.File, name: str, groups: Iterable[str]) -> tuple[h5py.Group, str]:
    """The group ``/data`` and the task id."""
    data = file.get("data")
    if not isinstance(data, h5py.Group):
        raise InputError(f"{name} was not written by cohoff (no /data); use scripts/collect_demos.py")
    if missing := [key for key in ("env_args", "task") if key not in data.attrs]:
        raise InputError(
            f"{name} was not written by cohoff: /data has no attribute {' and '.join(missing)}{_foreign(data, groups)}"
        )
    attributes = _attributes(data)
    task = str(attributes["task"])
    if json.loads(attributes["env_args"]).get("env_name") != task:
        raise InputError(f"{name} contradicts itself about its task; record it again with scripts/collect_demos.py")
    return data, task


def _foreign(data: h5py.Group, groups: Iterable[str]) -> str:
    """What the first demonstration of another program lacks, and what to do."""
    demos = demonstration_names(data)
    demo: Any = data[demos[0]] if demos else {}
    keys = ["actions", *(f"{when}/{group}" for group in groups for when in ("obs", "next_obs"))]
    lacking = [key for key in keys if local_dataset(demo, key, demos[0]) is None] if demos else []
    listed = f", {demos[0]} no {', '.join(lacking)}{_beside(demo, 'obs/')}" if lacking else ""
    if "initial_state" in demo:
        return f"{listed}; replay it on the task with scripts/replay_demos.py --record FILE"
    return f"{listed}; use scripts/collect_demos.py"


def _beside(group: h5py.Group, key: str) -> str:
    """What there is in the group of a missing ``key``, in words."""
    parent, _, _ = key.rpartition("/")
    found = group.get(parent) if parent else None
    if not isinstance(found, h5py.Group):
        return ""
    return f" (it has {', '.join(f'{parent}/{name}' for name in found) or f'an empty {parent}'})"


def _attributes(item: Any) -> dict[str, Any]:
    return dict(item.attrs)


def demonstration_names(data: h5py.Group) -> list[str]:
    """Names of the demonstrations in the group ``/data``, in the order of their numbers.

    Raises:
        InputError: It holds something else.
    """
    names = [str(name) for name in data]
    for name in names:
        if not name.removeprefix("demo_").isdecimal():
            raise InputError(f"/data/{name} in {data.file.filename!r} is not a demonstration (demo_0, demo_1, ...)")
    return sorted(names, key=lambda name: int(name.removeprefix("demo_")))


def _read_episode(group: Any, names: Iterable[str], name: str) -> dict[str, np.ndarray]:
    """Actions [T, A] and the observation groups ``names`` [T, D] before and after each of them, checked."""
    success = group.attrs.get("success", False)
    if not isinstance(success, bool | np.bool_ | np.integer) or not success:
        raise InputError(f"{name} is not marked as a success; only successful episodes can be learned from")
    keys = ["actions", *(f"{when}/{group_name}" for group_name in names for when in ("obs", "next_obs"))]
    arrays = {key: read_array(group, key, name) for key in keys}
    arrays["intended_actions"] = (
        read_array(group, "intended_actions", name) if "intended_actions" in group else arrays["actions"]
    )
    actions = arrays["actions"]
    shapes = {key: array.shape for key, array in arrays.items()}
    pairs = ((shapes[f"obs/{group_name}"], shapes[f"next_obs/{group_name}"]) for group_name in names)
    same = all(a == b for a, b in (*pairs, (actions.shape, arrays["intended_actions"].shape)))
    if not len(actions) or {len(array) for array in arrays.values()} != {len(actions)} or not same:
        listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
        raise InputError(f"{name} is inconsistent: {listed}; record the file again")
    if np.abs(actions).max() > 1.0 + 1e-4:
        raise InputError(
            f"{name} holds actions up to {np.abs(actions).max():.3g}; executed actions must lie in [-1, 1]"
        )
    return arrays


def read_array(group: h5py.Group, key: str, name: str) -> np.ndarray:
    """The values ``key`` of the demonstration ``name``, float32, shape [T, D].

    Raises:
        InputError: They are missing, not two-dimensional numbers, or not finite.
    """
    dataset = local_dataset(group, key, name)
    if dataset is None or dataset.ndim != 2 or dataset.dtype.kind not in "fiu":
        raise InputError(f"{name} has no two-dimensional {key!r} of numbers{_beside(group, key)}; {CURE}")
    array = dataset[:].astype(np.float32)
    if not np.isfinite(array).all():
        raise InputError(
            f"{name} holds non-finite values in {key!r}; remove that demonstration or record the file again"
        )
    return array


def local_dataset(group: h5py.Group, key: str, name: str) -> h5py.Dataset | None:
    """The dataset ``key`` of a group; None if there is none.

    Raises:
        InputError: It is kept in another file, or is declared much larger than what the file holds of it.
    """
    dataset = group.get(key)
    if not isinstance(dataset, h5py.Dataset):
        return None
    if dataset.is_virtual or dataset.external or dataset.file.filename != group.file.filename:
        raise InputError(f"{name} keeps {key!r} in another file; copy the data into one file")
    if dataset.nbytes > SPARSE * max(dataset.id.get_storage_size(), 1_000):
        raise InputError(f"{name} declares {dataset.nbytes / 2**30:.1f} GiB of {key!r} but does not hold them; {CURE}")
    return dataset


def _check_size(key: str, size: int, expected: int, name: str) -> None:
    if size != expected:
        raise InputError(
            f"{name} has {key!r} of size {size}, not {expected} as expected; record the file again for this task"
        )
