# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The critic learns the demonstrations' returns before the first step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import categorical
from cohoff.algorithms.common.categorical_td import update_critic
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.transitions import Transitions

REPORT_EVERY = 250
"""Updates between two reports; each costs a host read."""

DEVIATION_STD = 0.05
"""Standard deviation of executed actions in pre-training, about that of exploration."""


def following_rows(demonstrations: Transitions) -> Tensor:
    """Row [M] of the action that follows each transition; the last one of an episode is its own stand-in."""
    rows = torch.arange(len(demonstrations), device=demonstrations.action.device) + 1
    rows[demonstrations.last_rows] = demonstrations.last_rows
    return rows


def one_step_batch(demonstrations: Transitions, rows: Tensor, returns: Tensor, discount: Tensor) -> Batch:
    """The transitions ``rows`` [B] with their rewards and discounts [B], as a batch."""
    return Batch(
        now=demonstrations.state(rows),
        action=demonstrations.action[rows],
        returns=returns,
        discount=discount,
        followed=torch.zeros_like(returns),
        next=demonstrations.next_state(rows),
        weight=torch.ones_like(returns),
    )


def pretrain_critic(
    model: SoftImitationModel,
    demonstrations: Transitions,
    returns: Tensor,
    cfg: dict[str, Any],
    gradient_penalty: float,
    progress: Callable[[int, str], None],
) -> None:
    """Fit the critics to the demonstrations' scaled returns [M] (two-hot), and copy them into the target.

    A one-step (SARSA) backup needs about 1/(target_rate·(1 − discount)) updates to carry the success value to the
    start; the demonstrated returns are its fixed point and are known.
    """
    optimizer = torch.optim.Adam(model.critic.parameters(), cfg["pretrain_learning_rate"], fused=True)
    size = cfg["pretrain_batch_size"]
    next_rows = following_rows(demonstrations)
    for step in range(cfg["pretrain_steps"]):
        rows = torch.randint(len(demonstrations), (size,), device=returns.device)
        zeros = torch.zeros_like(returns[rows])
        batch = one_step_batch(demonstrations, rows, zeros, zeros)
        # The critic would otherwise start with random slopes in deviations that it has never seen.
        noise = DEVIATION_STD * torch.randn_like(batch.action)
        batch.action = model.taught_action(batch.now, batch.action) + noise
        target, _ = categorical.two_hot(returns[rows], model.critic.atoms)
        next_action = model.taught_action(batch.next, demonstrations.action[next_rows[rows]])
        metrics = update_critic(model, optimizer, batch, target, next_action, size, gradient_penalty)
        if (step + 1) % REPORT_EVERY == 0:
            progress(step + 1, f"critic loss {float(metrics['critic_loss']):.3f}")
    model.target.load_state_dict(model.critic.state_dict())
