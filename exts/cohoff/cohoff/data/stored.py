# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Observations of demonstrations that stay in their file, because all of them, mostly images, would fill the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import h5py
import numpy as np
import torch
from tensordict import TensorDict

from cohoff.data.demonstrations import Demonstrations
from cohoff.data.episode_file import CURE, local_dataset, open_file
from cohoff.errors import InputError
from cohoff.files import reading

RECORD = "record a task that has it with scripts/collect_demos.py (images: a task named -Camera-)"
"""What to do about observations that were not recorded."""


@contextmanager
def stored_observations(demos: Demonstrations, names: Sequence[str]) -> Iterator[Callable[[int], TensorDict]]:
    """Open the file of E demonstrations for the observations ``names``, each a group or an entry, ``group/entry``.

    Without names the file is not opened. Demonstrations that are not from a file have no observations here.

    Yields:
        Function that reads what was observed before a step, of every demonstration, [E, ...] on the demonstrations'
        device; of those that have ended by then, before their last step.

    Raises:
        InputError: A demonstration lacks an observation, or its shape is not that of the others.
    """
    device, count = demos.lengths.device, demos.num_episodes
    if demos.file is None or not names:
        yield lambda step: TensorDict({}, batch_size=[count])
        return
    with open_file(demos.file) as file:
        with reading(demos.file, CURE):
            found = {name: _find(file, demos, name) for name in names}

        def read(step: int) -> TensorDict:
            with reading(str(demos.file), CURE):
                rows = {name: np.stack([d[min(step, len(d) - 1)] for d in found[name]]) for name in names}
            tensors = {tuple(name.split("/")): torch.from_numpy(value).to(device) for name, value in rows.items()}
            return TensorDict(tensors, batch_size=[count])

        yield read


@contextmanager
def stored_pictures(
    demos: Demonstrations, group: str, cameras: Sequence[str] | None = None
) -> Iterator[Callable[[int], dict[str, torch.Tensor]]]:
    """Open the file of E demonstrations for pictures.

    Args:
        demos: The demonstrations.
        group: Observation group of the pictures.
        cameras: Entries of the group; None takes those that the first demonstration has.

    Yields:
        Function that reads the pictures of a demonstration, uint8 [T, H, W, 3] on the host, for each camera.

    Raises:
        InputError: A demonstration lacks the pictures of a camera, or their size is not that of the others.
    """
    if demos.file is None:
        raise InputError(f"the demonstrations have no file with {group}; {RECORD}")
    with open_file(demos.file) as file:
        with reading(demos.file, CURE):
            if cameras is None:
                entries = file.get(f"data/{demos.episodes[0]}/obs/{group}")
                cameras = list(entries) if isinstance(entries, h5py.Group) else []
            if not cameras:
                raise InputError(f"{demos.episodes[0]} of {demos.file!r} lacks {group} of cameras; {RECORD}")
            found = {name: _find(file, demos, f"{group}/{name}", "encoder") for name in cameras}
            for name, (first, *_) in found.items():
                if first.ndim != 4 or first.shape[3] != 3 or first.dtype != np.uint8:
                    raise InputError(
                        f"{group}/{name} in {demos.file!r} are {first.dtype} {first.shape}, no pictures [T, H, W, 3] "
                        f"of bytes; {CURE}"
                    )

        def read(episode: int) -> dict[str, torch.Tensor]:
            with reading(str(demos.file), CURE):
                return {name: torch.from_numpy(datasets[episode][:]) for name, datasets in found.items()}

        yield read


@contextmanager
def stored_frames(demos: Demonstrations, names: Sequence[str]) -> Iterator[Callable[[torch.Tensor], TensorDict]]:
    """Open the file of demonstrations of M transitions for the observations ``names``, as :func:`stored_observations`.

    Yields:
        Function that reads what was observed before the transitions of given indices, int64 [B], on the CPU.

    Raises:
        InputError: The demonstrations are not from a file, or as :func:`stored_observations`.
    """
    if demos.file is None:
        raise InputError("these demonstrations are in memory only and have no images; give a file of them")
    episode_of, step_of = demos.episode_of.cpu(), demos.step_of.cpu()
    with open_file(demos.file) as file:
        with reading(demos.file, CURE):
            found = {name: _find(file, demos, name) for name in names}

        def read(rows: torch.Tensor) -> TensorDict:
            places = list(zip(episode_of[rows].tolist(), step_of[rows].tolist(), strict=True))
            with reading(str(demos.file), CURE):
                values = {name: np.stack([d[episode][step] for episode, step in places]) for name, d in found.items()}
            tensors = {tuple(name.split("/")): torch.from_numpy(value) for name, value in values.items()}
            return TensorDict(tensors, batch_size=[len(rows)])

        yield read


def load_pictures(demos: Demonstrations, group: str) -> dict[str, torch.Tensor]:
    """Read all pictures of M transitions into memory, uint8 [M, H, W, 3] for each camera, on the device of ``demos``.

    Raises:
        InputError: As :func:`stored_pictures`.
    """
    with stored_pictures(demos, group) as read:
        episodes = [read(episode) for episode in range(demos.num_episodes)]
    device = demos.lengths.device
    return {name: torch.cat([episode[name] for episode in episodes]).to(device) for name in episodes[0]}


def _find(file: h5py.File, demos: Demonstrations, name: str, reader: str = "base policy") -> list[h5py.Dataset]:
    """The observation ``name`` of every demonstration, each [T, ...], checked for the ``reader``."""
    datasets: list[h5py.Dataset] = []
    for episode, length in zip(demos.episodes, demos.lengths.tolist(), strict=True):
        dataset = local_dataset(cast(h5py.Group, file["data"]), f"{episode}/obs/{name}", repr(demos.file))
        if dataset is None or dataset.dtype.kind not in "fiu":
            raise InputError(
                f"{episode} of {demos.file!r} lacks the observation {name!r}, which the {reader} reads; {RECORD}"
            )
        shape, expected = dataset.shape, (length, *(datasets or [dataset])[0].shape[1:])
        if shape != expected:
            raise InputError(
                f"{episode} of {demos.file!r} has {name!r} of shape {shape}, not {expected} as expected; "
                "record the file again"
            )
        datasets.append(dataset)
    return datasets
