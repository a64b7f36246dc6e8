# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""From demonstrations to a trained policy through the stock command line, resumed, played and evaluated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TASK = "Cohoff-Square-Franka"
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
SMALL = [
    "agent.num_steps_per_env=4",
    "agent.algorithm.clone.steps=20",
    "agent.algorithm.critic.pretrain_steps=20",
    "agent.algorithm.update_to_data=0.0625",
    "agent.algorithm.learning_starts=0",
    "agent.algorithm.actor_start_episodes=0",
    "agent.algorithm.replay_rows=350",
]


def run(folder: Path, *command: str, ok: bool = True) -> subprocess.CompletedProcess:
    """Run a command in ``folder``; show its output where it ends otherwise than expected."""
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert (process.returncode == 0) == ok, process.stdout[-3000:] + process.stderr[-3000:]
    return process


def isaaclab(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "isaaclab"), *arguments]


def train(folder: Path, *arguments: str, num_envs: int = 8, ok: bool = True) -> subprocess.CompletedProcess:
    command = isaaclab("train", "--task", TASK, "--device", "cpu", "--num_envs", str(num_envs))
    return run(folder, *command, *arguments, *SMALL, ok=ok)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight demonstrations, a base policy barely trained on them, and a run of two iterations."""
    folder = tmp_path_factory.mktemp("square")
    script = [sys.executable, str(ROOT / "scripts/collect_demos.py"), "--task", TASK, "--device", "cpu"]
    run(folder, *script, "--num_demonstrations", "8", "--num_envs", "8", "--seed", "3", "--output", "demos.hdf5")
    script = [sys.executable, str(ROOT / "scripts/pretrain.py"), "--task", TASK, "--device", "cpu"]
    run(folder, *script, "--demos", "demos.hdf5", "--output", "base.safetensors", "--steps", "20")
    inputs = ("agent.algorithm.demonstrations=demos.hdf5", "agent.algorithm.base=base.safetensors")
    train(folder, "--max_iterations", "2", *inputs)
    return folder


def runs(folder: Path) -> list[Path]:
    return sorted((folder / "logs" / "rsl_rl" / "cohoff_square").iterdir())


def progress(run_folder: Path) -> list[dict]:
    return [json.loads(line) for line in (run_folder / "progress.jsonl").read_text().splitlines()]


def test_training_writes_checkpoints_counters_and_measurements(workspace: Path) -> None:
    first = runs(workspace)[0]
    lines = progress(first)
    assert [line["env_steps"] for line in lines] == [32, 64]
    assert [line["updates"] for line in lines] == [2, 4]
    assert (first / "model_1.pt").is_file() and (first / "params").is_dir()
    report = json.loads((first / "pretraining.json").read_text())
    assert report["reward"]["demonstrated_mean"] > report["reward"]["uniform_mean"]


def test_resuming_goes_on_to_the_planned_number_of_iterations(workspace: Path) -> None:
    """In a folder of its own, which holds the whole curve; the interrupted run is left as it is."""
    process = train(workspace, "--max_iterations", "3", "--checkpoint", "latest")
    assert "resumed after iteration 2 of 3" in process.stdout
    last = runs(workspace)[-1]
    lines = progress(last)
    assert [line["env_steps"] for line in lines] == [32, 64, 96]
    assert [line["updates"] for line in lines] == [2, 4, 6]
    assert [file.name for file in last.glob("replay_*.safetensors")] == ["replay_96.safetensors"]
    assert (last / "base.safetensors").is_file() and len(progress(runs(workspace)[0])) == 2


def test_playing_and_evaluating_a_checkpoint_bring_its_base_along(workspace: Path) -> None:
    checkpoint = str(runs(workspace)[0] / "model_1.pt")
    play = isaaclab("play", "--task", TASK, "--device", "cpu", "--num_envs", "1", "--checkpoint", checkpoint)
    with subprocess.Popen(
        play, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | UNBUFFERED
    ) as process:
        # Playback goes on until it is ended; a failure ends the output before, or the process soon after.
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if "Policy playback is running" in line:
                break
        time.sleep(5.0)
        still_playing = process.poll() is None
        process.kill()
    assert still_playing, "".join(lines[-30:])
    about = json.loads((runs(workspace)[0] / "exported" / "policy.json").read_text())
    assert about["control_rate_hz"] == 20.0 and about["base"]["replan_interval"] == 10
    terms = about["observations"]["policy"]
    assert terms[0]["name"] == "tool_position" and "[m]" in terms[0]["meaning"]
    assert sum(term["size"] for term in terms) == about["observation_dim"]
    assert [(term["name"], term["size"]) for term in about["actions"]] == [("arm", 6), ("gripper", 1)]
    script = [sys.executable, str(ROOT / "scripts/evaluate.py"), "--task", TASK, "--device", "cpu"]
    script += ["--policy", "trained", "--checkpoint", checkpoint]
    script += ["--episodes", "4", "--num_envs", "4", "--json", "trained.json"]
    run(workspace, *script)
    assert json.loads((workspace / "trained.json").read_text())["episodes"] == 4


def test_a_browser_sees_the_robot_of_a_run_in_progress(workspace: Path) -> None:
    """Its page is told the shapes of both environments once, and from then on where they are."""
    pytest.importorskip("viser", reason='needs pip install -e ".[viewer]"')
    from viser_client import watch

    command = isaaclab("train", "--task", TASK, "--device", "cpu", "--num_envs", "2", "--viz", "viser")
    command += ["--max_iterations", "100000", "--run_name", "watched", *SMALL]
    inputs = ("agent.algorithm.demonstrations=demos.hdf5", "agent.algorithm.base=base.safetensors")
    with (workspace / "watched.log").open("w") as log:
        process = subprocess.Popen([*command, *inputs], cwd=workspace, stdout=log, stderr=subprocess.STDOUT)
        try:
            # A page that connects while the simulation starts was told nothing, and neither were later ones.
            while "iteration 2/" not in (workspace / "watched.log").read_text() and process.poll() is None:
                time.sleep(1.0)
            seen = watch(port=8080, seconds=30.0, patience=300.0)
        finally:
            process.kill()
            process.wait()
    links = [name for name, count in seen.num_vertices.items() if count > 500]
    assert len(links) >= 11, (workspace / "watched.log").read_text()[-3000:]  # eight of the arm, the hand, two fingers
    assert {len(place) for name in links for place in seen.positions[name]} == {2}
    assert max(seen.moved[name] for name in links) > 0.01  # m: it acts


def test_a_foreign_file_ends_training_with_one_line_and_no_run(workspace: Path) -> None:
    (workspace / "foreign.hdf5").write_bytes(b"not HDF5")
    process = train(workspace, "agent.algorithm.demonstrations=foreign.hdf5", "--max_iterations", "1", ok=False)
    errors = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "foreign.hdf5" in errors[0]
    assert "Traceback" not in process.stderr


def test_one_environment_is_too_few_for_evaluation(workspace: Path) -> None:
    process = train(workspace, "--max_iterations", "1", num_envs=1, ok=False)
    assert "num_envs is 1" in process.stderr and "Traceback" not in process.stderr


def test_ppo_learns_a_correction_of_a_base_inside_of_the_environment(workspace: Path) -> None:
    """rsl_rl's own runner writes the checkpoint; its policy is evaluated in an environment with the same base."""
    inside = "env.base=base.safetensors"
    command = isaaclab("train", "--task", TASK, "--device", "cpu", "--agent", "rsl_rl_resip_cfg_entry_point")
    run(workspace, *command, "--num_envs", "4", "--max_iterations", "2", "agent.num_steps_per_env=4", inside)
    checkpoint = str(runs(workspace)[-1] / "model_1.pt")
    script = [sys.executable, str(ROOT / "scripts/evaluate.py"), "--task", TASK, "--policy", "ppo", "--device", "cpu"]
    script += ["--checkpoint", checkpoint, "--episodes", "4", "--num_envs", "4", "--json", "ppo.json"]
    process = run(workspace, *script, ok=False)
    assert "shows no 'base_action'" in process.stderr and "Traceback" not in process.stderr
    run(workspace, *script, inside)
    assert json.loads((workspace / "ppo.json").read_text())["episodes"] == 4
