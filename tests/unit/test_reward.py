# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The coherent reward at its data, far away, and at the end of an episode."""

from __future__ import annotations

import pytest
import torch

from cohoff.algorithms.csil.cloning import train_clone
from cohoff.algorithms.csil.reward import DEMONSTRATED_SHARE, CoherentReward, discounted_returns
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.transitions import Transitions

DISCOUNT = 0.9875


def transitions(obs: torch.Tensor, actions: torch.Tensor, lengths: torch.Tensor) -> Transitions:
    states = {"actor": obs, "base_action": obs[:, :0]}
    return Transitions(states, {name: value[: len(lengths)] for name, value in states.items()}, actions, lengths)


@pytest.fixture(scope="module")
def demos() -> Transitions:
    """Forty episodes of a smooth behavior with execution noise 0.05."""
    torch.manual_seed(0)
    lengths = torch.full((40,), 30)
    obs = torch.randn(1200, 6)
    mode = torch.tanh(obs[:, :3] * 0.5)
    actions = (mode + 0.05 * torch.randn_like(mode)).clamp(-0.99, 0.99)
    return transitions(obs, actions, lengths)


@pytest.fixture(scope="module")
def clone(demos: Transitions) -> StationaryPolicy:
    torch.manual_seed(0)
    policy = StationaryPolicy(6, 3, num_features=64)
    cfg = {
        "steps": 700,
        "epochs": 0.0,
        "batch_size": 256,
        "learning_rate": 1e-3,
        "covariance_learning_rate": 5e-3,
        "holdout": 0.1,
    }
    train_clone(policy, demos, None, cfg, lambda step, status: None)
    return policy.requires_grad_(False)


def test_reward_is_high_at_demonstrations_and_near_zero_far_away(demos: Transitions, clone: StationaryPolicy) -> None:
    reward = CoherentReward(clone, floor=-5.0, margin_share=0.45)
    torch.manual_seed(1)
    uniform = torch.rand_like(demos.action) * 2.0 - 1.0
    at_data = reward.raw(demos.now.actor, demos.action).mean()
    far = reward.raw(demos.now.actor + 8.0 * torch.randn_like(demos.now.actor), uniform).mean()
    wrong = reward.raw(demos.now.actor, uniform).mean()
    assert at_data > 0.9
    assert far.abs() < 1.0
    assert wrong < -5.0


def test_finishing_is_never_worth_less_than_waiting(demos: Transitions, clone: StationaryPolicy) -> None:
    """Success ends at value 0, every further step costs, and walking a demonstration beats waiting where it is best."""
    reward = CoherentReward(clone, floor=-5.0, margin_share=0.45)
    returns = reward.calibrate(demos, DISCOUNT, support=5.0)
    flags = torch.zeros(len(demos.now.actor), dtype=torch.bool)
    for action in (torch.tanh(clone(demos.now.actor)[0]), demos.action):
        assert (reward(demos.now.actor, action, flags) < 0.0).all()
    waiting = -reward.margin / reward.scale / (1.0 - DISCOUNT)
    assert (returns[demos.first_rows] >= waiting - 1e-4).float().mean() >= 0.94


def test_calibration_fits_the_support_and_scales_reward_and_returns_alike(
    demos: Transitions, clone: StationaryPolicy
) -> None:
    reward = CoherentReward(clone, floor=-5.0, margin_share=0.45)
    returns = reward.calibrate(demos, DISCOUNT, support=5.0)
    assert returns[demos.first_rows].mean().item() == pytest.approx(-5.0 * DEMONSTRATED_SHARE)
    flags = torch.zeros(len(demos), dtype=torch.bool)
    again = discounted_returns(reward(demos.now.actor, demos.action, flags), DISCOUNT, demos.lengths.tolist())
    torch.testing.assert_close(again, returns)


def test_the_ceiling_is_what_the_clone_earns_at_its_best(demos: Transitions, clone: StationaryPolicy) -> None:
    reward = CoherentReward(clone, floor=-5.0, margin_share=0.45)
    reward.calibrate(demos, DISCOUNT, support=5.0)
    at_mode = reward.raw(demos.now.actor, torch.tanh(clone(demos.now.actor)[0]))
    assert (at_mode > reward.ceiling).float().mean().item() == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("holdout", [0.0, 0.5])
def test_held_out_demonstrations_are_not_cloned(demos: Transitions, holdout: float) -> None:
    """The first half of the demonstrations contradicts the second: who clones all of them ends in between."""
    opposed = demos.action.clone()
    opposed[:600] = 0.8
    opposed[600:] = -0.8
    mixed = transitions(demos.now.actor, opposed, demos.lengths)
    torch.manual_seed(0)
    policy = StationaryPolicy(6, 3, num_features=32)
    cfg = {
        "steps": 250,
        "epochs": 0.0,
        "batch_size": 256,
        "learning_rate": 1e-3,
        "covariance_learning_rate": 5e-3,
        "holdout": holdout,
    }
    train_clone(policy, mixed, None, cfg, lambda step, status: None)
    mean = torch.tanh(policy(demos.now.actor)[0]).mean()
    assert mean < -0.4 if holdout else mean.abs() < 0.2
