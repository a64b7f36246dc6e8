# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Base policy and CSIL++ on other tasks than Square: nothing changes but the task's name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(folder: Path, *command: str) -> None:
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]


@pytest.mark.parametrize("task", ["Cohoff-MugCleanup-Franka", "Cohoff-Threading-Franka"])
def test_a_task_trains_by_its_name_alone(task: str, tmp_path: Path) -> None:
    common = ("--task", task, "--device", "cpu")
    script = [sys.executable, str(ROOT / "scripts/collect_demos.py"), *common]
    run(tmp_path, *script, "--num_demonstrations", "4", "--num_envs", "4", "--output", "demos.hdf5")
    script = [sys.executable, str(ROOT / "scripts/pretrain.py"), *common]
    run(tmp_path, *script, "--demos", "demos.hdf5", "--output", "base.safetensors", "--steps", "20")
    train = [str(Path(sys.executable).parent / "isaaclab"), "train", "--rl_library", "rsl_rl", *common]
    train += ["--agent", "rsl_rl_csil_cfg_entry_point", "--num_envs", "4", "--max_iterations", "2"]
    train += ["agent.algorithm.demonstrations=demos.hdf5", "agent.algorithm.base=base.safetensors"]
    train += ["agent.algorithm.clone.steps=20", "agent.algorithm.critic.pretrain_steps=5"]
    train += ["agent.algorithm.learning_starts=0", "agent.algorithm.actor_start_episodes=0"]
    run(tmp_path, *train, "agent.num_steps_per_env=4", "agent.algorithm.update_to_data=0.125")
    (folder,) = (tmp_path / "logs" / "rsl_rl").glob("cohoff_*/*")
    lines = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    assert [line["env_steps"] for line in lines] == [16, 32] and lines[-1]["updates"] == 4
    assert (folder / "model_1.pt").is_file()
