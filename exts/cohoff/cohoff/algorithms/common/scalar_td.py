# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Temporal differences of scalar critics: pure functions and one optimizer step."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.algorithms.common.critics import CriticModel, with_penalty
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics


def random_subset(num_members: int, size: int, device: torch.device) -> Tensor:
    """Indices [size] of different members of an ensemble, drawn on the device."""
    return torch.rand(num_members, device=device).topk(size).indices


def subset_minimum(values: Tensor, members: Tensor) -> Tensor:
    """Least of the values [E, B] of the given members [M], shape [B]. REDQ (arXiv 2101.05982)."""
    return values[members].amin(0)


def td_loss(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Squared error of values [E, B] to a target [B], weighted [B]; mean over B, summed over E, scalar."""
    return ((values - target).square() * weight).mean(-1).sum()


@torch.no_grad()
def bootstrap_target(model: CriticModel, batch: Batch, next_action: Tensor, cost: Tensor, members: Tensor) -> Tensor:
    """Return [B] of the batch: the value of the next executed action [B, A] is the least of the members [M].

    ``cost`` [B] is that of choosing actions in the window.
    """
    values = model.target.value(*model.critic_inputs(batch.next, next_action))
    return batch.returns - cost + batch.discount * subset_minimum(values, members)


def critic_loss(
    model: CriticModel, batch: Batch, target: Tensor, num_demos: int, penalty_weight: float
) -> tuple[Tensor, Metrics]:
    """:func:`td_loss` of the batch's actions with the gradient penalty, scalar."""
    values = model.critic.value(*model.critic_inputs(batch.now, batch.action))
    loss = td_loss(values, target, batch.weight)
    return with_penalty(model, batch, loss, values.detach(), num_demos, penalty_weight)


def update_critic(
    model: CriticModel,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    target: Tensor,
    num_demos: int,
    penalty_weight: float,
) -> Metrics:
    """Fit the critics to ``target`` [B]. See :func:`critic_loss`."""
    loss, metrics = critic_loss(model, batch, target, num_demos, penalty_weight)
    return metrics | {"skipped_critic": step_if_finite(optimizer, loss)}
