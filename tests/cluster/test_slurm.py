# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Arrays of ``scripts/cluster`` on a real SLURM of one node: preempted, out of time, resumed, and left alone.

Takes about ten minutes on two cores. ``--basetemp`` says where the runs and logs are left.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from slurm import Cluster, is_installed, wait_until

from cohoff.files import write_json
from cohoff.provenance import provenance
from cohoff.stress.kills import compare

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs root, slurmctld, slurmd, slurm-client and munge")

ROOT = Path(__file__).parents[2]
TASK = "Cohoff-Square-Franka"
ITERATIONS = 40
CUTS = (10, 25)
"""Iterations after which a run is interrupted: as by a preemption, and as by a time limit."""

SMALL = [
    "--task", TASK, "--device", "cpu", "--seed", "7", "--num_envs", "4",
    "--max_iterations", str(ITERATIONS),
    "agent.algorithm.demonstrations=demos.hdf5", "agent.algorithm.base=base.safetensors", "agent.num_steps_per_env=4",
    "agent.algorithm.clone.steps=20", "agent.algorithm.critic.pretrain_steps=20", "agent.algorithm.learning_starts=0",
    "agent.algorithm.update_to_data=0.125", "agent.algorithm.actor_start_episodes=0", "agent.save_interval=1000",
]  # fmt: skip


ORIGIN = provenance() | {"command": "pytest tests/cluster"}
"""Where the files in outputs/cluster come from."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Demonstrations, and a base policy barely trained on them; they are kept in outputs/."""
    made, folder = ROOT / "outputs" / "cluster", tmp_path_factory.mktemp("work")
    (folder / "scripts").symlink_to(ROOT / "scripts")
    for command, name, *options in (
        ("collect_demos", "demos.hdf5", "--num_demonstrations", "8", "--num_envs", "8"),
        ("pretrain", "base.safetensors", "--demos", str(made / "demos.hdf5"), "--steps", "20"),
    ):
        if not (made / name).is_file():
            arguments = [sys.executable, "-m", "cohoff", command, "--task", TASK, "--device", "cpu", *options]
            subprocess.run([*arguments, "--output", str(made / name)], check=True, timeout=1200)
        (folder / name).symlink_to(made / name)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, work: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("slurm"), work) as cluster:
        yield cluster


def runs(cluster: Cluster, job: str) -> list[Path]:
    """Folders of the runs of a job of an array, oldest first."""
    array, _, seed = job.partition("_")
    return sorted((cluster.work / f"logs/rsl_rl/small_{array}/seed_{seed}").glob("*"))


def progress(run: Path) -> list[dict[str, Any]]:
    """What a run has reported."""
    file = run / "progress.jsonl"
    return [json.loads(line) for line in file.read_text().split("\n")[:-1]] if file.is_file() else []


def has_reported(run_folders: Callable[[str], list[Path]], job: str, iteration: int) -> bool:
    """Whether a run of a job has got to ``iteration``."""
    return any(len(progress(run)) >= iteration for run in run_folders(job))


def counters(lines: list[dict[str, Any]]) -> list[list[int]]:
    """What does not depend on the simulation."""
    return [[line[name] for name in ("iteration", "env_steps", "updates")] for line in lines]


def without_time(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What two runs can have in common."""
    return [{name: value for name, value in line.items() if name not in ("seconds", "resumed")} for line in lines]


def interrupt(cluster: Cluster, array: str, run_folders: Callable[[str], list[Path]]) -> None:
    """Preempt the second job of an array after a while, then warn it of a time limit; wait for the end of both."""
    alone, cut = f"{array}_0", f"{array}_1"
    interruptions = (["scontrol", "requeue"], ["scancel", "--signal=USR1"])
    for restarts, (after, command) in enumerate(zip(CUTS, interruptions, strict=True), start=1):
        wait_until(partial(has_reported, run_folders, cut, after), 2400, f"iteration {after}")
        cluster.call(*command, cut)
        wait_until(partial(cluster.is_running_again, cut, restarts), 300, f"{cut} to run again")
    wait_until(lambda: cluster.has_ended(cut) and cluster.has_ended(alone), 2400, "both")
    for job, restarts in ((alone, "0"), (cut, "2")):
        assert (cluster.field(job, "JobState"), cluster.field(job, "Restarts")) == ("COMPLETED", restarts)


def test_where_the_environment_restores_its_state_nothing_differs(cluster: Cluster) -> None:
    """Networks, optimizers, replay buffer, random numbers and curve are the same, bit for bit."""
    array = cluster.submit("--array=0-1", str(ROOT / "tests/cluster/point_mass.sbatch"), "--iterations", "300")
    folder = cluster.work / "point_mass"
    interrupt(cluster, array, lambda job: [folder / job.partition("_")[2] / "run"])
    same = compare(folder / "0" / "run", folder / "1" / "run")
    resumed = [line["iteration"] for line in progress(folder / "1" / "run") if line.get("resumed")]
    assert len(resumed) == 2 and all(same.values()), same
    write_json(ROOT / "outputs/cluster/point_mass.json", ORIGIN | {"resumed_at": resumed, "equal": same})


def test_a_run_that_is_interrupted_ends_like_one_that_is_not(cluster: Cluster) -> None:
    """Up to the first interruption the curves are the same; later the simulations are others, and counters the same.

    The array trains the same seed twice.
    """
    options = ["--gres=none", "--cpus-per-task=1", "--job-name=small", "--array=0-1"]
    array = cluster.submit(*options, "scripts/cluster/train.sbatch", *SMALL)
    alone, cut = f"{array}_0", f"{array}_1"
    interrupt(cluster, array, partial(runs, cluster))
    (whole,), (first, second, third) = map(progress, runs(cluster, alone)), map(progress, runs(cluster, cut))
    assert CUTS[0] <= len(first) < len(second) < len(third) == len(whole) == ITERATIONS and len(second) >= CUTS[1]
    assert without_time(third[: len(first)]) == without_time(whole[: len(first)])
    assert without_time(third[: len(second)]) == without_time(second)
    assert [line["iteration"] for line in third if line.get("resumed")] == [len(first) + 1, len(second) + 1]
    assert counters(third) == counters(whole)
    write_summary(whole, first, second, third)


def write_summary(whole: list[dict], first: list[dict], second: list[dict], third: list[dict]) -> None:
    """Keep both curves, as results/cluster has them."""
    shown = ("iteration", "env_steps", "updates", "critic_loss", "kl", "resumed")
    curves = {"alone": whole, "interrupted": third}
    summary = {
        "planned_iterations": ITERATIONS,
        "interrupted_after": [len(first), len(second)],
        "reported_iterations": {name: len(lines) for name, lines in curves.items()},
        "counters_equal": counters(third) == counters(whole),
        "equal_until_interrupted": without_time(third[: len(first)]) == without_time(whole[: len(first)]),
        "curves": {
            name: [{key: line[key] for key in shown if key in line} for line in lines] for name, lines in curves.items()
        },
    }
    write_json(ROOT / "outputs/cluster/slurm.json", ORIGIN | summary)
