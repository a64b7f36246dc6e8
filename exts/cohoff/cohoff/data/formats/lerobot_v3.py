# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""LeRobotDataset v3: many episodes in a file, described by tables.

Source of the layout: lerobot 0.6.1 and its page "LeRobotDataset v3.0".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cohoff.files import write_json

from .lerobot import DATA, EPISODES, STATS, TASKS, VERSION
from .lerobot_writer import FOLDER_SIZE, DatasetWriter

FILE_SIZE = 100
"""Size [MiB] of a file of frames after which the next one begins, as in lerobot."""


class WriterV3(DatasetWriter):
    """Writes LeRobotDataset v3."""

    version = VERSION
    data_path = DATA

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._places: list[tuple[int, int]] = []
        self._file_number = -1

    def add(self, values: Mapping[str, np.ndarray]) -> None:
        """Write an episode of T frames, and remember in which file it is."""
        super().add(values)
        self._places.append(divmod(self._file_number, FOLDER_SIZE))

    def _next_path(self) -> str | None:
        if self._file is not None and self._path.stat().st_size < FILE_SIZE * 2**20:
            return None
        self._file_number += 1
        chunk, file = divmod(self._file_number, FOLDER_SIZE)
        return DATA.format(chunk_index=chunk, file_index=file)

    def _describe(self) -> dict[str, Any]:
        from pyarrow import parquet

        path = self._folder / EPISODES.format(chunk_index=0, file_index=0)
        path.parent.mkdir(parents=True)
        parquet.write_table(self._pa.Table.from_pylist(self._rows()), path)
        parquet.write_table(self._tasks(), self._folder / TASKS)
        write_json(self._folder / STATS, self._statistics())
        return {"data_files_size_in_mb": FILE_SIZE}

    def _rows(self) -> list[dict[str, Any]]:
        """What is known of each episode."""
        return [
            {
                "episode_index": number,
                "tasks": [self._instruction],
                "length": episode.length,
                "data/chunk_index": chunk,
                "data/file_index": file,
                "dataset_from_index": episode.start,
                "dataset_to_index": episode.start + episode.length,
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
                **{f"stats/{name}/{key}": v for name, found in episode.statistics.items() for key, v in found.items()},
            }
            for number, (episode, (chunk, file)) in enumerate(zip(self._episodes, self._places, strict=True))
        ]

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
