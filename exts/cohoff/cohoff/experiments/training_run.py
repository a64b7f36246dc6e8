# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The folder of a training run, read while the run is being written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cohoff.files import reading


def last_progress(run: Path) -> dict[str, Any] | None:
    """The last complete line of the learner's ``progress.jsonl`` in the folder ``run``; None before there is one."""
    path = run / "progress.jsonl"
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    with reading(path, "remove the file"):
        return json.loads(lines[-1]) if lines else None


def checkpoints(run: Path) -> list[Path]:
    """The files ``model_<iteration>.pt`` in the folder ``run``, oldest first; the newest may be incomplete."""
    return sorted(run.glob("model_*.pt"), key=iteration_of)


def complete_checkpoints(run: Path) -> list[Path]:
    """The checkpoints that have been written to their end, oldest first.

    Iterations are counted from 0, and progress is written at the end of an iteration, before its checkpoint. So
    ``model_<i>.pt`` is complete when iteration i + 1 has reported, as the (i + 2)th.
    """
    progress = last_progress(run)
    if progress is None:
        return []
    return [path for path in checkpoints(run) if iteration_of(path) + 2 <= progress["iteration"]]


def iteration_of(checkpoint: Path) -> int:
    """Iteration after which ``model_<iteration>.pt`` was written."""
    return int(checkpoint.stem.removeprefix("model_"))
