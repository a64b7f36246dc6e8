# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files with failures: what is read, refused and reported."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import pytest
import torch
from test_demos import TASK, write_file

from cohoff.commands import collect_demos, inspect
from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.recording import load_recording
from cohoff.data.statistics import coverage, describe
from cohoff.errors import InputError
from cohoff.isaac.recording import collect


def write_outcomes(path: Path, won: list[bool], rewards: bool = True, **kwargs: Any) -> Path:
    """Episodes of three steps with the given outcomes, and a reward of 1 at success."""
    write_file(path, lengths=[3] * len(won), **kwargs)
    with h5py.File(path, "a") as file:
        for index, success in enumerate(won):
            group: Any = file[f"data/demo_{index}"]
            group.attrs["success"] = success
            if rewards:
                group["rewards"] = [0.0, 0.0, float(success)]
    return path


def refused(words: str, *paths: Path, **kwargs: Any) -> None:
    with pytest.raises(InputError, match=words) as info:
        load_recording(paths, **kwargs)
    assert "\n" not in str(info.value)


def test_files_are_joined_with_their_outcomes(tmp_path: Path) -> None:
    first = write_outcomes(tmp_path / "a.hdf5", [True, False])
    second = write_outcomes(tmp_path / "b.hdf5", [False, True, True])
    recording = load_recording([first, second], TASK)
    assert recording.success.tolist() == [True, False, False, True, True]
    assert recording.returns.tolist() == [1.0, 0.0, 0.0, 1.0, 1.0]
    assert recording.starts.tolist() == [0, 3, 6, 9, 12]
    assert recording.obs[recording.starts, 0].tolist() == [0, 1, 0, 1, 2]
    demonstrations = recording.demonstrations()
    assert demonstrations.num_episodes == 3 and demonstrations.obs[::3, 0].tolist() == [0, 1, 2]


def test_demonstrations_still_refuse_failures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not marked as a success"):
        load_demonstrations(write_outcomes(tmp_path / "a.hdf5", [True, False]))


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    good = write_outcomes(tmp_path / "a.hdf5", [True])
    refused("task 'Other', not", good, write_outcomes(tmp_path / "b.hdf5", [True], task="Other"))
    refused("size 6, not 4", good, write_outcomes(tmp_path / "c.hdf5", [True], obs_dim=6))
    refused("no episodes", good, write_outcomes(tmp_path / "d.hdf5", []))
    with h5py.File(good, "a") as file:
        del file["data/demo_0"].attrs["success"]
    refused("success or a failure", good)


def test_missing_returns_and_successes_are_named_when_they_are_needed(tmp_path: Path) -> None:
    bare = write_outcomes(tmp_path / "a.hdf5", [False, False], rewards=False)
    recording = load_recording([bare, write_outcomes(tmp_path / "b.hdf5", [False])])
    with pytest.raises(InputError, match="no rewards"):
        _ = recording.returns
    with pytest.raises(InputError, match="no episode of the data succeeded"):
        recording.demonstrations()


def test_rewards_of_another_length_are_refused(tmp_path: Path) -> None:
    path = write_outcomes(tmp_path / "a.hdf5", [True])
    with h5py.File(path, "a") as file:
        del file["data/demo_0/rewards"]
        file["data/demo_0/rewards"] = [0.0, 1.0]
    refused("2 rewards for 3 actions", path)


def test_statistics(tmp_path: Path) -> None:
    found = describe(load_recording([write_outcomes(tmp_path / "a.hdf5", [True, False, True, False])]))
    assert (found["episodes"], found["successes"], found["transitions"]) == (4, 2, 12)
    assert found["returns"]["mean"] == 0.5 and found["lengths"]["failure"]["mean"] == 3.0
    assert found["actions"][0]["max"] == pytest.approx(0.02) and found["actions"][0]["at_bound"] == 0.0
    assert found["observations"]["constant"] == 2
    assert json.dumps(found, allow_nan=False)


def test_failures_far_from_every_success_are_told(tmp_path: Path) -> None:
    near = load_recording([write_outcomes(tmp_path / "a.hdf5", [True, True, False])])
    assert coverage(near)["failures_near_success"] == 1.0
    near.observations["policy"][near.starts[2] :] += 100.0
    assert coverage(near)["failures_near_success"] == 0.0


def test_inspect_prints_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_outcomes(tmp_path / "a.hdf5", [True, False, False])
    inspect.main([str(path), "--picture", str(tmp_path / "p.png"), "--json", str(tmp_path / "p.json")])
    assert "1 of 3 episodes succeeded" in capsys.readouterr().out
    assert (tmp_path / "p.png").stat().st_size > 1_000
    assert json.loads((tmp_path / "p.json").read_text())["successes"] == 1
    with pytest.raises(InputError, match=r"\.png"):
        inspect.parse_arguments([str(path), "--picture", str(tmp_path / "p.txt")])


class Scripted:
    """Two environments whose episodes last two steps and end as ``outcomes`` say: success, failure or breakdown."""

    num_envs, device, max_episode_length = 2, "cpu", 2

    def __init__(self, outcomes: list[str]) -> None:
        self.outcomes, self.steps = outcomes, 0
        self.scene = SimpleNamespace(get_state=lambda is_relative: {"nut": torch.zeros(2, 3)})

    def reset(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        return {"policy": torch.zeros(2, 4)}, {}

    def step(self, action: torch.Tensor) -> tuple[Any, ...]:
        self.steps += 1
        ends = self.steps % 2 == 0
        ended = [self.outcomes.pop(0), self.outcomes.pop(0)] if ends else ["", ""]
        success = torch.tensor([one == "success" for one in ended])
        extras = {
            "success": success, "invalid": torch.tensor([one == "broken" for one in ended]),
            "num_resets": 2 * ends, "final_obs": {"policy": torch.ones(2, 4)},
        }  # fmt: skip
        return {"policy": torch.zeros(2, 4)}, success.float(), success, torch.full((2,), ends), extras


class Still:
    """A policy that stands still."""

    def __call__(self, obs: Any) -> torch.Tensor:
        return torch.zeros(2, 3)

    def reset(self, dones: torch.Tensor) -> None:
        pass


@pytest.mark.parametrize(("keep_failures", "won"), [(True, [False, True, True]), (False, [True, True, True])])
def test_failures_are_kept_where_they_are_asked_for_and_breakdowns_never(keep_failures: bool, won: list[bool]) -> None:
    outcomes = ["success", "failure", "broken", "success", "success", "success"]
    env: Any = Scripted(outcomes)
    episodes = collect(env, Still(), 3, 0.0, 0.0, seed=0, keep_failures=keep_failures)
    assert sorted(bool(episode.success) for episode in episodes) == won
    assert all(len(episode.data["rewards"]) == 2 for episode in episodes)
    assert {float(episode.data["rewards"].sum()) for episode in episodes} == {float(one) for one in won}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--policy", "random"], "add --keep all"),
        (["--policy", "base", "--keep", "all"], "needs --checkpoint"),
        (["--policy", "ppo", "--keep", "all", "--checkpoint", "x"], "ppo"),
    ],
)
def test_what_cannot_be_recorded(arguments: list[str], words: str, tmp_path: Path) -> None:
    always = ["--task", TASK, "--num_demonstrations", "2", "--output", str(tmp_path / "d.hdf5")]
    with pytest.raises(InputError, match=words):
        collect_demos.parse_arguments([*always, *arguments])


def test_only_the_expert_acts_with_noise_unless_told(tmp_path: Path) -> None:
    always = ["--task", TASK, "--num_demonstrations", "2", "--output", str(tmp_path / "d.hdf5")]
    assert collect_demos.parse_arguments(always).noise == 0.05
    assert collect_demos.parse_arguments([*always, "--policy", "random", "--keep", "all"]).noise == 0.0
