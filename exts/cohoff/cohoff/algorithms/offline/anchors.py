# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What keeps the policy near the recorded actions: pure functions of tensors, and which of them an anchor uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

LARGEST_WEIGHT = 100.0
"""Bound on an advantage's weight, as in IQL (arXiv 2110.06169)."""


def squared_error(action: Tensor, recorded: Tensor) -> Tensor:
    """Mean squared error of actions [B, A] from recorded ones, [B]. TD3+BC (arXiv 2106.06860)."""
    return (action - recorded).square().mean(-1)


def advantage_weight(advantage: Tensor, inverse_temperature: float) -> Tensor:
    """exp(inverse_temperature·A), A [B] in units of its spread in the batch, at most 100, [B].

    IQL (arXiv 2110.06169), eq. 7; the unit is ours: it gives the temperature the same meaning for every reward.
    """
    scaled = advantage / advantage.std(correction=0).clamp_min(1e-6)
    return torch.exp(inverse_temperature * scaled).clamp_max(LARGEST_WEIGHT)


def improvement(value: Tensor) -> Tensor:
    """Values [B] of the policy's actions divided by their mean magnitude, a constant for the gradient. TD3+BC."""
    return value / value.detach().abs().mean().clamp_min(1e-6)


def decayed(share: float, start: float, final: float) -> float:
    """Weight of an anchor after the ``share`` of the updates: 1 until ``start``, then exponentially to ``final``."""
    return final ** (max(0.0, share - start) / (1.0 - start))


@dataclass(frozen=True)
class Anchor:
    """What the actor minimizes beside −Q."""

    loss: Callable[..., Tensor] | None
    """Called with the model, the batch, the action [B, A] of the actor and the advantages [B] of recorded actions where
    they are used; returns [B]. None: there is none."""

    improves: bool = True
    """Whether the actor also climbs the critic."""

    uses_clone: bool = False
    """Whether the loss reads the clone."""

    decays: bool = False
    """Whether the weight falls towards the end."""

    uses_advantage: bool = False
    """Whether the loss reads advantages."""


ANCHORS = {
    "none": Anchor(None),
    "squared_error": Anchor(lambda model, batch, action, weight: squared_error(action, batch.action)),
    "decayed": Anchor(lambda model, batch, action, weight: squared_error(action, batch.action), decays=True),
    "reverse_kl": Anchor(
        lambda model, batch, action, weight: -model.clone.log_prob(batch.now.actor, action) / action.shape[-1],
        uses_clone=True,
    ),
    "advantage": Anchor(
        lambda model, batch, action, weight: weight * squared_error(action, batch.action),
        improves=False,
        uses_advantage=True,
    ),
    "samples": Anchor(None, improves=False, uses_clone=True),
}
"""Anchors by name."""
