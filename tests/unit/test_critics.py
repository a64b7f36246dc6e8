# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Losses that several algorithms share, against numbers worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from cohoff.algorithms.common import categorical_td, entropy, losses, scalar_td, temporal_difference
from cohoff.networks.normalized import NormalizedInput
from cohoff.offpolicy.batch import Batch, State


def one_state(obs: float) -> State:
    return State(torch.tensor([[obs]]), torch.tensor([[obs]]), torch.zeros(1, 1), {})


def one_row(weight: float = 1.0) -> Batch:
    """Return 1, discount .5, at observation 2 and then 3."""
    return Batch(
        one_state(2.0), torch.tensor([[0.5]]), torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([0.75]),
        one_state(3.0), torch.tensor([weight]),
    )  # fmt: skip


class LinearCritic(torch.nn.Module):
    """Members worth ``factors`` times the sum of observation and action."""

    def __init__(self, *factors: float) -> None:
        super().__init__()
        self.factors = torch.nn.Parameter(torch.tensor(factors))

    def value(self, obs: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        return self.factors[:, None] * torch.cat([obs, action], -1).sum(-1)


def linear_model() -> Any:
    return SimpleNamespace(
        critic=LinearCritic(1.0, 2.0),
        target=LinearCritic(1.0, 2.0, 3.0),
        critic_inputs=lambda state, action: (state.critic, action),
    )


def test_the_squared_error_is_weighted_and_summed_over_members() -> None:
    """Members 1, 2 and 3, 0 against 2, 0: the second row counts half. (1 + 2) / 2 + (1 + 0) / 2."""
    values = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    loss = temporal_difference.scalar_td_loss(values, torch.tensor([2.0, 0.0]), torch.tensor([1.0, 0.5]))
    assert loss.item() == pytest.approx(2.0)


def test_a_scalar_target_is_the_least_of_the_subset() -> None:
    """1 − .25 + .5·min(2, 3)·(3 + 1) at the next action 1; member 0, worth less, is not asked."""
    target = scalar_td.bootstrap_target(
        linear_model(), one_row(), torch.ones(1, 1), torch.tensor([0.25]), torch.tensor([2, 1])
    )
    assert_close(target, torch.tensor([4.75]))


def test_a_random_subset_has_different_members_and_all_in_turn() -> None:
    torch.manual_seed(0)
    drawn = [temporal_difference.random_members(5, 2, torch.device("cpu")).tolist() for _ in range(100)]
    assert all(len(set(members)) == 2 for members in drawn)
    assert {member for members in drawn for member in members} == set(range(5))


def test_the_gradient_penalty_is_the_slope_in_the_action() -> None:
    """Values 2.5 and 5 against 4: (1.5² + 1²) = 3.25, and the mean slope of both members is 1.5."""
    loss, metrics = scalar_td.critic_loss(linear_model(), one_row(), torch.tensor([4.0]), 1, 2.0)
    assert metrics["critic_loss"].item() == pytest.approx(3.25)
    assert metrics["q_demo"].item() == pytest.approx(3.75)
    assert loss.item() == pytest.approx(3.25 + 2.0 * 1.5)
    loss, _ = scalar_td.critic_loss(linear_model(), one_row(weight=0.0), torch.tensor([4.0]), 1, 0.0)
    assert loss.item() == 0.0


def test_the_critic_learns_its_target() -> None:
    model = linear_model()
    optimizer = torch.optim.Adam(model.critic.parameters(), 0.05, fused=True)
    for _ in range(200):
        metrics = scalar_td.update_critic(model, optimizer, one_row(), torch.tensor([4.0]), 1, 0.0)
    assert metrics["critic_loss"].item() < 1e-3 and metrics["skipped_critic"].item() == 0.0


def test_a_categorical_target_pays_its_cost() -> None:
    """All mass at 1: 1 − .5 + .5·1 = 1; without the cost 1.5."""
    atoms = torch.linspace(-2.0, 2.0, 9)

    def critic(obs: torch.Tensor, action: torch.Tensor, batch_statistics: bool, rows: slice) -> torch.Tensor:
        return torch.where(atoms == 1.0, 40.0, -40.0).expand(1, len(obs[rows]), -1)

    critic.atoms = atoms  # pyright: ignore[reportFunctionMemberAccess]
    model: Any = SimpleNamespace(target=critic, critic_inputs=lambda state, action: (state.critic, action))
    for cost, value in ((0.5, 1.0), (0.0, 1.5)):
        target, clipped = categorical_td.bootstrap_target(model, one_row(), torch.zeros(1, 1), torch.tensor([cost]))
        assert (target @ atoms).item() == pytest.approx(value) and clipped == 0.0


def test_the_actor_trades_value_for_entropy() -> None:
    """.5·mean(−1, 2) − mean(1, 2, 3, 4) = .25 − 2.5."""
    value = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert entropy.actor_loss(torch.tensor([-1.0, 2.0]), value, torch.tensor(0.5)).item() == pytest.approx(-2.25)


@pytest.mark.parametrize(("log_prob", "rises"), [(3.0, True), (1.0, False)])
def test_the_temperature_rises_where_the_entropy_is_below_its_target(log_prob: float, rises: bool) -> None:
    """−2·(log pi − 2) = ∓2, and its gradient in the logarithm of the temperature is the same."""
    log_temperature = torch.tensor(2.0).log().requires_grad_()
    loss = entropy.temperature_loss(log_temperature, torch.full((4,), log_prob), target_entropy=-2.0)
    loss.backward()
    expected = -2.0 if rises else 2.0
    assert loss.item() == pytest.approx(expected)
    assert log_temperature.grad is not None and log_temperature.grad.item() == pytest.approx(expected)


def test_a_sample_comes_with_its_density() -> None:
    torch.manual_seed(0)
    mean, std, noise = torch.randn(32, 3), 0.1 + torch.rand(32, 3), 0.5 * torch.randn(32, 3)
    action, log_prob = losses.sample_with_log_prob(mean, std, noise)
    assert_close(action, losses.sample_tanh_gaussian(mean, std, noise))
    inside = (action.abs() < 0.99).all(1)
    assert inside.sum() > 16
    assert_close(log_prob[inside], losses.tanh_gaussian_log_prob(mean, std, action)[inside], atol=1e-3, rtol=1e-3)


def test_the_density_of_a_saturated_action_is_finite() -> None:
    _, log_prob = losses.sample_with_log_prob(torch.full((1, 1), 40.0), torch.ones(1, 1), torch.zeros(1, 1))
    assert log_prob.item() == pytest.approx(-0.9189 + 2.0 * (40.0 - 0.6931), abs=1e-3)


def test_constant_entries_are_not_blown_up() -> None:
    obs = torch.tensor([[1.0, 0.0], [1.0, 2.0]])
    network = NormalizedInput(2)
    network.fit_normalization(obs)
    assert_close(network.obs_mean, torch.tensor([1.0, 1.0]))
    assert_close(network.obs_std, torch.tensor([0.05, 2.0**0.5]))
