# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Temporal differences of categorical critics, XQC (arXiv 2509.25174): pure functions and one optimizer step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cohoff.algorithms.common import categorical
from cohoff.algorithms.common.critics import CriticModel, with_penalty
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Metrics


def critic_kwargs(cfg: dict[str, Any], lowest: float, highest: float) -> dict[str, Any]:
    """The part of a ``CategoricalCriticCfg`` that shapes the network; values lie in [lowest, highest]·support."""
    return {
        "hidden_dims": tuple(cfg["hidden_dims"]),
        "support": (lowest * cfg["support"], highest * cfg["support"]),
    } | {name: cfg[name] for name in ("num_atoms", "num_members")}


@torch.no_grad()
def bootstrap_target(model: CriticModel, batch: Batch, next_action: Tensor, cost: Tensor) -> tuple[Tensor, Tensor]:
    """Distribution of the return [B, atoms], and the share of its mass outside of the support, without gradient.

    It is that of the next executed action [B, A], from the critic with the lower expected Q of each sample, minus the
    ``cost`` [B] of choosing actions in the window. The target network normalizes (s, a) and (s', a') jointly, as the
    online one does.
    """
    rows = slice(len(batch.action), None)
    logits = model.target(*_joined(model, batch, next_action), batch_statistics=True, rows=rows)
    probs = logits.softmax(-1)
    pessimist = (probs * model.target.atoms).sum(-1).argmin(0)
    probs = probs.gather(0, pessimist[None, :, None].expand(1, *probs.shape[1:]))[0]
    returns = batch.returns - cost
    positions = returns[:, None] + batch.discount[:, None] * model.target.atoms
    return categorical.project_categorical(probs, positions, model.target.atoms)


def critic_loss(
    model: CriticModel, batch: Batch, target: Tensor, next_action: Tensor, num_demos: int, penalty_weight: float
) -> tuple[Tensor, Metrics]:
    """Cross-entropy with ``target`` [B, atoms] on the joined pass over (s, a) and (s', a'), scalar.

    The gradient penalty is that of :func:`~cohoff.algorithms.common.critics.with_penalty`.
    """
    rows = slice(len(batch.action))
    logits = model.critic(*_joined(model, batch, next_action), batch_statistics=True, track=True, rows=rows)
    loss = categorical.categorical_cross_entropy(logits, target * batch.weight[:, None])
    value = model.critic.expectation(logits.detach())
    return with_penalty(model, batch, loss, value, num_demos, penalty_weight)


def update_critic(
    model: CriticModel,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    target: Tensor,
    next_action: Tensor,
    num_demos: int,
    penalty_weight: float,
) -> Metrics:
    """Fit the critics to ``target`` [B, atoms]; keep unit weight norm. See :func:`critic_loss`."""
    loss, metrics = critic_loss(model, batch, target, next_action, num_demos, penalty_weight)
    metrics["skipped_critic"] = step_if_finite(optimizer, loss)
    model.critic.project_()
    return metrics


def _joined(model: CriticModel, batch: Batch, next_action: Tensor) -> tuple[Tensor, Tensor]:
    """Critic inputs of (s, a) and (s', a') one after the other: [2B, ·] and [2B, A]."""
    now, following = model.critic_inputs(batch.now, batch.action), model.critic_inputs(batch.next, next_action)
    return torch.cat([now[0], following[0]]), torch.cat([now[1], following[1]])
