# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Distributions of the return over fixed atoms, as pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor


def project_categorical(probs: Tensor, positions: Tensor, atoms: Tensor) -> tuple[Tensor, Tensor]:
    """Project mass ``probs`` [B, K] at ``positions`` [B, K] onto evenly spaced ``atoms`` [A]: C51.

    Returns:
        The projected distribution [B, A] and the mean fraction of mass that lay outside the support, scalar.
    """
    low, high = atoms[0], atoms[-1]
    last = atoms.numel() - 1
    index = (positions - low) * (last / (high - low))
    inside = index.clamp(0.0, last)
    outside = (probs * (index != inside)).sum(-1).mean()
    lower = inside.floor().clamp(max=last - 1)
    upper_mass = probs * (inside - lower)
    lower_index = lower.long()
    projected = probs.new_zeros(probs.shape[0], last + 1)
    projected.scatter_add_(1, lower_index, probs - upper_mass)
    projected.scatter_add_(1, lower_index + 1, upper_mass)
    return projected, outside


def two_hot(values: Tensor, atoms: Tensor) -> tuple[Tensor, Tensor]:
    """Two-hot distribution [B, A] with the given mean values [B], and the fraction of values outside the support."""
    return project_categorical(torch.ones_like(values)[:, None], values[:, None], atoms)


def categorical_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of critics' logits [E, B, A] against target probabilities [B, A], mean over B, summed over E."""
    return -(target * logits.log_softmax(-1)).sum(-1).mean(-1).sum()
