# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learner's mathematics against numbers worked out by hand or by sampling."""

from __future__ import annotations

import math

import torch
from torch.testing import assert_close

from cohoff.algorithms.common import categorical, losses
from cohoff.algorithms.csil.reward import discounted_returns


def test_projection_splits_mass_between_neighbors() -> None:
    """Atoms 0, 1, 2: mass .5 at .25 gives .375/.125; mass .5 at 2 stays on the last atom."""
    atoms = torch.tensor([0.0, 1.0, 2.0])
    projected, outside = categorical.project_categorical(torch.tensor([[0.5, 0.5]]), torch.tensor([[0.25, 2.0]]), atoms)
    assert_close(projected, torch.tensor([[0.375, 0.125, 0.5]]))
    assert outside == 0.0


def test_projection_keeps_mass_and_mean_and_counts_what_is_clipped() -> None:
    torch.manual_seed(0)
    atoms = torch.linspace(-5.0, 5.0, 101)
    probs = torch.rand(16, 101).softmax(-1)
    positions = torch.rand(16, 101) * 9.0 - 4.5
    projected, outside = categorical.project_categorical(probs, positions, atoms)
    assert_close(projected.sum(-1), torch.ones(16))
    assert_close((projected * atoms).sum(-1), (probs * positions).sum(-1), atol=1e-5, rtol=1e-5)
    assert outside == 0.0
    clipped, outside = categorical.project_categorical(torch.tensor([[0.25, 0.75]]), torch.tensor([[-7.0, 6.0]]), atoms)
    assert_close(clipped[0, [0, -1]], torch.tensor([0.25, 0.75]))
    assert outside == 1.0


def test_two_hot_has_the_given_mean() -> None:
    atoms = torch.linspace(-1.0, 1.0, 5)
    target, _ = categorical.two_hot(torch.tensor([0.1, -1.0, 1.0]), atoms)
    assert_close(target[0], torch.tensor([0.0, 0.0, 0.8, 0.2, 0.0]))
    assert_close(target @ atoms, torch.tensor([0.1, -1.0, 1.0]))


def test_log_prob_is_a_density_in_action_space() -> None:
    """Integrates to 1 over (−1, 1)."""
    mean, std = torch.tensor([[0.3]]), torch.tensor([[0.7]])
    grid = torch.linspace(-0.9989, 0.9989, 200_001)[:, None]
    density = losses.tanh_gaussian_log_prob(mean, std, grid).exp()
    assert_close(torch.trapezoid(density, grid[:, 0]), torch.tensor(1.0), atol=1e-3, rtol=0.0)


def test_kl_of_tanh_gaussians_matches_monte_carlo() -> None:
    torch.manual_seed(1)
    mean, std = torch.tensor([[0.2, -0.4]]), torch.tensor([[0.3, 0.5]])
    prior_mean, prior_std = torch.tensor([[0.0, -0.1]]), torch.tensor([[0.4, 0.45]])
    action = losses.sample_tanh_gaussian(mean, std, torch.randn(400_000, 2))
    sampled = losses.tanh_gaussian_log_prob(mean, std, action) - losses.tanh_gaussian_log_prob(
        prior_mean, prior_std, action
    )
    exact = losses.gaussian_kl(mean, std, prior_mean, prior_std)
    by_hand = (
        math.log(0.4 / 0.3) + (0.09 + 0.04) / 0.32 - 0.5 + math.log(0.45 / 0.5) + (0.25 + 0.09) / (2 * 0.2025) - 0.5
    )
    assert_close(exact.item(), by_hand, atol=1e-5, rtol=0.0)
    assert_close(sampled.mean().item(), by_hand, atol=5e-3, rtol=0.0)


def test_coherent_reward_is_zero_for_the_uniform_density() -> None:
    uniform = torch.full((3,), -7 * math.log(2.0))
    assert_close(losses.coherent_reward(uniform, 7), torch.zeros(3))


def test_faithful_loss_trains_the_mean_by_squared_error_alone() -> None:
    mean = torch.tensor([[0.5]], requires_grad=True)
    std = torch.tensor([[0.2]], requires_grad=True)
    losses.faithful_clone_loss(mean, std, torch.tensor([[0.0]])).backward()
    expected = 2 * math.tanh(0.5) * (1 - math.tanh(0.5) ** 2)
    assert_close(mean.grad, torch.tensor([[expected]]))
    assert std.grad is not None and std.grad.item() != 0.0


def test_refinement_pushes_demonstrations_up_and_replay_to_zero() -> None:
    demo, online = torch.zeros(4, requires_grad=True), torch.tensor([1.0, -1.0], requires_grad=True)
    losses.refinement_loss(demo, online).backward()
    assert demo.grad is not None and online.grad is not None
    assert (demo.grad < 0).all()
    assert online.grad[0] > 0 and online.grad[1] < 0


def test_returns_restart_at_every_episode() -> None:
    returns = discounted_returns(torch.tensor([-1.0, -1.0, -2.0]), 0.5, [2, 1])
    assert_close(returns, torch.tensor([-1.5, -1.0, -2.0]))


def test_cross_entropy_is_averaged_over_the_batch_and_summed_over_critics() -> None:
    target = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]])
    loss = categorical.categorical_cross_entropy(torch.zeros(2, 3, 4), target)
    assert_close(loss.item(), 2 * (2 / 3) * math.log(4.0))
