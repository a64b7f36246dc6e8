# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How training runs are doing, read from their folders."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from cohoff.errors import InputError
from cohoff.run_folder import checkpoints, is_run, iteration_of, last_progress, planned_iterations

QUIET = 600.0
"""Time without a write after which a run on another machine counts as stopped [s], unless its iterations are long."""

LONG = 5
"""Mean iterations without a write after which it does."""

CLOCK = 2.0
"""Difference between the start of a process and the clock of its files that is not a difference [s]."""


@dataclass(frozen=True)
class RunStatus:
    """State of a run. What the run has not written yet, or its agent never writes, is None."""

    folder: Path
    """Folder of the run."""
    state: Literal["finished", "running", "stopped"]
    """``running`` on this machine means that the process is there, elsewhere that the run has written lately."""
    iteration: int
    """Iterations done, as far as they were reported or saved."""
    planned: int | None
    """Iterations that it was started with."""
    env_steps: int | None
    """Environment steps."""
    seconds: float | None
    """Time that training has taken, over all interruptions [s]."""
    train_success: float | None
    """Success rate of the training environments."""
    eval_success: float | None
    """Success rate of the evaluation environments."""
    saved: float | None
    """Age of the last checkpoint [s]."""

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps per second of training."""
        return self.env_steps / self.seconds if self.env_steps is not None and self.seconds else None

    @property
    def left(self) -> float | None:
        """Time until a running run is finished, at its mean speed [s]."""
        if self.state != "running" or self.planned is None or not self.seconds or not self.iteration:
            return None
        return self.seconds / self.iteration * (self.planned - self.iteration)


def find_runs(folders: Iterable[Path]) -> Iterator[Path]:
    """The runs among ``folders`` and below them, in the order of their names.

    Raises:
        InputError: A folder does not exist, or there is no run in it.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"no folder {str(folder)!r}; give that of a run, or one with runs, such as logs/rsl_rl")
        below = (path for path in folder.rglob("*") if path.is_dir())
        runs = [path for path in (folder, *sorted(below)) if is_run(path)]
        if not runs:
            raise InputError(f"no run in {str(folder)!r}; give the folder of a run, or one with runs")
        yield from runs


def read_status(folder: Path) -> RunStatus:
    """Status of the run in ``folder``.

    Raises:
        InputError: Its progress is damaged.
    """
    now = time.time()
    progress, planned, saved = last_progress(folder) or {}, planned_iterations(folder), checkpoints(folder)
    # rsl_rl's own runner reports nothing, but saves after its last iteration.
    iteration = progress["iteration"] if progress else iteration_of(saved[-1]) + 1 if saved else 0
    seconds = progress.get("seconds")
    written = now - max(path.stat().st_mtime for path in folder.iterdir())
    finished = planned is not None and iteration >= planned
    limit = max(QUIET, LONG * seconds / iteration if seconds else 0.0)
    return RunStatus(
        folder=folder,
        state="finished" if finished else "running" if _is_alive(folder, written < limit) else "stopped",
        iteration=iteration,
        planned=planned,
        env_steps=progress.get("env_steps"),
        seconds=seconds,
        train_success=progress.get("train_success"),
        eval_success=progress.get("eval_success"),
        saved=now - saved[-1].stat().st_mtime if saved else None,
    )


def _is_alive(folder: Path, writes: bool) -> bool:
    """Whether the process of a run is there; ``writes`` is the answer where it is out of sight.

    The names of TensorBoard's files hold time, machine and process of the run that wrote them.
    """
    names = (re.fullmatch(r"events\.out\.tfevents\.(\d+)\.(.+)\.(\d+)\.\d+", path.name) for path in folder.iterdir())
    writers = [(int(name[1]), name[2], int(name[3])) for name in names if name is not None]
    if not writers:
        return writes
    started, machine, process = max(writers)
    if machine != socket.gethostname():
        return writes
    try:
        # A later process may have been given the same number.
        return psutil.Process(process).create_time() <= started + CLOCK
    except psutil.NoSuchProcess:
        return False
