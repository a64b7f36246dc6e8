# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A trial of ``scripts/cluster/ray_sweep.py`` around a program that stands in for ``isaaclab train``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason='needs pip install -e ".[sweep]"')
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "cluster"))

from ray_sweep import Training, read_range, read_sweep  # noqa: E402  # pyright: ignore[reportMissingImports]

from cohoff.errors import InputError  # noqa: E402

PROGRAM = """
import json, pathlib, signal, sys, time
words = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
run = pathlib.Path("logs/rsl_rl", words["--experiment_name"], words["--run_timestamp"])
(run / "words.txt").write_text(" ".join(sys.argv[1:]))
with (run / "progress.jsonl").open("a") as file:
    for iteration in (1, 2):
        file.write(json.dumps({"iteration": iteration, "eval_success": None if iteration == 1 else 0.5}) + "\\n")
"""


def end_saved(signum: int) -> str:
    return f"\nsignal.signal({signum}, lambda *_: sys.exit((run / 'saved').touch()))\ntime.sleep(60)"


def trial(folder: Path, ending: str = "") -> Training:
    """A started trial whose program goes on with ``ending`` after two iterations."""
    program = folder / "program.py"
    program.write_text(PROGRAM + ending)
    command = [sys.executable, str(program)]
    job = {"command": command, "experiment": "sweep", "folder": str(folder)}
    return Training({"agent.algorithm.n_step": 3, "job": job})


def run_folder(folder: Path) -> Path:
    return next((folder / "logs/rsl_rl/sweep").iterdir())


def test_a_trial_reports_every_iteration_and_ends_with_its_run(tmp_path: Path) -> None:
    one = trial(tmp_path)
    reports: list[dict[str, Any]] = [one.step() for _ in range(3)]
    assert [report["iteration"] for report in reports] == [1, 2, 2]
    assert [report["eval_success"] for report in reports] == [0.0, 0.5, 0.5]
    assert [report.get("done", False) for report in reports] == [False, False, True]
    words = (run_folder(tmp_path) / "words.txt").read_text()
    assert "agent.algorithm.n_step=3" in words and "--checkpoint" not in words


def test_a_trial_that_is_started_again_goes_on_with_its_run(tmp_path: Path) -> None:
    trial(tmp_path).step()
    (run_folder(tmp_path) / "model_1.pt").touch()
    again = trial(tmp_path)
    while not again.step().get("done"):
        pass
    assert f"--checkpoint {run_folder(tmp_path)}" in (run_folder(tmp_path) / "words.txt").read_text()


def test_a_trial_that_is_stopped_lets_its_run_save(tmp_path: Path) -> None:
    one = trial(tmp_path, end_saved(15))
    one.step()
    one.cleanup()
    assert (run_folder(tmp_path) / "saved").exists()


def test_a_run_that_fails_fails_its_trial(tmp_path: Path) -> None:
    one = trial(tmp_path, "\nsys.exit(2)")
    assert one.step()["iteration"] + one.step()["iteration"] == 3
    with pytest.raises(RuntimeError, match=r"status 2, see .*console\.log"):
        one.step()


LEVELS = """
import json, pathlib, signal, sys, time
words = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
run = pathlib.Path("logs/rsl_rl", words["--experiment_name"], words["--run_timestamp"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit((run / "saved").touch()))
for iteration in range(1, 13):
    with (run / "progress.jsonl").open("a") as file:
        file.write(json.dumps({"iteration": iteration, "eval_success": int(words["level"]) / 1000}) + "\\n")
    time.sleep(0.5)
"""


def test_trials_that_fall_behind_are_ended(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(LEVELS)
    sweep = {
        "program": sys.executable,
        "command": ["${program}", str(tmp_path / "program.py"), "${args_no_hyphens}"],
        "parameters": {"level": {"min": 0, "max": 1000}},
    }
    (tmp_path / "sweep.yaml").write_text(json.dumps(sweep))
    options = ["--trials", "8", "--max_iterations", "12", "--first", "2", "--json", "sweep.json"]
    command = [sys.executable, str(ROOT / "scripts/cluster/ray_sweep.py"), "sweep.yaml", *options]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=900)
    trials = json.loads((tmp_path / "sweep.json").read_text())["trials"]
    assert len(trials) == 8 and not any(row["failed"] for row in trials)
    assert trials[0]["iteration"] == 12 and trials[0]["settings"]["level"] == 1000 * trials[0]["eval_success"]
    ended = [row["trial"] for row in trials if row["iteration"] < 12]
    assert ended and sorted(path.parent.name for path in tmp_path.rglob("saved")) == sorted(ended)


def test_the_sweep_file(tmp_path: Path) -> None:
    command, space = read_sweep(ROOT / "scripts/cluster/sweep.yaml")
    assert command[:2] == ["isaaclab", "train"] and not any("$" in word for word in command)
    assert {1, 8} < {space["agent.algorithm.n_step"].sample() for _ in range(300)} <= set(range(1, 9))
    assert all(1e-4 <= space["agent.algorithm.learning_rate"].sample() <= 1e-3 for _ in range(100))
    with pytest.raises(InputError, match="no sweep file"):
        read_sweep(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("program: isaaclab\n")
    with pytest.raises(InputError, match="is damaged or not of its kind"):
        read_sweep(tmp_path / "bad.yaml")
    with pytest.raises(InputError, match="beta in the sweep"):
        read_range("beta", {"distribution": "q_normal", "mu": 0})
