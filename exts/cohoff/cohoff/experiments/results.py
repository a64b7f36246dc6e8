# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where results are kept, ``<suite>/<task>/<algorithm>/seed_<n>/``, and how they are read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohoff.errors import InputError

Result = Mapping[str, Any]
"""A measured success rate, as ``cohoff evaluate`` and ``cohoff replay_demos`` write it."""

RESULT_KEYS = ("task", "success", "low", "high", "episodes", "successes", "git_revision", "command")
"""What every :data:`Result` has: the rate with its 95% interval, and where it comes from."""


@dataclass(frozen=True)
class Run:
    """The evaluations of one training run, of what it starts from, and of what it is compared with."""

    folder: Path
    """Folder of the files."""
    base: Result | None
    """Base policy alone; None where it was not evaluated."""
    bc: Result | None
    """Clone alone; None where it was not evaluated."""
    curve: dict[int, Result]
    """Trained policy by environment steps, ascending; 0 is the policy before training."""

    @property
    def algorithm(self) -> str:
        """Name of the algorithm, a folder of the layout."""
        return self.folder.parent.name

    @property
    def seed(self) -> int:
        """Seed of training, a folder of the layout."""
        return int(self.folder.name.removeprefix("seed_"))


def task_folder(task: str) -> str:
    """Name of a task's folder: ``mug_cleanup`` for ``Cohoff-MugCleanup-Franka``."""
    name = task.removeprefix("Cohoff-").removesuffix("-Franka")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()


def short_name(result: Result) -> str:
    """Name of a result's task without what all share, ``Square`` for ``Cohoff-Square-Franka``."""
    return result["task"].removeprefix("Cohoff-").removesuffix("-Franka")


def run_folder(suite: Path, task: str, algorithm: str, seed: int) -> Path:
    """Folder of one run in the folder of a suite."""
    return suite / task_folder(task) / algorithm / f"seed_{seed}"


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        InputError: It cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r} is not JSON") from error


def read_result(path: Path) -> Result:
    """A result of ``cohoff evaluate`` or ``cohoff replay_demos``.

    Raises:
        InputError: The file cannot be read or is no such result.
    """
    result = read_json(path)
    missing = [key for key in RESULT_KEYS if not isinstance(result, dict) or key not in result]
    if missing:
        raise InputError(f"{str(path)!r} is not a result of `cohoff evaluate`: it has no {', '.join(missing)}")
    return result


def read_run(folder: Path) -> Run:
    """The results in ``folder``; of several at the same environment step the one of the most episodes.

    Raises:
        InputError: It has no result of a trained policy, or one that cannot be used.
    """
    base, bc = (read_result(path) if path.is_file() else None for path in (folder / "base.json", folder / "bc.json"))
    # Other files stand there as well: settings, a summary.
    trained = [read_result(path) for path in sorted(folder.glob("*_*.json"))]
    points = {one["training"]["env_steps"]: one for one in sorted(trained, key=lambda one: one["episodes"])}
    if not points:
        raise InputError(f"folder {str(folder)!r} has no results <algorithm>_*.json of `cohoff evaluate`")
    return Run(folder, base, bc, dict(sorted(points.items())))


def read_runs(folder: Path) -> list[Run]:
    """All runs below ``folder``, by task, algorithm and seed.

    Raises:
        InputError: There is none, or one that cannot be used.
    """
    runs = [read_run(path) for path in sorted(folder.rglob("seed_*"))]
    if not runs:
        raise InputError(f"no runs <algorithm>/seed_<n> below {str(folder)!r}")
    return runs
