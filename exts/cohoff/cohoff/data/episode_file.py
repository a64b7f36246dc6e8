# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Reading files of recorded episodes (Isaac Lab's ``HDF5DatasetFileHandler`` layout), with everything checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cohoff.errors import InputError
from cohoff.files import reading

CURE = "record it again with scripts/collect_demos.py"
"""What to do about a damaged file."""

SPARSE = 1_000
"""A dataset may be so many times larger than what it takes in the file; compression stays below."""

DIMENSIONS = {1: "one-dimensional", 2: "two-dimensional"}


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


def check_header(file: h5py.File, name: str, groups: Iterable[str]) -> tuple[h5py.Group, str]:
    """The group ``/data`` and the task id.

    Raises:
        InputError: Another program wrote the file; what is missing of the observation ``groups`` is named.
    """
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
    demos = episode_names(data)
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


def episode_names(data: h5py.Group) -> list[str]:
    """Names of the demonstrations in the group ``/data``, in the order of their numbers.

    Raises:
        InputError: It holds something else.
    """
    names = [str(name) for name in data]
    for name in names:
        if not name.removeprefix("demo_").isdecimal():
            raise InputError(f"/data/{name} in {data.file.filename!r} is not a demonstration (demo_0, demo_1, ...)")
    return sorted(names, key=lambda name: int(name.removeprefix("demo_")))


def read_arrays(group: Any, names: Iterable[str], name: str) -> dict[str, np.ndarray]:
    """Actions [T, A] and the observation groups ``names`` [T, D] before and after each of them, checked.

    Also ``intended_actions`` [T, A], which are the executed ones where none were recorded.
    """
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


def read_array(group: h5py.Group, key: str, name: str, ndim: int = 2) -> np.ndarray:
    """The values ``key`` of the demonstration ``name`` with ``ndim`` dimensions, float32.

    Raises:
        InputError: They are missing, no numbers of so many dimensions, or not finite.
    """
    dataset = local_dataset(group, key, name)
    if dataset is None or dataset.ndim != ndim or dataset.dtype.kind not in "fiu":
        raise InputError(f"{name} has no {DIMENSIONS[ndim]} {key!r} of numbers{_beside(group, key)}; {CURE}")
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


def succeeded(group: Any, name: str) -> bool:
    """Whether an episode is marked as a success.

    Raises:
        InputError: It is marked neither as a success nor as a failure.
    """
    success = group.attrs.get("success")
    if not isinstance(success, bool | np.bool_ | np.integer):
        raise InputError(f"{name} is not marked as a success or a failure; {CURE}")
    return bool(success)


def check_sizes(episodes: Sequence[Mapping[str, np.ndarray]], expected: Mapping[str, int | None], names: Sequence[str]):
    """Raise InputError unless the arrays ``expected`` have their size in all episodes; None is that of the first."""
    for key, size in expected.items():
        for name, episode in zip(names, episodes, strict=True):
            _check_size(key, episode[key].shape[1], size or episodes[0][key].shape[1], name)


def _check_size(key: str, size: int, expected: int, name: str) -> None:
    if size != expected:
        raise InputError(
            f"{name} has {key!r} of size {size}, not {expected} as expected; record the file again for this task"
        )
