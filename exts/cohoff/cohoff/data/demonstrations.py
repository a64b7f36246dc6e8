# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations: HDF5 files in, flat tensors out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cohoff.data.episode_file import CURE, check_header, check_sizes, episode_names, open_file, read_arrays
from cohoff.data.episodes import POLICY, Episodes
from cohoff.errors import InputError
from cohoff.files import reading


@dataclass
class Demonstrations(Episodes):
    """Successful episodes. The last transition of each is the one that ended in success."""

    def subset(self, episode_ids: Sequence[int] | torch.Tensor) -> Demonstrations:
        """The given episodes, in the given order, as new contiguous tensors."""
        ids = torch.as_tensor(episode_ids, dtype=torch.long, device=self.lengths.device)
        rows = self.rows_of(ids)
        return Demonstrations(
            observations={name: value[rows] for name, value in self.observations.items()},
            actions=self.actions[rows],
            intended=self.intended[rows],
            next_observations={name: value[rows] for name, value in self.next_observations.items()},
            lengths=self.lengths[ids],
            task=self.task,
            file=self.file,
            episodes=tuple(self.episodes[i] for i in ids.tolist()) if self.episodes else (),
        )


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
        data, file_task = check_header(file, name, sizes)
        if task is not None and file_task != task:
            raise InputError(
                f"{name} holds demonstrations of task {file_task!r}, not {task!r}; give a file of {task!r}"
            )
        demos = episode_names(data)
        if not demos:
            raise InputError(f"{name} holds no demonstrations; record some with scripts/collect_demos.py")
        if limit is not None and len(demos) < limit:
            raise InputError(
                f"{limit} demonstrations were asked for, but {name} holds {len(demos)}; record more or ask for less"
            )
        episodes = [_read(data[demo], sizes, f"{demo} of {name}") for demo in demos[:limit]]
    expected = {f"obs/{group}": size for group, size in sizes.items()} | {"actions": action_dim}
    check_sizes(episodes, expected, [f"{demo} of {name}" for demo in demos[:limit]])
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


def _read(group: Any, names: Iterable[str], name: str) -> dict[str, np.ndarray]:
    success = group.attrs.get("success", False)
    if not isinstance(success, bool | np.bool_ | np.integer) or not success:
        raise InputError(f"{name} is not marked as a success; only successful episodes can be learned from")
    return read_arrays(group, names, name)
