# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The actor's loss of DICE-RL as a pure function of tensors."""

from __future__ import annotations

from torch import Tensor

MIN_MAGNITUDE = 1e-6
"""Lower bound on the mean magnitude of values, for critics that are zero."""


def anchored_loss(value: Tensor, residual: Tensor, weight: float) -> Tensor:
    """−mean(Q) / mean(|Q|) + weight·mean(residual²), scalar. DICE-RL (arXiv 2603.10263).

    Args:
        value: Q of the executed actions, [B].
        residual: What is added to the base action, before any clip, [C, A].
        weight: Of the anchor; the normalization of Q gives it the same meaning for every reward.
    """
    magnitude = value.detach().abs().mean().clamp_min(MIN_MAGNITUDE)
    return -value.mean() / magnitude + weight * residual.square().mean()
