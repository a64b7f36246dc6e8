# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A LeRobotDataset read as demonstrations."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cohoff.errors import InputError
from cohoff.files import reading

from .lerobot import (
    ACTION,
    FRAME_FEATURES,
    IMAGE,
    INFO,
    INITIAL,
    ORIGIN,
    POLICY,
    STATE,
    SUCCESS,
    VERSION,
    Feature,
    plain_name,
    recorded_path,
    require_pyarrow,
)

CURE = "export or download it again"
"""What to do about a damaged dataset."""


@dataclass(frozen=True)
class LeRobotDataset:
    """A dataset whose description has been read and checked."""

    folder: Path
    """Where it is."""
    features: dict[str, Feature]
    """What it has of every frame."""
    num_episodes: int
    """Number of episodes."""
    num_frames: int
    """Number of frames of all episodes."""
    origin: dict[str, Any]
    """Attributes of the file of demonstrations that it was exported from; empty if lerobot wrote it."""

    def episodes(self) -> Iterator[dict[str, Any] | None]:
        """Read the episodes one by one, nested as in a file of demonstrations; None for those without success.

        Where a dataset has no observations after an action, they are those of the next frame. On the last frame its own
        stand in: no value follows from them, as the episode has ended.

        Raises:
            InputError: Files are damaged, or frames are missing.
        """
        from pyarrow import dataset

        names = {name: path for name in self.features if (path := self._path(name)) is not None}
        frames = 0
        with reading(self.folder, CURE):
            table = dataset.dataset(self.folder / "data", format="parquet")
        for number in range(self.num_episodes):
            with reading(self.folder, CURE):
                rows = table.to_table(
                    columns=[*names, "frame_index"], filter=dataset.field("episode_index") == number
                ).sort_by("frame_index")
                if not len(rows) or rows["frame_index"].to_pylist() != list(range(len(rows))):
                    raise InputError(f"episode {number} of {str(self.folder)!r} lacks frames; {CURE}")
                frames += len(rows)
                values = {path: self._read(rows[name], name) for name, path in names.items()}
                episode = _complete(values) if values.pop(SUCCESS)[-1] else None
            yield episode
        if frames != self.num_frames:
            raise InputError(f"{str(self.folder)!r} holds {frames} of {self.num_frames} frames; {CURE}")

    def _path(self, name: str) -> str | None:
        """Where a feature belongs in a file of demonstrations; None if nowhere."""
        if name in FRAME_FEATURES or (name == STATE and plain_name(POLICY) in self.features):
            return None
        return name if name == SUCCESS else recorded_path(name)

    def _read(self, column: Any, name: str) -> np.ndarray:
        """A column of T rows, [T, ...]; of the initial state the first row, [1, ...]."""
        feature = self.features[name]
        column = column.combine_chunks()
        if feature.dtype == IMAGE:
            return np.stack([_picture(row["bytes"].as_py(), feature.shape) for row in column])
        if feature.shape != (1,):
            column = column.flatten()
        values = column.to_numpy(zero_copy_only=False).astype(feature.dtype, copy=False)
        values = values.reshape(-1) if feature.is_number else values.reshape(-1, *feature.shape)
        return values[:1].reshape(1, -1) if recorded_path(name).startswith(INITIAL) else values


def open_dataset(folder: str | os.PathLike[str], task: str) -> LeRobotDataset:
    """Open a LeRobotDataset v3 that was recorded on ``task``.

    Raises:
        InputError: It is missing, damaged, of another version or task, has videos, or lacks what a demonstration needs;
            or pyarrow is not installed.
    """
    require_pyarrow()
    folder, name = Path(folder), repr(str(folder))
    if not (folder / INFO).is_file():
        raise InputError(f"{name} is no LeRobot dataset (no {INFO}); give the folder of one")
    with reading(folder, CURE):
        info = json.loads((folder / INFO).read_text(encoding="utf-8"))
        version = info["codebase_version"]
        if version != VERSION:
            raise InputError(
                f"{name} is a LeRobot dataset of version {version!r}, not {VERSION!r}; convert it with lerobot"
            )
        features = {
            key: Feature(
                value["dtype"], tuple(value["shape"]), None if value["names"] is None else tuple(value["names"])
            )
            for key, value in info["features"].items()
        }
        path = folder / ORIGIN
        origin = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        dataset = LeRobotDataset(folder, features, info["total_episodes"], info["total_frames"], origin)
    if origin.get("task", task) != task:
        raise InputError(f"{name} holds demonstrations of task {origin['task']!r}, not {task!r}; give one of {task!r}")
    missing = [feature for feature in (STATE, ACTION, SUCCESS) if feature not in features]
    if missing:
        raise InputError(f"{name} lacks {', '.join(missing)}; it has {', '.join(sorted(features))}")
    for key, feature in features.items():
        if feature.dtype == "video":
            raise InputError(f"{name} has {key!r} as a video, which loses pixels; record it with use_videos=False")
        if feature.dtype != IMAGE and (len(feature.shape) != 1 or not _is_number(feature.dtype)):
            raise InputError(f"{name} has {key!r} of type {feature.dtype} {list(feature.shape)}; leave it out")
    return dataset


def _is_number(dtype: str) -> bool:
    """Whether NumPy knows a type of numbers or truth values by this name."""
    kind = np.sctypeDict.get(dtype)
    return kind is not None and issubclass(kind, np.number | np.bool_)


def _complete(values: dict[str, np.ndarray]) -> dict[str, Any]:
    """The values at paths as nested dictionaries, with the observations after each action."""
    if not any(path.startswith("next_obs/") for path in values):
        vectors = {path: rows for path, rows in values.items() if path.startswith("obs/") and rows.ndim == 2}
        values |= {f"next_{path}": np.concatenate([rows[1:], rows[-1:]]) for path, rows in vectors.items()}
    nested: dict[str, Any] = {}
    for path, value in values.items():
        *groups, key = path.split("/")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[key] = value
    return nested


def _picture(content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """A picture [height, width, 3], uint8, from a file."""
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    if picture.shape != shape:
        raise ValueError(f"a picture has the shape {picture.shape}, not {shape}")
    return picture
