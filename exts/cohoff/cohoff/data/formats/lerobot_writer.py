# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A LeRobotDataset written episode by episode: what all versions of its layout share."""

from __future__ import annotations

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from cohoff.files import write_json

from .lerobot import FRAME_FEATURES, IMAGE, INFO, Feature, require_pyarrow
from .lerobot_statistics import count_levels, picture_statistics, vector_statistics

FOLDER_SIZE = 1000
"""Number of files in a folder, as in lerobot."""


@dataclass(frozen=True)
class Episode:
    """An episode that has been written."""

    length: int
    """Number of frames."""
    start: int
    """Number of frames before it."""
    statistics: dict[str, dict[str, Any]]
    """Statistics of each feature."""


class DatasetWriter(ABC):
    """Writes a dataset into an empty folder; complete after :meth:`finish`.

    Args:
        folder: The folder.
        features: What every frame has, without ``FRAME_FEATURES``.
        instruction: The task of all episodes in words.
        fps: Frames a second.
    """

    version: ClassVar[str]
    """``codebase_version`` of the layout."""
    data_path: ClassVar[str]
    """Where frames are, to be formatted with numbers."""

    def __init__(self, folder: Path, features: Mapping[str, Feature], instruction: str, fps: int):
        self._pa = require_pyarrow()
        self._folder, self._instruction, self._fps = folder, instruction, fps
        self._features = {**features, **FRAME_FEATURES}
        # The package datasets takes the types from the metadata, above all that pictures are pictures.
        types = {name: _hub_type(feature) for name, feature in self._features.items()}
        self._schema = self._pa.schema(
            [(name, self._arrow_type(feature)) for name, feature in self._features.items()],
            {"huggingface": json.dumps({"info": {"features": types}})},
        )
        self._file: Any = None
        self._path = Path()
        self._frames = 0
        self._episodes: list[Episode] = []
        self._summaries: dict[str, list[np.ndarray]] = {name: [] for name in self._features}

    def add(self, values: Mapping[str, np.ndarray]) -> None:
        """Write an episode of T frames, one row group; each value has the shape [T, ...]."""
        length, number = len(next(iter(values.values()))), len(self._episodes)
        frames = np.arange(length)
        values = {
            **values,
            "timestamp": (frames / self._fps).astype(np.float32),
            "frame_index": frames,
            "episode_index": np.full(length, number),
            "index": self._frames + frames,
            "task_index": np.zeros(length, dtype=np.int64),
        }
        columns = [self._column(feature, values[name]) for name, feature in self._features.items()]
        if (path := self._next_path()) is not None:
            self._open(self._folder / path)
        self._file.write_table(self._pa.table(columns, schema=self._schema), row_group_size=length)
        statistics = {}
        for name, feature in self._features.items():
            summary = count_levels(values[name]) if feature.dtype == IMAGE else values[name]
            self._summaries[name].append(summary)
            statistics[name] = _statistics(feature, [summary], length)
        self._episodes.append(Episode(length, self._frames, statistics))
        self._frames += length

    def finish(self) -> None:
        """Write what describes the episodes."""
        self.close()
        (self._folder / INFO).parent.mkdir()
        more = self._describe()
        features = {name: {"dtype": f.dtype, "shape": f.shape, "names": f.names} for name, f in self._features.items()}
        info = {
            "codebase_version": self.version,
            "robot_type": None,
            "fps": self._fps,
            "total_episodes": len(self._episodes),
            "total_frames": self._frames,
            "total_tasks": 1,
            "chunks_size": FOLDER_SIZE,
            "splits": {"train": f"0:{len(self._episodes)}"},
            "data_path": self.data_path,
            "video_path": None,
            "features": features,
        }
        write_json(self._folder / INFO, info | more)

    @abstractmethod
    def _next_path(self) -> str | None:
        """File of the next episode, relative to the folder; None for the one that is open."""

    @abstractmethod
    def _describe(self) -> dict[str, Any]:
        """Write what describes the episodes, and return what else the layout has in ``INFO``."""

    def _statistics(self) -> dict[str, dict[str, Any]]:
        """Statistics of each feature of the whole dataset."""
        return {name: _statistics(f, self._summaries[name], self._frames) for name, f in self._features.items()}

    def close(self) -> None:
        """Close the open file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, path: Path) -> None:
        """Begin a file of frames."""
        from pyarrow import parquet

        self.close()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = parquet.ParquetWriter(path, self._schema)

    def _arrow_type(self, feature: Feature) -> Any:
        """Type of a column."""
        pa = self._pa
        if feature.dtype == IMAGE:
            return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        kind = pa.from_numpy_dtype(np.dtype(feature.dtype))
        return kind if feature.shape == (1,) else pa.list_(kind, feature.shape[0])

    def _column(self, feature: Feature, values: np.ndarray) -> Any:
        """The values [T, ...] of a feature as a column of T rows."""
        pa = self._pa
        if feature.dtype == IMAGE:
            return pa.array([{"bytes": _png(value), "path": None} for value in values], self._arrow_type(feature))
        flat = pa.array(values.reshape(-1))
        return flat if feature.shape == (1,) else pa.FixedSizeListArray.from_arrays(flat, feature.shape[0])


def _statistics(feature: Feature, summaries: list[np.ndarray], length: int) -> dict[str, Any]:
    """Statistics of ``length`` frames, from values [T, ...], or of pictures from counts of levels [C, 256]."""
    if feature.dtype == IMAGE:
        return picture_statistics(np.sum(summaries, axis=0), length)
    return vector_statistics(np.concatenate(summaries))


def _hub_type(feature: Feature) -> dict[str, Any]:
    """A feature as the package datasets names it; all versions read ``Sequence``."""
    if feature.dtype == IMAGE:
        return {"_type": "Image"}
    value = {"dtype": feature.dtype, "_type": "Value"}
    return value if feature.shape == (1,) else {"feature": value, "length": feature.shape[0], "_type": "Sequence"}


def _png(picture: np.ndarray) -> bytes:
    """A picture [height, width, 3], uint8, as a file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
