# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scripts of ``scripts/cluster`` with programs that stand in for SLURM's; ``tests/cluster`` has the real ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from cohoff.algorithms.csil.csil_cfg import CsilAlgorithmCfg

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "scripts" / "cluster"
IN_ARRAY = {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "square", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}


def run_script(folder: Path, name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script in ``folder``, which is first in PATH."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    environment = outside | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"} | variables
    command = ["bash", str(CLUSTER / name), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A folder with the scripts, and an ``srun`` and ``scontrol`` that tell what they were called with."""
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    for name, status in (("srun", "$STATUS"), ("scontrol", "0")):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho "{name} $*"\nexit {status}\n')
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("status", "requeued"),
    [(0, False), (1, False), (2, False), (143, False), (138, True)],
    ids=["done", "failed", "bad input", "preempted", "out of time"],
)
def test_only_a_step_that_is_out_of_time_queues_its_own_job_again(stage: Path, status: int, requeued: bool) -> None:
    """SLURM itself queues jobs again that it preempts. The first job of an array has the number of the array."""
    process = run_script(stage, "train.sbatch", "--task", "T", STATUS=str(status), **IN_ARRAY)
    assert process.returncode == status
    assert ("scontrol requeue 7_1\n" in process.stdout) == requeued
    assert "srun isaaclab train --experiment_name square_7/seed_1 --seed 1 --task T\n" in process.stdout


def test_a_job_goes_on_with_the_runs_of_its_own_seed(stage: Path) -> None:
    variables = {"STATUS": "0", "EXPERIMENT": "earlier", **IN_ARRAY}
    (stage / "logs/rsl_rl/earlier/seed_2/run").mkdir(parents=True)
    (stage / "logs/rsl_rl/earlier/seed_2/run/model_3.pt").touch()
    assert "--checkpoint" not in run_script(stage, "train.sbatch", **variables).stdout
    variables["SLURM_ARRAY_TASK_ID"] = "2"
    assert "earlier/seed_2 --seed 2 --checkpoint latest\n" in run_script(stage, "train.sbatch", **variables).stdout


def test_an_image_is_used_where_one_is_named(stage: Path) -> None:
    process = run_script(stage, "suite.sbatch", "smoke", STATUS="0", CONTAINER="cohoff.sif", **IN_ARRAY)
    command = "python -m cohoff benchmark --workers 1 smoke"
    assert process.stdout == f"srun apptainer exec --nv cohoff.sif {command}\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("train.sbatch", "SLURM_ARRAY_JOB_ID is not set; submit"),
        ("suite.sbatch", "SLURM_ARRAY_JOB_ID is not set; submit"),
        ("prepare.sh", "give a folder and at least one task"),
    ],
)
def test_bad_input_ends_in_one_line(stage: Path, name: str, words: str) -> None:
    process = run_script(stage, name)
    assert process.returncode == 2 and process.stdout == "" and process.stderr.count("\n") == 1
    assert process.stderr.startswith("error: ") and words in process.stderr


def test_the_sweep_is_over_settings_that_exist() -> None:
    sweep = yaml.safe_load((CLUSTER / "sweep.yaml").read_text(encoding="utf-8"))
    settings = CsilAlgorithmCfg()
    for name, spec in sweep["parameters"].items():
        value = spec["values"][0] if "values" in spec else spec["min"]
        assert name.startswith("agent.algorithm.")
        setattr(settings, name.removeprefix("agent.algorithm."), value)  # a setting that is not there ends the program
