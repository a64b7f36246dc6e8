# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Programs that run side by side, one per core; they are displayed together and end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal

from rich.console import Console
from rich.live import Live
from rich.table import Table

from cohoff.files import write_json

_TAIL = 15  # lines shown of each log of a failed stage
_REPORT_INTERVAL = 30.0  # seconds between lines if there is no terminal
_GRACE = 25.0  # seconds between SIGTERM and SIGKILL, in which training saves; SLURM waits for 30


class StageFailed(RuntimeError):
    """A stage failed; the message contains the last lines of its output."""


@dataclass
class Stage:
    """One program of a workflow."""

    name: str
    """Unique name, used for its logs."""
    title: str
    """Name shown to the user."""
    command: Sequence[str]
    """Program and arguments."""
    outputs: Sequence[Path]
    """Files and folders that exist after it has succeeded."""
    all_cores: bool = False
    """Use the cores of all lanes: for a stage that runs alone."""
    status: Callable[[], str] | None = None
    """Returns the progress to show; by default it is the last line of the standard output."""
    state: Literal["waiting", "running", "done", "reused"] = field(default="waiting", init=False)
    """State, set by the workflow."""
    seconds: float = field(default=0.0, init=False)
    """Wall time so far [s]; that of the original run if the result is reused."""

    @property
    def finished(self) -> bool:
        """Whether its outputs can be used."""
        return self.state in ("done", "reused")


class Workflow:
    """Runs stages in the order of their submission in ``num_lanes`` lanes; leaving its context ends running stages.

    A lane is a core (lanes share cores if there are fewer) and runs one stage at a time. A stage writes its standard
    output to ``<name>.log`` and its standard error, where simulators put their warnings, to ``<name>.err``.

    With ``resume``, stages that an earlier workflow completed in ``folder`` are not run again, up to the first one that
    has to run. The caller makes sure that the settings have not changed.
    """

    def __init__(self, folder: Path, console: Console, num_lanes: int = 2, resume: bool = False) -> None:
        self.folder = folder
        self.console = console
        self.stages: list[Stage] = []
        cores = sorted(os.sched_getaffinity(0))
        self._cores = [cores[lane % len(cores)] for lane in range(num_lanes)]
        self._queue: list[Stage] = []
        self._running: dict[int, tuple[Stage, subprocess.Popen[bytes], float]] = {}
        self._resume = resume
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._table)
        self._last_report = time.monotonic()
        self._stamps = folder / "stages"
        self._stamps.mkdir(parents=True, exist_ok=True)
        if not resume:
            for stamp in self._stamps.glob("*.json"):
                stamp.unlink()

    def __enter__(self) -> Workflow:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.console.is_terminal:
            self._live.stop()
        if self._running:
            titles = ", ".join(stage.title for stage, _, _ in self._running.values())
            self.console.print(f"ending {titles}", markup=False, highlight=False, soft_wrap=True)
        for _, process, _ in self._running.values():
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        for _, process, _ in self._running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()

    @property
    def resumes(self) -> bool:
        """Whether all stages that were submitted so far had been completed by an earlier workflow."""
        return self._resume

    def reusable_outputs(self, name: str) -> list[Path] | None:
        """Outputs of the stage ``name`` that would be reused if it were submitted now; None if it would run."""
        stamp = self._stamps / f"{name}.json"
        if not self._resume or not stamp.is_file():
            return None
        outputs = [Path(output) for output in json.loads(stamp.read_text(encoding="utf-8"))["outputs"]]
        return outputs if all(output.exists() for output in outputs) else None

    def submit(self, stage: Stage) -> Stage:
        """Queue ``stage``."""
        self.stages.append(stage)
        if self.reusable_outputs(stage.name) == list(stage.outputs):
            stage.state = "reused"
            stage.seconds = json.loads((self._stamps / f"{stage.name}.json").read_text(encoding="utf-8"))["seconds"]
            self._announce(stage)
        else:
            self._resume = False
            self._queue.append(stage)
        return stage

    def wait(self, *stages: Stage, meanwhile: Callable[[], None] | None = None) -> None:
        """Run the queue until ``stages`` have finished, calling ``meanwhile`` a few times a second.

        Raises:
            StageFailed: Any stage ended with an error or without its outputs.
        """
        while True:
            self._advance()
            if meanwhile is not None:
                meanwhile()
            if all(stage.finished for stage in stages):
                return
            if not self.console.is_terminal and time.monotonic() - self._last_report > _REPORT_INTERVAL:
                for stage, _, _ in self._running.values():
                    self._announce(stage)
            time.sleep(0.25)

    def _advance(self) -> None:
        """Handle stages that have ended and start waiting ones."""
        for lane, (stage, process, started) in list(self._running.items()):
            stage.seconds = time.monotonic() - started
            code = process.poll()
            if code is None:
                continue
            del self._running[lane]
            missing = [str(output) for output in stage.outputs if not output.exists()]
            if code != 0 or missing:
                reason = f"ended with status {code}" if code != 0 else f"did not write {', '.join(missing)}"
                raise StageFailed(f"{stage.title}: {reason}{self._tails(stage)}")
            stage.state = "done"
            write_json(
                self._stamps / f"{stage.name}.json",
                {
                    "seconds": stage.seconds,
                    "outputs": [str(output) for output in stage.outputs],
                    "command": list(stage.command),
                },
            )
            self._announce(stage)
        for lane, core in enumerate(self._cores):
            if self._queue and lane not in self._running:
                stage = self._queue.pop(0)
                cores = set(self._cores) if stage.all_cores else {core}
                self._running[lane] = (stage, self._start(stage, cores), time.monotonic())
                stage.state = "running"
                self._announce(stage)

    def _start(self, stage: Stage, cores: set[int]) -> subprocess.Popen[bytes]:
        environment = os.environ | {"OMP_NUM_THREADS": str(len(cores)), "PYTHONUNBUFFERED": "1"}
        before = os.sched_getaffinity(0)
        with self._log(stage, "log").open("wb") as log, self._log(stage, "err").open("wb") as errors:
            # The program inherits the cores of the thread that starts it.
            os.sched_setaffinity(0, cores)
            try:
                # In its own session, so that Ctrl-C reaches only this process, which then ends the others in order.
                return subprocess.Popen(
                    stage.command,
                    stdout=log,
                    stderr=errors,
                    stdin=subprocess.DEVNULL,
                    env=environment,
                    start_new_session=True,
                )
            finally:
                os.sched_setaffinity(0, before)

    def _log(self, stage: Stage, kind: Literal["log", "err"]) -> Path:
        return self.folder / f"{stage.name}.{kind}"

    def _tails(self, stage: Stage) -> str:
        """The ends of both logs of a failed stage, with their names."""
        paths = [self._log(stage, "log"), self._log(stage, "err")]
        return "".join(f"\nend of {path}:\n{text}" for path in paths if (text := _tail(path, _TAIL)))

    def _status(self, stage: Stage) -> str:
        if stage.state == "waiting" or (stage.state == "reused" and stage.status is None):
            return ""
        status = stage.status() if stage.status is not None else _tail(self._log(stage, "log"), 1)
        return status or ("starting" if stage.state == "running" else "")

    def _announce(self, stage: Stage) -> None:
        self._last_report = time.monotonic()
        if not self.console.is_terminal:
            line = f"[{_clock(stage.seconds)}] {stage.title}: {stage.state} {self._status(stage)}".rstrip()
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _table(self) -> Table:
        marks = {"waiting": "·", "running": "[yellow]▶[/]", "done": "[green]✓[/]", "reused": "[blue]↺[/]"}
        table = Table(box=None, padding=(0, 1), expand=True, show_header=False)
        table.add_column(width=1)
        table.add_column(no_wrap=True, min_width=24)
        table.add_column(justify="right", width=6)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for stage in self.stages:
            clock = "" if stage.state == "waiting" else _clock(stage.seconds)
            table.add_row(marks[stage.state], stage.title, clock, self._status(stage))
        return table


def _tail(path: Path, lines: int) -> str:
    """The last non-empty lines of a file."""
    with path.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 20_000))
        text = log.read().decode(errors="replace")
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a program and its children."""
    if process.poll() is None:
        os.killpg(process.pid, number)
