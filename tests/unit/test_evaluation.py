# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The evaluation loop on a scripted environment, and the interval against numbers worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.experiments.intervals import wilson_interval
from cohoff.isaac.evaluation import evaluate


class ScriptedEnv:
    """Each environment runs through its own list of (length, outcome), outcome in "success", "time_out", "invalid"."""

    def __init__(self, scripts: list[list[tuple[int, str]]]) -> None:
        self.scripts = [list(script) for script in scripts]
        self.num_envs = len(scripts)
        self.ignored: list[list[bool] | None] = []
        self.unwrapped = SimpleNamespace(num_envs=self.num_envs, device="cpu", ignore_pictures=self._ignore)
        self.step_of = [0] * self.num_envs
        self.steps = 0

    def _ignore(self, rows: Tensor | None) -> None:
        self.ignored.append(None if rows is None else rows.tolist())

    def _obs(self) -> dict[str, Tensor]:
        return {"policy": torch.tensor(self.step_of, dtype=torch.float32)[:, None]}

    def reset(self) -> tuple[dict[str, Tensor], dict]:
        return self._obs(), {}

    def step(self, actions: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor, dict[str, Any]]:
        assert actions.shape == (self.num_envs, 1)
        self.steps += 1
        flags = {name: torch.zeros(self.num_envs, dtype=torch.bool) for name in ("success", "invalid", "time_out")}
        for i, script in enumerate(self.scripts):
            self.step_of[i] += 1
            length, outcome = script[0] if script else (2, "success")
            if self.step_of[i] == length:
                flags[outcome][i] = True
                self.step_of[i] = 0
                if script:
                    script.pop(0)
        terminated = flags["success"] | flags["invalid"]
        dones = terminated | flags["time_out"]
        extras = {"success": flags["success"], "invalid": flags["invalid"], "num_resets": int(dones.sum())}
        return self._obs(), torch.zeros(self.num_envs), terminated, flags["time_out"], extras


class RecordingPolicy:
    """Zero actions; keeps what it was told about resets."""

    def __init__(self) -> None:
        self.resets: list[list[bool]] = []

    def __call__(self, obs: TensorDict) -> Tensor:
        return torch.zeros(obs.batch_size[0], 1)

    def reset(self, dones: Tensor) -> None:
        self.resets.append(dones.tolist())


def test_each_environment_contributes_the_same_number() -> None:
    """The fast environment finishes many successes while the slow one fails once: only its first two count."""
    env = ScriptedEnv([[(2, "success")] * 50, [(10, "time_out"), (30, "time_out")]])
    seen = []
    result = evaluate(env, RecordingPolicy(), episodes=3, progress=seen.append)
    assert result.success.tolist() == [True, False, True, False]
    assert result.lengths.tolist() == [2, 10, 2, 30]
    assert env.steps == 40 and result.env_steps == 80
    # The fast environment is through after its second episode; nobody is left out once all is over.
    assert env.ignored[:2] == [[False, False], [True, False]] and env.ignored[-2:] == [[True, True], None]
    summary = result.summary()
    assert summary["success"] == 0.5 and summary["episodes"] == 4 and summary["outcomes"] == "1010"
    assert (summary["low"], summary["high"]) == wilson_interval(2, 4)
    assert summary["lengths"]["success"]["mean"] == 2.0 and summary["lengths"]["all"]["mean"] == 11.0
    assert (seen[0].finished, seen[0].episodes) == (0, 4) and (seen[-1].finished, seen[-1].success) == (4, 0.5)
    # No rate before the slow environment has an outcome; by then the fast one has succeeded five times.
    assert [now.success for now in seen[:5]] == [None] * 5 and {now.success for now in seen[5:]} == {0.5}


def test_non_finite_episodes_are_failures() -> None:
    env = ScriptedEnv([[(3, "invalid"), (4, "success")], [(5, "success"), (2, "invalid")]])
    result = evaluate(env, RecordingPolicy(), episodes=4)
    assert result.non_finite == 2
    assert result.success.tolist() == [False, True, True, False] and result.summary()["outcomes"] == "0110"
    assert result.lengths.tolist() == [3, 5, 4, 2]


def test_an_episode_both_successful_and_non_finite_is_a_failure() -> None:
    env = ScriptedEnv([[(3, "success")]])
    step = env.step

    def spoiled_step(actions: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor, dict[str, Any]]:
        obs, reward, terminated, truncated, extras = step(actions)
        extras["invalid"] = extras["success"].clone()
        return obs, reward, terminated, truncated, extras

    env.step = spoiled_step
    result = evaluate(env, RecordingPolicy(), episodes=1)
    assert result.success.tolist() == [False] and result.non_finite == 1


def test_the_policy_is_reset_at_the_start_and_where_episodes_end() -> None:
    policy = RecordingPolicy()
    evaluate(ScriptedEnv([[(2, "success")], [(3, "time_out")]]), policy, episodes=2)
    assert policy.resets == [[True, True], [True, False], [False, True]]


def test_no_success_has_no_lengths_of_successes() -> None:
    summary = evaluate(ScriptedEnv([[(2, "time_out")]]), RecordingPolicy(), episodes=1).summary()
    assert summary["lengths"]["success"] is None and summary["success"] == 0.0


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # By hand with z = 1.96: center (k + z^2/2) / (n + z^2), half width z sqrt(k(n-k)/n + z^2/4) / (n + z^2).
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (243, 256, 0.9151, 0.9701),
    ],
)
def test_wilson_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 5)])
def test_wilson_interval_refuses_impossible_counts(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="trials"):
        wilson_interval(successes, trials)
