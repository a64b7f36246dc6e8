# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ``cohoff status`` says about runs, from their folders alone."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from cohoff.commands.status import main, print_runs
from cohoff.errors import InputError
from cohoff.experiments.run_status import QUIET, find_runs, read_status


def set_age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def make_run(folder: Path, iteration: int, planned: int = 10, age: float = 0.0) -> Path:
    """A run whose files are ``age`` seconds old, with a line half written."""
    (folder / "params").mkdir(parents=True)
    (folder / "params/agent.yaml").write_text(
        f"seed: 0\nmax_iterations: {planned}\nalgorithm:\n  betas: !!python/tuple [1]\n"
    )
    line = {"iteration": iteration, "env_steps": 8 * iteration, "seconds": 4.0 * iteration, "train_success": 0.25}
    (folder / "progress.jsonl").write_text(json.dumps(line) + '\n{"iterat')
    (folder / "model_0.pt").touch()
    for path in folder.iterdir():
        set_age(path, age)
    return folder


def write_events(folder: Path, process: int, machine: str = socket.gethostname(), started: float | None = None) -> None:
    """What TensorBoard leaves."""
    path = folder / f"events.out.tfevents.{int(time.time() if started is None else started)}.{machine}.{process}.0"
    path.touch()


def test_counters_and_time_left(tmp_path: Path) -> None:
    status = read_status(make_run(tmp_path / "run", iteration=4))
    assert (status.iteration, status.planned, status.env_steps, status.steps_per_second) == (4, 10, 32, 2.0)
    assert (status.state, status.left, status.train_success, status.eval_success) == ("running", 24.0, 0.25, None)
    assert status.saved is not None and status.saved < 60


def test_a_run_with_all_iterations_is_finished_whoever_wrote_it(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", iteration=10)
    write_events(folder, os.getpid())
    status = read_status(folder)
    assert status.state == "finished" and status.left is None


def test_on_this_machine_the_process_tells(tmp_path: Path) -> None:
    """Also where it has not written for long, and not if its number now belongs to another one."""
    folder = make_run(tmp_path / "run", iteration=4, age=10 * QUIET)
    write_events(folder, os.getpid())
    assert read_status(folder).state == "running"
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    ended = make_run(tmp_path / "ended", iteration=4)
    write_events(ended, process.pid)
    assert read_status(ended).state == "stopped"
    reused = make_run(tmp_path / "reused", iteration=4)
    write_events(reused, os.getpid(), started=time.time() - 86400)
    assert read_status(reused).state == "stopped"


def test_the_last_of_several_processes_counts(tmp_path: Path) -> None:
    """A resumed run has the files of the one before."""
    folder = make_run(tmp_path / "run", iteration=4)
    write_events(folder, os.getpid())
    write_events(folder, 2**22 + 1, started=time.time() - 1000)
    assert read_status(folder).state == "running"


def test_elsewhere_silence_tells(tmp_path: Path) -> None:
    """For longer than a few iterations take."""
    for name, age, state in (("fresh", QUIET / 2, "running"), ("silent", 2 * QUIET, "stopped")):
        folder = make_run(tmp_path / name, iteration=4, age=age)
        write_events(folder, 1, machine="node-1.cluster")
        set_age(next(folder.glob("events*")), age)
        assert read_status(folder).state == state
    slow = make_run(tmp_path / "slow", iteration=4, age=2 * QUIET)
    (slow / "progress.jsonl").write_text(json.dumps({"iteration": 4, "seconds": 4 * QUIET}) + "\n")
    set_age(slow / "progress.jsonl", 2 * QUIET)
    assert read_status(slow).state == "running"


def test_a_run_of_another_runner_is_known_by_its_checkpoints(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", iteration=1, planned=3)
    (folder / "progress.jsonl").unlink()
    (folder / "model_2.pt").touch()
    status = read_status(folder)
    assert (status.state, status.iteration, status.env_steps) == ("finished", 3, None)


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    status = read_status(tmp_path)
    assert (status.state, status.iteration, status.planned, status.saved) == ("running", 0, None, None)


def test_runs_are_found_in_folders_of_runs(tmp_path: Path) -> None:
    first, second = make_run(tmp_path / "logs/b/run", 1), make_run(tmp_path / "logs/a/run", 1)
    assert list(find_runs([tmp_path / "logs", first])) == [second, first, first]


def test_a_folder_without_a_run_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run in"):
        main([str(tmp_path)])
    with pytest.raises(InputError, match="no folder"):
        main([str(tmp_path / "nowhere")])
    (make_run(tmp_path / "run", 1) / "progress.jsonl").write_text("hello\n")
    with pytest.raises(InputError, match="damaged"):
        main([str(tmp_path)])


def test_the_table_has_a_row_for_each_run(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "square/done", 10), make_run(tmp_path / "square/[half]", 4)]
    file = io.StringIO()
    print_runs([read_status(run) for run in runs], Console(file=file, width=120))
    rows = [line.split() for line in file.getvalue().splitlines()]
    assert ["done", "finished", "10/10", "80", "2", "0.25", "-", "0", "s", "-"] in rows
    assert ["[half]", "running", "4/10", "32", "2", "0.25", "-", "0", "s", "24", "s"] in rows


def test_only_running_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path / "done", 10)
    make_run(tmp_path / "half", 4)
    main([str(tmp_path), "--running"])
    shown = capsys.readouterr().out
    assert "half" in shown and "done" not in shown
