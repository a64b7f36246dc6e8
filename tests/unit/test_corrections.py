# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Disturbed demonstrations: recording, replaying, reading and cloning them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from demo_cases import write_file
from isaaclab.utils.datasets import EpisodeData

from cohoff.algorithms.csil.cloning import num_steps, train_clone
from cohoff.data.demonstrations import load_demonstrations
from cohoff.errors import InputError
from cohoff.isaac.recording import disturb
from cohoff.isaac.replaying import Disturbance, replay
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.transitions import Corrections, Transitions

STEPS = 40


class PathEnv:
    """Environments whose hand moves by its action along a line; success is to be at 1 after 40 steps, within .05."""

    device, num_envs, max_episode_length = "cpu", 2, 60

    def __init__(self) -> None:
        self.scene = self
        self.position = torch.zeros(2)
        self.actions: list[torch.Tensor] = []

    def get_state(self, is_relative: bool) -> dict[str, torch.Tensor]:
        return {"position": self.position.clone()[:, None]}

    def reset_to(self, state: dict[str, torch.Tensor], is_relative: bool) -> tuple[dict[str, torch.Tensor], dict]:
        self.position = state["position"][:, 0].clone()
        self.steps = 0
        return {"policy": self.position.clone()[:, None]}, {}

    def step(self, action: torch.Tensor) -> tuple[Any, ...]:
        self.actions.append(action.clone())
        self.position += action[:, 0]
        self.steps += 1
        success = torch.full((2,), self.steps == STEPS) & ((self.position - 1.0).abs() < 0.05)
        obs = {"policy": self.position.clone()[:, None]}
        extras = {"success": success, "num_resets": int(success.sum()), "final_obs": obs}
        return obs, success.float(), success, torch.zeros_like(success), extras


def recorded_path() -> EpisodeData:
    """40 steps of 1/40 with the gripper closed."""
    episode = EpisodeData()
    actions = torch.tensor([[1.0 / STEPS, 0.8]]).repeat(STEPS, 1)
    episode.data = {"actions": actions, "initial_state": {"position": torch.zeros(1, 1)}}
    return episode


def test_a_disturbed_replay_comes_back_to_its_path() -> None:
    """Steps of noise .1 would end .63 away (40 random steps); steered back by .3 they stay within a few of them."""
    env = PathEnv()
    success, replays = replay(env, [recorded_path()] * 2, None, Disturbance(0.1, seed=1), record=True)  # pyright: ignore[reportArgumentType]
    executed = torch.stack(env.actions)[:STEPS]
    excess = (executed[..., 0] - 1.0 / STEPS).cumsum(0)
    assert 0.05 < excess.std() < 0.25 and excess.abs().max() < 0.5
    assert len(replays) == int(success.sum())


def test_what_a_replay_intends_is_the_path_and_a_part_of_the_way_back() -> None:
    env = PathEnv()
    _, replays = replay(env, [recorded_path()] * 2, None, Disturbance(0.02, seed=0), record=True)  # pyright: ignore[reportArgumentType]
    assert replays
    data = replays[0].data
    assert data["intended_actions"].shape == data["actions"].shape == (STEPS, 2)
    excess = (data["actions"][:, 0] - 1.0 / STEPS).cumsum(0)
    torch.testing.assert_close(data["intended_actions"][1:, 0], 1.0 / STEPS - 0.3 * excess[:-1])
    assert (data["intended_actions"][:, 1] == 0.8).all()


def test_an_undisturbed_replay_executes_what_was_recorded() -> None:
    env = PathEnv()
    success, replays = replay(env, [recorded_path()] * 2)  # pyright: ignore[reportArgumentType]
    assert success.all() and replays == []
    assert torch.stack(env.actions)[:STEPS, :, 0].eq(1.0 / STEPS).all()


def test_disturbed_actions_stay_in_their_bounds() -> None:
    generator = torch.Generator().manual_seed(0)
    action = torch.full((10_000, 1), 0.9)
    noisy = disturb(action, 0.2, generator)
    assert noisy.max() == 1.0 and (noisy - action).clamp_max(0.0).min() < -0.5
    assert disturb(action, 0.0, generator) is action


def test_intended_actions_are_read_where_they_were_recorded(tmp_path: Path) -> None:
    def add(index: int, data: dict[str, Any]) -> None:
        data["intended_actions"] = data["actions"] + 0.5

    plain = load_demonstrations(write_file(tmp_path / "plain.hdf5"))
    assert torch.equal(plain.intended, plain.actions)
    disturbed = load_demonstrations(write_file(tmp_path / "disturbed.hdf5", edit=add))
    torch.testing.assert_close(disturbed.intended, disturbed.actions + 0.5)
    assert torch.equal(disturbed.subset([1]).intended, disturbed.intended[3:])


def test_intended_actions_of_another_shape_are_refused(tmp_path: Path) -> None:
    def cut(index: int, data: dict[str, Any]) -> None:
        data["intended_actions"] = data["actions"][:, :1]

    with pytest.raises(InputError, match="is inconsistent"):
        load_demonstrations(write_file(tmp_path / "cut.hdf5", edit=cut))


def test_long_demonstrations_are_cloned_for_more_steps() -> None:
    """Two passes over 400 demonstrated and 240 corrected transitions are 32 batches of 40."""
    states = {"actor": torch.zeros(400, 2), "base_action": torch.zeros(400, 0)}
    lasts = {name: value[:10] for name, value in states.items()}
    demonstrations = Transitions(states, lasts, torch.zeros(400, 1), torch.full((10,), 40))
    corrections = Corrections(torch.zeros(240, 2), torch.zeros(240, 1))
    cfg = {"steps": 5, "epochs": 2.0, "batch_size": 40}
    assert num_steps(cfg, demonstrations, corrections) == 32 and num_steps(cfg, demonstrations, None) == 20
    assert num_steps(cfg | {"steps": 100}, demonstrations, corrections) == 100


@pytest.mark.parametrize("holdout", [0.0, 0.5])
def test_the_policy_clones_demonstrations_and_corrections(holdout: float) -> None:
    """.5 is demonstrated left of 0, and -.5 intended right of it; both are cloned, whatever is held out."""
    torch.manual_seed(0)
    left, right = -torch.rand(400, 2) - 0.5, torch.rand(400, 2) + 0.5
    states = {"actor": left, "base_action": left[:, :0]}
    lasts = {name: value[:10] for name, value in states.items()}
    noise = 0.02 * torch.randn(400, 1)
    demonstrations = Transitions(states, lasts, 0.5 + noise, torch.full((10,), 40))
    policy = StationaryPolicy(2, 1, num_features=32)
    cfg = {
        "steps": 400,
        "epochs": 0.0,
        "batch_size": 128,
        "learning_rate": 3e-3,
        "covariance_learning_rate": 5e-3,
        "holdout": holdout,
    }
    measured = train_clone(policy, demonstrations, Corrections(right, -0.5 + noise), cfg, lambda step, status: None)
    mean = torch.tanh(policy(torch.cat([left, right]))[0])
    assert (mean[:400] - 0.5).abs().mean() < 0.1 and (mean[400:] + 0.5).abs().mean() < 0.1
    assert measured["mse"] < 0.02  # of demonstrations alone
