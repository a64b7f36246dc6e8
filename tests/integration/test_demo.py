# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The whole path, each stage too short to learn anything, and its resumption."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/demo.py"), "--quick", "--output", "out"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["task"] == "Cohoff-Square-Franka" and summary["device"] == "cpu"
    for rate in (summary["base"], summary["bc"], summary["csil"]["step0"], summary["csil"]["final"]):
        assert 0.0 <= rate["low"] <= rate["success"] <= rate["high"] <= 1.0 and rate["episodes"] == 4
    assert set(summary["seconds"]) == {"collect", "pretrain", "clone", "online", "evaluate", "total"}
    assert {"min_during_training", "env_steps", "updates"} <= set(summary["csil"])
    for name in ("success.png", "policy.gif", "policy.png", "train.log"):
        assert (tmp_path / "out" / name).stat().st_size > 0

    (tmp_path / "out/success.png").unlink()
    process = subprocess.run(
        [*command, "--resume"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "train" in json.loads((tmp_path / "out/summary.json").read_text())["reused"]


@pytest.mark.slow
def test_demo_from_pictures(tmp_path: Path) -> None:
    """A pi-0.5 from random weights, an encoder of its own for the agent."""
    command = [sys.executable, str(ROOT / "scripts/demo.py"), "--task", "Cohoff-Square-Camera-Franka", "--quick"]
    command += ["--agent", "csil_vision", "--train_pi05", "--output", "out", "presets=pictures48"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["base"]["episodes"] == summary["csil_vision"]["final"]["episodes"] == 4
    assert (tmp_path / "out/pi05/config.json").is_file()
    run = tmp_path / summary["run"]
    assert "encoder.safetensors" in (run / "params/agent.yaml").read_text() and list(run.glob("model_*.pt"))
