# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Temporal-difference losses against numbers computed by hand."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from cohoff.algorithms.common import temporal_difference as td
from cohoff.algorithms.common.constant import constant

VALUES = torch.tensor([[1.0, 5.0], [3.0, 2.0], [-4.0, -7.0]])
"""Of three members in two rows."""


def test_the_minimum_is_over_the_drawn_members_alone() -> None:
    assert td.subset_minimum(VALUES, torch.tensor([1, 0])).tolist() == [1.0, 2.0]
    assert td.subset_minimum(VALUES, torch.tensor([2])).tolist() == [-4.0, -7.0]


def test_members_are_drawn_without_repetition_and_evenly() -> None:
    torch.manual_seed(0)
    drawn = torch.stack([td.random_members(5, 2, torch.device("cpu")) for _ in range(2_000)])
    assert (drawn[:, 0] != drawn[:, 1]).all()
    assert_close(drawn.flatten().bincount(minlength=5) / 4_000, torch.full((5,), 0.2), atol=0.03, rtol=0.0)


def test_the_target_adds_the_discounted_value() -> None:
    """0.5 + 0.9·2 and, behind a success, the return alone."""
    target = td.td_target(torch.tensor([0.5, 1.0]), torch.tensor([0.9, 0.0]), torch.tensor([2.0, 7.0]))
    assert_close(target, torch.tensor([2.3, 1.0]))


def test_the_loss_is_the_weighted_mean_over_rows_summed_over_members() -> None:
    """((1 − 2)² + 0) / 2 + ((3 − 2)² + 0) / 2 + ((−4 − 2)² + 0) / 2 with the second row left out."""
    loss = td.scalar_td_loss(VALUES, torch.tensor([2.0, 0.0]), torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx(0.5 + 0.5 + 18.0)


def test_members_learn_independently() -> None:
    values = VALUES.clone().requires_grad_(True)
    td.scalar_td_loss(values, torch.tensor([2.0, 0.0]), torch.ones(2)).backward()
    assert values.grad is not None
    # 2·(value − target) / rows
    assert_close(values.grad, torch.tensor([[-1.0, 5.0], [1.0, 2.0], [-6.0, -7.0]]))


def test_noise_is_clipped_and_so_is_the_action() -> None:
    """0.1·1, 0.1·(−5) clipped to −0.2, and 0.95 + 0.2 clipped to 1."""
    action, noise = torch.tensor([[0.0, 0.3, 0.95]]), torch.tensor([[1.0, -5.0, 9.0]])
    assert_close(td.noisy_action(action, noise, 0.1, 0.2), torch.tensor([[0.1, 0.1, 1.0]]))


def test_a_constant_network_passes_gradients_on() -> None:
    network, x = torch.nn.Linear(2, 1), torch.ones(1, 2, requires_grad=True)
    with constant(network):
        network(x).sum().backward()
    assert x.grad is not None and network.weight.grad is None and network.weight.requires_grad
