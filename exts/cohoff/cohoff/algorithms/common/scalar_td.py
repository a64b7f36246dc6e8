# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One optimizer step of scalar critics whose policy pays a cost for its choices."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.algorithms.common.critics import CriticModel, with_penalty
from cohoff.algorithms.common.temporal_difference import scalar_td_loss, subset_minimum, td_target
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics


@torch.no_grad()
def bootstrap_target(model: CriticModel, batch: Batch, next_action: Tensor, cost: Tensor, members: Tensor) -> Tensor:
    """Return [B] of the batch: the value of the next executed action [B, A] is the least of the members [M].

    ``cost`` [B] is that of choosing actions in the window.
    """
    values = model.target.value(*model.critic_inputs(batch.next, next_action))
    return td_target(batch.returns - cost, batch.discount, subset_minimum(values, members))


def critic_loss(
    model: CriticModel, batch: Batch, target: Tensor, num_demos: int, penalty_weight: float
) -> tuple[Tensor, Metrics]:
    """:func:`~.temporal_difference.scalar_td_loss` of the batch's actions with the gradient penalty, scalar."""
    values = model.critic.value(*model.critic_inputs(batch.now, batch.action))
    loss = scalar_td_loss(values, target, batch.weight)
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
