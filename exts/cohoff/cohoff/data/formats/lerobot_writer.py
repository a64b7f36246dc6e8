# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The files of a LeRobotDataset v3, written episode by episode."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cohoff.files import write_json

from .lerobot import DATA, EPISODES, FRAME_FEATURES, IMAGE, INFO, STATS, TASKS, VERSION, Feature, require_pyarrow
from .lerobot_statistics import count_levels, picture_statistics, vector_statistics

FILE_SIZE, FOLDER_SIZE = 100, 1000
"""Size of a file of frames [MiB] and number of files in a folder after which the next one begins, as in lerobot."""


class DatasetWriter:
    """Writes a dataset into an empty folder; complete after :meth:`finish`.

    Args:
        folder: The folder.
        features: What every frame has, without ``FRAME_FEATURES``.
        instruction: The task of all episodes in words.
        fps: Frames a second.
    """

    def __init__(self, folder: Path, features: Mapping[str, Feature], instruction: str, fps: int):
        self._pa = require_pyarrow()
        self._folder, self._instruction, self._fps = folder, instruction, fps
        self._features = {**features, **FRAME_FEATURES}
        self._schema = self._pa.schema([(name, self._arrow_type(value)) for name, value in self._features.items()])
        self._file: Any = None
        self._path = Path()
        self._file_number = -1
        self._frames = 0
        self._episodes: list[dict[str, Any]] = []
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
        self._next_file()
        self._file.write_table(self._pa.table(columns, schema=self._schema), row_group_size=length)
        episode = {
            "episode_index": number,
            "tasks": [self._instruction],
            "length": length,
            "data/chunk_index": self._file_number // FOLDER_SIZE,
            "data/file_index": self._file_number % FOLDER_SIZE,
            "dataset_from_index": self._frames,
            "dataset_to_index": self._frames + length,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        for name, feature in self._features.items():
            summary = count_levels(values[name]) if feature.dtype == IMAGE else values[name]
            self._summaries[name].append(summary)
            found = _statistics(feature, [summary], length)
            episode |= {f"stats/{name}/{key}": value for key, value in found.items()}
        self._episodes.append(episode)
        self._frames += length

    def finish(self) -> None:
        """Write what describes the episodes."""
        self.close()
        from pyarrow import parquet

        episodes = self._folder / EPISODES.format(chunk_index=0, file_index=0)
        episodes.parent.mkdir(parents=True)
        parquet.write_table(self._pa.Table.from_pylist(self._episodes), episodes)
        parquet.write_table(self._tasks(), self._folder / TASKS)
        features = self._features.items()
        write_json(
            self._folder / STATS, {name: _statistics(f, self._summaries[name], self._frames) for name, f in features}
        )
        info = {
            "codebase_version": VERSION,
            "robot_type": None,
            "fps": self._fps,
            "total_episodes": len(self._episodes),
            "total_frames": self._frames,
            "total_tasks": 1,
            "chunks_size": FOLDER_SIZE,
            "data_files_size_in_mb": FILE_SIZE,
            "splits": {"train": f"0:{len(self._episodes)}"},
            "data_path": DATA,
            "video_path": None,
            "features": {name: {"dtype": f.dtype, "shape": f.shape, "names": f.names} for name, f in features},
        }
        write_json(self._folder / INFO, info)

    def close(self) -> None:
        """Close the open file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next_file(self) -> None:
        """Begin a file of frames if there is none, or the last one is full."""
        if self._file is not None and self._path.stat().st_size < FILE_SIZE * 2**20:
            return
        from pyarrow import parquet

        self.close()
        self._file_number += 1
        chunk, file = divmod(self._file_number, FOLDER_SIZE)
        self._path = self._folder / DATA.format(chunk_index=chunk, file_index=file)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = parquet.ParquetWriter(self._path, self._schema)

    def _arrow_type(self, feature: Feature) -> Any:
        """Type of a column; pictures are what the package datasets calls an Image."""
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

    def _tasks(self) -> Any:
        """The only task. lerobot reads the table by pandas, which takes the index from the metadata."""
        column = {"field_name": "task", "name": "task", "numpy_type": "object", "pandas_type": "unicode"}
        number = {"field_name": "task_index", "name": "task_index", "numpy_type": "int64", "pandas_type": "int64"}
        pandas = {
            "index_columns": ["task"],
            "columns": [number, column],
            "column_indexes": [],
            "pandas_version": "2.0.0",
        }
        table = self._pa.table({"task_index": [0], "task": [self._instruction]})
        return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _statistics(feature: Feature, summaries: list[np.ndarray], length: int) -> dict[str, Any]:
    """Statistics of ``length`` frames, from values [T, ...], or of pictures from counts of levels [C, 256]."""
    if feature.dtype == IMAGE:
        return picture_statistics(np.sum(summaries, axis=0), length)
    return vector_statistics(np.concatenate(summaries))


def _png(picture: np.ndarray) -> bytes:
    """A picture [height, width, 3], uint8, as a file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
