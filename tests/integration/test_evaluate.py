# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The evaluation script with the expert, in a real simulation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_expert_succeeds(tmp_path: Path) -> None:
    output = tmp_path / "expert.json"
    command = [sys.executable, "scripts/evaluate.py", "--task", "Cohoff-Square-Franka", "--policy", "expert"]
    command += ["--episodes", "60", "--num_envs", "32", "--seed", "7", "--device", "cpu", "--json", str(output)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert process.returncode == 0, process.stderr
    assert "64 episodes instead of 60" in process.stdout
    result = json.loads(output.read_text())
    assert result["episodes"] == 64 and result["success"] >= 0.9
    assert result["low"] < result["success"] <= result["high"] <= 1.0
    assert 20 < result["lengths"]["success"]["mean"] < 200 and result["lengths"]["all"]["max"] <= 400
    assert result["seeds"] == [7] and result["git_revision"] and "scripts/evaluate.py" in result["command"]
