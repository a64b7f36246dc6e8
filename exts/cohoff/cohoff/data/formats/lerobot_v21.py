# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""LeRobotDataset v2.1: a file for each episode, described by lines of JSON. openpi reads no later version.

Source of the layout: lerobot 0.3.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .lerobot_writer import FOLDER_SIZE, DatasetWriter


class WriterV21(DatasetWriter):
    """Writes LeRobotDataset v2.1."""

    version = "v2.1"
    data_path = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"

    def _next_path(self) -> str | None:
        number = len(self._episodes)
        return self.data_path.format(episode_chunk=number // FOLDER_SIZE, episode_index=number)

    def _describe(self) -> dict[str, Any]:
        meta, numbered = self._folder / "meta", list(enumerate(self._episodes))
        _write_lines(meta / "tasks.jsonl", [{"task_index": 0, "task": self._instruction}])
        _write_lines(
            meta / "episodes.jsonl",
            ({"episode_index": i, "tasks": [self._instruction], "length": episode.length} for i, episode in numbered),
        )
        _write_lines(
            meta / "episodes_stats.jsonl",
            ({"episode_index": i, "stats": episode.statistics} for i, episode in numbered),
        )
        return {"total_videos": 0, "total_chunks": -(-len(numbered) // FOLDER_SIZE)}


def _write_lines(path: Path, values: Iterable[dict[str, Any]]) -> None:
    """Write one line of JSON for each value."""
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
