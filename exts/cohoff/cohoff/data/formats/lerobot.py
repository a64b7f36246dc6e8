# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""LeRobotDataset: where things are in its folder, and what they are called in our files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from cohoff.errors import InputError

VERSION = "v3.0"
"""Version of the layout that is written and read, ``codebase_version`` in the file ``INFO``."""

INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"

ORIGIN = "meta/cohoff.json"
"""Attributes of our file, for which LeRobot has no place."""

IMAGE = "image"
"""``dtype`` of pictures, stored as PNG."""

STATE, ACTION, SUCCESS = "observation.state", "action", "next.success"

POLICY = "obs/policy"
"""The observations in our file that are ``STATE`` in a dataset."""

INITIAL = "initial_state/"
"""Start of the paths that are one row for each episode; a dataset repeats the row on every frame."""

_NAMES = {POLICY: STATE, "actions": ACTION, "rewards": "next.reward", "dones": "next.done"}
_PATHS = {name: path for path, name in _NAMES.items()}
_IMAGES, _CAMERAS = "obs/images/", "observation.images."


@dataclass(frozen=True)
class Feature:
    """What a dataset holds of every frame under one name."""

    dtype: str
    """``IMAGE``, or NumPy's name of a type."""
    shape: tuple[int, ...]
    """Shape on one frame, (height, width, 3) of a picture; (1,) also for a single number."""
    names: tuple[str, ...] | None = None
    """Names of the axes or entries; None for a single number, a vector of size 1 has them."""

    @property
    def is_number(self) -> bool:
        """Whether T frames are [T] in our file, not [T, 1]."""
        return self.shape == (1,) and self.names is None


def vector(dtype: str, size: int) -> Feature:
    """Feature of vectors of a size."""
    return Feature(dtype, (size,), ("0",) if size == 1 else None)


FRAME_FEATURES = {
    "timestamp": Feature("float32", (1,)),
    "frame_index": Feature("int64", (1,)),
    "episode_index": Feature("int64", (1,)),
    "index": Feature("int64", (1,)),
    "task_index": Feature("int64", (1,)),
}
"""What every dataset has: seconds and frames since the start of the episode, and the numbers of other things."""


def feature_name(path: str) -> str:
    """Name in a dataset of what our file has at ``path`` in an episode.

    What LeRobot has no name for keeps its own, with dots. Trainers look at ``observation.``, ``action`` and nothing
    else, so they leave it alone.
    """
    if path.startswith(_IMAGES):
        return _CAMERAS + path.removeprefix(_IMAGES)
    return _NAMES.get(path) or plain_name(path)


def plain_name(path: str) -> str:
    """The path with dots, as lerobot allows no slash in a name."""
    return path.replace("/", ".")


def recorded_path(name: str) -> str:
    """The inverse of :func:`feature_name`."""
    if name.startswith(_CAMERAS):
        return _IMAGES + name.removeprefix(_CAMERAS)
    return _PATHS.get(name) or name.replace(".", "/")


def require_pyarrow() -> Any:
    """The package pyarrow, which reads and writes parquet.

    Raises:
        InputError: It is not installed.
    """
    if find_spec("pyarrow") is None:
        raise InputError("LeRobot datasets need pyarrow; install it with pip install 'cohoff[lerobot]'")
    import pyarrow

    return pyarrow
