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


def _find(file: h5py.File, demos: Demonstrations, name: str) -> list[h5py.Dataset]:
    """The observation ``name`` of every demonstration, each [T, ...], checked."""
    datasets: list[h5py.Dataset] = []
    for episode, length in zip(demos.episodes, demos.lengths.tolist(), strict=True):
        dataset = local_dataset(cast(h5py.Group, file["data"]), f"{episode}/obs/{name}", repr(demos.file))
        if dataset is None or dataset.dtype.kind not in "fiu":
            raise InputError(
                f"{episode} of {demos.file!r} lacks the observation {name!r}, which the base policy reads; "
                "record a task that has it with scripts/collect_demos.py (images: a task named -Camera-)"
            )
        shape, expected = dataset.shape, (length, *(datasets or [dataset])[0].shape[1:])
        if shape != expected:
            raise InputError(
                f"{episode} of {demos.file!r} has {name!r} of shape {shape}, not {expected} as expected; "
                "record the file again"
            )
        datasets.append(dataset)
    return datasets
