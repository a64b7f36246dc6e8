# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations exported as a LeRobotDataset."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cohoff.data.demonstrations import Demonstrations
from cohoff.data.episode_file import CURE, local_dataset, open_file
from cohoff.errors import InputError
from cohoff.files import atomic_folder, reading, write_json

from .lerobot import (
    ACTION,
    FRAME_FEATURES,
    IMAGE,
    INITIAL,
    ORIGIN,
    POLICY,
    STATE,
    SUCCESS,
    Feature,
    feature_name,
    plain_name,
    recorded_path,
    require_pyarrow,
    vector,
)
from .lerobot_v3 import WriterV3
from .lerobot_v21 import WriterV21

WRITERS = {writer.version: writer for writer in (WriterV3, WriterV21)}
"""Layouts that can be written, by their version."""


def stored_overrides(demos: Demonstrations) -> list[str]:
    """Changes of the task's configuration with which a file of demonstrations was recorded."""
    with open_file(str(demos.file)) as file, reading(str(demos.file), CURE):
        return json.loads(file["data"].attrs.get("overrides", "[]"))  # pyright: ignore[reportArgumentType]


def export_dataset(
    demos: Demonstrations,
    output: str | os.PathLike[str],
    instruction: str,
    fps: int,
    state_columns: Sequence[int] | None = None,
    pictures: bool = True,
    version: str = WriterV3.version,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write all that the file of ``demos`` holds of them as a LeRobotDataset into the new folder ``output``.

    Args:
        demos: Demonstrations from a file.
        output: Folder, which must not exist. It appears when it is complete.
        instruction: The task in words.
        fps: Control steps a second.
        state_columns: Entries of the observations ``policy`` that become ``observation.state``, for policies that must
            not see the others; all are kept as ``obs.policy`` then. None takes all.
        pictures: Whether the dataset has pictures, which the file must have then.
        version: Layout, of ``WRITERS``.
        progress: Called with the number of exported demonstrations.

    Raises:
        InputError: The file lacks pictures or holds what a dataset has no place for; ``output`` exists; a column is out
            of range; or pyarrow is not installed.
    """
    require_pyarrow()
    size, columns = demos.obs.shape[1], list(state_columns or ())
    if not all(0 <= column < size for column in columns):
        raise InputError(f"the columns of the state are {columns}; give some of 0 to {size - 1}")
    name = str(demos.file)
    with open_file(name) as file:
        data: Any = file["data"]
        with reading(name, CURE):
            recorded = [_find_features(data[episode], repr(name), pictures) for episode in demos.episodes]
        for episode, found in zip(demos.episodes, recorded, strict=True):
            if found != recorded[0]:
                raise InputError(
                    f"{episode} of {name!r} has other data than {demos.episodes[0]}; record the file again"
                )
        features = {feature_name(path): feature for path, feature in recorded[0].items()}
        features[SUCCESS] = Feature("bool", (1,))
        if columns:
            features[plain_name(POLICY)] = state = features[STATE]
            features[STATE] = vector(state.dtype, len(columns))
        make = WRITERS[version]
        with atomic_folder(output) as folder, closing(make(folder, features, instruction, fps)) as writer:
            for number, episode in enumerate(demos.episodes):
                with reading(name, CURE):
                    values = {feature_name(path): _frames(data[episode], path) for path in recorded[0]}
                values[SUCCESS] = np.arange(len(values[ACTION])) == len(values[ACTION]) - 1
                if columns:
                    values[plain_name(POLICY)] = values[STATE]
                    values[STATE] = values[STATE][:, columns]
                writer.add(values)
                if progress is not None:
                    progress(number + 1)
            writer.finish()
            kept = {key: value for key, value in data.attrs.items() if key not in ("env_args", "total")}
            write_json(folder / ORIGIN, {k: v.item() if isinstance(v, np.generic) else v for k, v in kept.items()})


def _find_features(episode: Any, name: str, pictures: bool) -> dict[str, Feature]:
    """What a frame of an episode has at each path."""
    name = f"{Path(str(episode.name)).name} of {name}"
    length = len(episode["actions"])
    features: dict[str, Feature] = {}

    def look(path: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        local_dataset(episode, path, name)
        if (feature := feature_name(path)) in {SUCCESS, *FRAME_FEATURES} or recorded_path(feature) != path:
            raise InputError(f"{name} has {path!r}, a name that does not come back from a LeRobotDataset; rename it")
        numbers = item.dtype.kind in "fiub" and 0 not in item.shape
        if item.dtype == np.uint8 and item.ndim == 4 and item.shape[::3] == (length, 3):
            if pictures:
                features[path] = Feature(IMAGE, item.shape[1:], ("height", "width", "channels"))
        elif numbers and path.startswith(INITIAL) and item.ndim == 2 and len(item) == 1:
            features[path] = Feature(item.dtype.name, item.shape[1:])
        elif numbers and item.shape == (length,):
            features[path] = Feature(item.dtype.name, (1,))
        elif numbers and item.ndim == 2 and len(item) == length:
            features[path] = vector(item.dtype.name, item.shape[1])
        else:
            raise InputError(f"{name} has {path!r} of shape {item.shape}, for which a LeRobotDataset has no place")

    episode.visititems(look)
    if pictures and not any(feature.dtype == IMAGE for feature in features.values()):
        raise InputError(
            f"{name} has no pictures; record a task named -Camera- with scripts/collect_demos.py, or export the states "
            "alone with --no_pictures"
        )
    return features


def _frames(episode: Any, path: str) -> np.ndarray:
    """What an episode of T steps has at ``path``, [T, ...]; one row for all steps is repeated."""
    rows = episode[path][:]
    return np.repeat(rows, len(episode["actions"]), axis=0) if path.startswith(INITIAL) else rows
