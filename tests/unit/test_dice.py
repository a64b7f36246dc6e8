# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DICE-RL: its anchored loss, and that it learns."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from learning_cases import base_success, point_mass_cfg, train_on_the_point_mass
from td3_cases import SMALL, KnownCritic, make_batch, make_learner, settings
from torch.testing import assert_close

from cohoff.algorithms.dice.dice import Dice
from cohoff.algorithms.dice.dice_cfg import DiceAlgorithmCfg
from cohoff.algorithms.dice.losses import anchored_loss


def learner(**changes) -> Dice:
    made = make_learner(Dice, DiceAlgorithmCfg(), **changes)
    assert isinstance(made, Dice)
    return made


def test_values_are_normalized_and_the_residual_is_anchored() -> None:
    """−mean(1, −3, 8) / mean(1, 3, 8) + 10·mean(0.01, 0.09, 0, 0.04) = −0.5 + 0.35."""
    value, residual = torch.tensor([1.0, -3.0, 8.0]), torch.tensor([[0.1, -0.3], [0.0, 0.2]])
    assert anchored_loss(value, residual, 10.0).item() == pytest.approx(-0.15)
    assert anchored_loss(100.0 * value, residual, 10.0).item() == pytest.approx(-0.15)
    assert anchored_loss(torch.zeros(2), residual, 10.0).item() == pytest.approx(0.35)


def test_the_normalization_is_a_constant() -> None:
    """The gradient of −mean(Q) / 4 is −1 / (3·4) for each value."""
    value = torch.tensor([1.0, -3.0, 8.0], requires_grad=True)
    anchored_loss(value, torch.zeros(1, 1), 1.0).backward()
    assert value.grad is not None
    assert_close(value.grad, torch.full((3,), -1.0 / 12.0))


def test_only_collected_states_climb_the_lowest_critic_and_all_are_anchored() -> None:
    dice, batch = (
        learner(residual_scale=0.5, anchor_weight=3.0, critic={"num_members": 2}, target_members=2),
        make_batch(),
    )
    dice.model.critic = KnownCritic(1.0, -1.0)  # pyright: ignore[reportAttributeAccessIssue]
    batch.now.base_action[:] = 0.9  # where the correction is clipped, the anchor is not
    loss, metrics = dice.actor_loss(batch, 10)
    residual = 0.5 * torch.tanh(dice.model.actor.mean(torch.cat([batch.now.actor, batch.now.base_action], 1)))
    lowest = -(0.9 + residual).clamp(-1.0, 1.0).sum(1).abs()[10:]
    assert_close(loss, -lowest.mean() / lowest.abs().mean() + 3.0 * residual.square().mean())
    assert_close(metrics["residual"], residual.detach().abs().mean())


def test_the_anchor_holds_the_residual() -> None:
    sizes = []
    for weight in (0.0, 100.0):
        dice = learner(anchor_weight=weight)
        torch.nn.init.zeros_(dice.model.actor.mean_head.weight)
        dice.model.critic = KnownCritic(*[1.0] * 10)  # pyright: ignore[reportAttributeAccessIssue]
        optimizer = torch.optim.Adam(dice.model.actor.parameters(), 3e-3)
        for _ in range(100):
            loss, metrics = dice.actor_loss(make_batch(), 16)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        sizes.append(metrics["residual"].item())  # pyright: ignore[reportPossiblyUnbound]
    assert sizes[0] > 0.5 and sizes[1] < 0.1


def test_dice_raises_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base of the point mass is wrong by more than the paper's anchor forgives."""
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    cfg["algorithm"] |= {"base_collection_std": 0.2, "final_demonstration_share": 0.1}
    own = settings(DiceAlgorithmCfg(), **SMALL, target_rate=0.02, anchor_weight=2.0)
    start, end = train_on_the_point_mass(cfg, own, tmp_path)
    assert start == base_success()
    assert end > start + 0.05
