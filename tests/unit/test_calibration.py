# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Constants of the rewards, and what the returns of demonstrations say, against numbers worked out by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cohoff.algorithms.csil import reward as module
from cohoff.algorithms.csil.quality import return_quality
from cohoff.algorithms.csil.reward import CoherentReward, Reward, SparseReward, TimeReward, make_reward
from cohoff.errors import InputError
from cohoff.offpolicy.transitions import Transitions


@pytest.fixture(autouse=True)
def demonstrated_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the support 5 of these tests, a demonstration costs 1.5."""
    monkeypatch.setattr(module, "DEMONSTRATED_SHARE", 0.3)


EARNED = [1.0] * 18 + [-9.0, 3.0, 4.0]
"""Coherent rewards of 21 demonstrated steps: 95% are at most 3, and the floor of -5 cuts one."""


def clone_that_earns(obs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and spread of a policy with one action, whose coherent reward at action 0 is the first entry of ``obs``."""
    std = 2.0 / math.sqrt(2.0 * math.pi) * torch.exp(-obs[:, :1])
    return torch.zeros_like(std), std


def demonstrations(earned: list[float], length: int) -> Transitions:
    """Episodes of ``length`` steps with action 0."""
    obs = torch.tensor(earned)[:, None]
    states = {"actor": obs, "base_action": obs[:, :0]}
    lengths = torch.full((len(earned) // length,), length)
    last = {name: value[: len(lengths)] for name, value in states.items()}
    return Transitions(states, last, torch.zeros(len(earned), 1), lengths)


def coherent(share: float) -> CoherentReward:
    clone: Any = clone_that_earns
    reward = make_reward("coherent", clone, -5.0, share)
    assert isinstance(reward, CoherentReward)
    return reward


def step_rewards(reward: Reward, demos: Transitions) -> torch.Tensor:
    return reward(demos.now.actor, demos.action, demos.success)


def test_the_margin_is_the_set_share_of_the_mean_cost() -> None:
    """The ceiling is 3; 18 steps cost 2, one 8, two 0, so the density is 44/21; a margin of 44/63 is a quarter of both.

    Demonstrations of one step cost 44/21 + 44/63 = 176/63 in the mean, which becomes 1.5.
    """
    reward, demos = coherent(0.25), demonstrations(EARNED, 1)
    reward.calibrate(demos, discount=0.9, support=5.0)
    assert reward.ceiling == pytest.approx(3.0)
    assert reward.margin == pytest.approx(44 / 63)
    assert reward.scale == pytest.approx(176 / 63 / 1.5)
    assert reward.step_worth == pytest.approx(1.5)
    assert -step_rewards(reward, demos).mean().item() == pytest.approx(reward.step_worth)
    assert reward.waiting == pytest.approx(-0.375)
    assert step_rewards(reward, demos).max().item() == pytest.approx(reward.waiting)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_every_share_is_exact_and_reported(share: float) -> None:
    reward, demos = coherent(share), demonstrations(EARNED, 7)
    returns = reward.calibrate(demos, discount=0.9, support=5.0)
    assert reward.margin / (44 / 21 + reward.margin) == pytest.approx(share)
    report = return_quality(model_with(torch.linspace(-5.0, 0.0, 11)), reward, demos, returns, 0.9)
    # Without a margin, waiting costs nothing.
    assert report["density_share"] == pytest.approx(1.0 - share if share > 0.0 else 0.0)


def test_time_costs_the_same_on_every_step() -> None:
    """Two steps with discount 0.5 cost 1 + 0.5, which already is 1.5; with support 10 it becomes 3."""
    reward, demos = TimeReward(), demonstrations([1.0] * 4, 2)
    returns = reward.calibrate(demos, discount=0.5, support=5.0)
    assert (reward.scale, reward.step_worth, reward.waiting) == pytest.approx((1.0, 1.0, -1.0))
    assert returns.tolist() == pytest.approx([-1.5, -1.0, -1.5, -1.0])
    returns = reward.calibrate(demos, discount=0.5, support=10.0)
    assert (reward.scale, reward.step_worth, reward.waiting) == pytest.approx((0.5, 2.0, -2.0))
    assert returns.tolist() == pytest.approx([-3.0, -2.0, -3.0, -2.0])
    assert step_rewards(reward, demos).tolist() == pytest.approx([-2.0] * 4)


def test_sparse_pays_once() -> None:
    """Success is put at 5; a demonstration of two steps earns half of it per step."""
    reward, demos = SparseReward(), demonstrations([1.0] * 4, 2)
    returns = reward.calibrate(demos, discount=0.5, support=5.0)
    assert (reward.scale, reward.step_worth, reward.waiting) == pytest.approx((0.2, 2.5, 0.0))
    assert returns.tolist() == pytest.approx([2.5, 5.0, 2.5, 5.0])
    assert step_rewards(reward, demos).tolist() == pytest.approx([0.0, 5.0, 0.0, 5.0])


@pytest.mark.parametrize("name", ["coherent", "time", "sparse"])
def test_finishing_is_worth_more_than_waiting_and_fits_the_atoms(name: str) -> None:
    """At a discount of several lengths of a demonstration: with a margin of one half, 1 − discount^7 is below it."""
    clone: Any = clone_that_earns
    reward = make_reward(name, clone, -5.0, 0.5)
    returns = reward.calibrate(demonstrations([1.0] * 18 + [2.0, 3.0, 3.0], 7), discount=0.96, support=5.0)
    assert (returns >= 5.0 * reward.lowest).all() and (returns <= 5.0 * reward.highest).all()
    assert (returns > reward.waiting / (1.0 - 0.96)).all()
    assert reward.constants()["scale"] == reward.scale and reward.constants()["step_worth"] == reward.step_worth


def test_a_clone_that_is_no_surer_than_chance_ends_with_one_line() -> None:
    """A step far from the data, with reward 0, would cost nothing."""
    with pytest.raises(InputError, match=r"agent\.algorithm\.clone\.steps") as raised:
        coherent(0.5).calibrate(demonstrations([-1.0] * 4, 2), discount=0.9, support=5.0)
    assert "\n" not in str(raised.value)


def test_a_margin_can_make_up_for_an_unsure_clone() -> None:
    """Ceiling −0.1, density and margin 1: demonstrations of 1 + 0.9 and 1 + 0.9·5, in the mean 3.7."""
    reward = coherent(0.5)
    reward.calibrate(demonstrations([-0.1, -0.1, -0.1, -4.1], 2), discount=0.9, support=5.0)
    assert reward.scale == pytest.approx(3.7 / 1.5)


def model_with(atoms: torch.Tensor) -> Any:
    return SimpleNamespace(critic=SimpleNamespace(atoms=atoms))


def test_the_time_reward_says_nothing_but_time() -> None:
    """Three steps cost 1.75 and waiting 2: with 1.5 for the demonstration, 1.5·0.25/1.75, in atoms at distance 0.5."""
    reward, demos = TimeReward(), demonstrations([1.0] * 6, 3)
    returns = reward.calibrate(demos, discount=0.5, support=5.0)
    report = return_quality(model_with(torch.linspace(-5.0, 0.0, 11)), reward, demos, returns, 0.5)
    assert report == pytest.approx(
        {"discount": 0.5, "not_time": 0.0, "density_share": 0.0, "finishing_atoms": 3.0 / 7.0}, abs=1e-6
    )


def test_the_sparse_reward_says_nothing_but_time() -> None:
    """A demonstration of three steps is worth 5/4 more than waiting, in atoms at distance 1."""
    reward, demos = SparseReward(), demonstrations([1.0] * 6, 3)
    returns = reward.calibrate(demos, discount=0.5, support=5.0)
    report = return_quality(model_with(torch.linspace(-5.0, 5.0, 11)), reward, demos, returns, 0.5)
    assert report == pytest.approx(
        {"discount": 0.5, "not_time": 0.0, "density_share": 0.0, "finishing_atoms": 1.25}, abs=1e-6
    )


def test_what_time_does_not_explain_is_the_rest_of_the_variance() -> None:
    """To −(0.5, 1, 0.5, 1), which is time, comes ±0.25 by episode: half of the variance of 1/8."""
    reward, demos = TimeReward(), demonstrations([1.0] * 4, 2)
    reward.calibrate(demos, discount=0.5, support=5.0)
    returns = torch.tensor([-0.25, -0.75, -0.75, -1.25])
    report = return_quality(model_with(torch.linspace(-5.0, 0.0, 11)), reward, demos, returns, 0.5)
    assert report["not_time"] == pytest.approx(0.5)
    assert report["finishing_atoms"] == pytest.approx((-0.5 + 2.0) / 0.5)
