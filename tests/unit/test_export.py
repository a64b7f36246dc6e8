# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is exported acts as what was trained, base policy included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from test_dsrl import dsrl_run

from cohoff.errors import InputError
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.runner import OffPolicyRunner
from cohoff.policies.exported import ExportedPolicy
from cohoff.stress import point_mass
from cohoff.stress.training import make_runner

STEPS = 25
"""Control steps: several plans, and the ends of episodes."""


def trained(tmp_path: Path, **settings: Any) -> OffPolicyRunner:
    cfg = point_mass.smallest_run(tmp_path)
    cfg["algorithm"] |= settings
    runner = make_runner(cfg, tmp_path / "run")
    runner.learn(2)
    return runner


def executed(policy: Any, num_envs: int) -> list[torch.Tensor]:
    """Actions of a policy from the same states and noise."""
    torch.manual_seed(5)
    env = point_mass.PointMass(num_envs, None, seed=5)
    obs, actions = env.get_observations(), []
    for _ in range(STEPS):
        actions.append(policy(obs))
        obs, _, dones, _ = env.step(actions[-1])
        policy.reset(dones)
    return actions


@pytest.mark.parametrize("combination", ["residual", "policy"])
def test_the_export_acts_as_the_policy(tmp_path: Path, combination: str) -> None:
    runner = trained(tmp_path, combination=combination, replan_interval=4)
    runner.export_policy_to_onnx(str(tmp_path / "exported"))
    exported = ExportedPolicy(tmp_path / "exported", 8, "cpu", point_mass.TASK)
    pairs = zip(executed(load_policy(tmp_path / "run", 8, "cpu"), 8), executed(exported, 8), strict=True)
    for step, (ours, theirs) in enumerate(pairs):
        torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=0.0, msg=f"step {step}")
    about = json.loads((tmp_path / "exported" / "policy.json").read_text())
    assert about["task"] == point_mass.TASK and about["observation_groups"] == ["policy"]
    assert about["step"]["inputs"] == ["observation", *(["base_action"] if combination == "residual" else [])]
    assert (tmp_path / "exported" / "base.onnx").is_file() == (combination == "residual")
    if combination == "residual":
        assert (about["base"]["replan_interval"], about["base"]["horizon"]) == (4, 16)


def test_a_policy_that_chooses_noise_exports_the_choice_and_executes_the_plan(tmp_path: Path) -> None:
    runner = make_runner(dsrl_run(tmp_path, replan_interval=4), tmp_path / "run")
    runner.learn(2)
    runner.export_policy_to_onnx(str(tmp_path / "exported"))
    exported = ExportedPolicy(tmp_path / "exported", 8, "cpu", point_mass.TASK)
    ours, theirs = (executed(policy, 8) for policy in (load_policy(tmp_path / "run", 8, "cpu"), exported))
    torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=0.0)
    about = json.loads((tmp_path / "exported" / "policy.json").read_text())
    assert about["step"] is None and about["noise"] == {
        "file": "noise.onnx", "inputs": ["observation"], "output": "noise",
    }  # fmt: skip
    assert about["action_dim"] == 2 and not (tmp_path / "exported" / "policy.onnx").exists()
    noise = onnxruntime.InferenceSession(str(tmp_path / "exported" / "noise.onnx"))
    (chosen,) = noise.run(None, {"observation": np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)})
    assert isinstance(chosen, np.ndarray) and chosen.shape == (5, about["base"]["noise_dim"])
    assert 0.0 < abs(chosen).max() <= 1.5


def test_what_cannot_be_exported_is_said_and_does_not_end_playing(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    runner = trained(tmp_path)
    assert runner.alg.engine is not None
    runner.alg.engine.policy = point_mass.DriftingBase()
    runner.export_policy_to_onnx(str(tmp_path / "exported"))
    runner.export_policy_to_jit(str(tmp_path / "exported"))
    assert "not exported: only a flow base policy" in capsys.readouterr().out
    assert not (tmp_path / "exported").exists()


def test_a_folder_without_an_export_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no policy\.json"):
        ExportedPolicy(tmp_path, 1, "cpu")
