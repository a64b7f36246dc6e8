# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The maximum-entropy objective of soft actor-critic (arXiv 1812.05905) as pure functions of tensors."""

from __future__ import annotations

from torch import Tensor


def actor_loss(log_prob: Tensor, value: Tensor, temperature: Tensor) -> Tensor:
    """Temperature·log pi − Q with log densities [B] and values [E, B], whose mean over members counts, scalar."""
    return temperature * log_prob.mean() - value.mean()


def temperature_loss(log_temperature: Tensor, log_prob: Tensor, target_entropy: float) -> Tensor:
    """−temperature·(log pi + target entropy), scalar: raises the temperature where the entropy is below its target.

    ``log_prob`` [B] has no gradient.
    """
    return -(log_temperature.exp() * (log_prob + target_entropy)).mean()
