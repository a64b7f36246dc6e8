# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The folder of a training run, which may be read while the run is being written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from cohoff.files import reading

PROGRESS_FILE = "progress.jsonl"
"""One line of JSON for each iteration."""

MANIFEST_FILE = "run.json"
"""What Isaac Lab writes when a run starts: its task and agent."""

PRETRAINING_FILE = "pretraining.json"
"""What was measured while learning from the demonstrations alone, by phase."""


def is_run(folder: Path) -> bool:
    """Whether ``folder`` is that of a training run."""
    return any((folder / name).is_file() for name in (MANIFEST_FILE, PROGRESS_FILE)) or bool(checkpoints(folder))


def planned_iterations(run: Path) -> int | None:
    """Iterations that the run was started with; None before its settings are written."""
    path = run / "params" / "agent.yaml"
    if not path.is_file():
        return None
    # The file has tags of Python objects, which a safe reader of YAML refuses.
    found = re.search(r"^max_iterations: (\d+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return None if found is None else int(found[1])


def last_progress(run: Path) -> dict[str, Any] | None:
    """The last complete line of :data:`PROGRESS_FILE` in the folder ``run``; None before there is one."""
    path = run / PROGRESS_FILE
    if not path.is_file():
        return None
    with reading(path, "remove the file"):
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return json.loads(lines[-1]) if lines else None


def has_clone(run: Path) -> bool:
    """Whether the agent of the run cloned a policy: it then measured it before the first checkpoint."""
    path = run / PRETRAINING_FILE
    if not path.is_file():
        return False
    with reading(path, "train again"):
        return "clone" in json.loads(path.read_text(encoding="utf-8"))


def checkpoints(run: Path) -> list[Path]:
    """The files ``model_<iteration>.pt`` in the folder ``run``, oldest first."""
    found = [path for path in run.glob("model_*.pt") if re.fullmatch(r"model_\d+", path.stem)]
    return sorted(found, key=iteration_of)


def settled_checkpoints(run: Path) -> list[Path]:
    """Complete checkpoints in the folder ``run``, without the last of the run: those that an iteration follows."""
    progress = last_progress(run)
    if progress is None:  # rsl_rl's own runners do not tell
        return checkpoints(run)[:-1]
    # Checkpoints are counted from 0, progress from 1.
    return [path for path in checkpoints(run) if iteration_of(path) + 2 <= progress["iteration"]]


def iteration_of(checkpoint: Path) -> int:
    """Iteration after which ``model_<iteration>.pt`` was written, counted from 0."""
    return int(checkpoint.stem.removeprefix("model_"))
