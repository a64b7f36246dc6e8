# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Temporal-difference learning of scalar critics, as pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor


def random_members(num_members: int, count: int, device: torch.device) -> Tensor:
    """``count`` different members of an ensemble, drawn on the device, [count]."""
    return torch.rand(num_members, device=device).topk(count).indices


def subset_minimum(values: Tensor, rows: Tensor) -> Tensor:
    """Smallest value among the members ``rows`` of an ensemble's values [E, B], shape [B]. REDQ (arXiv 2101.05982)."""
    return values[rows].amin(0)


def td_target(returns: Tensor, discount: Tensor, next_value: Tensor) -> Tensor:
    """n-step target: ``returns`` in the window plus the value [B] after it times its ``discount``, [B] each."""
    return returns + discount * next_value


def scalar_td_loss(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Squared error of each member's values [E, B] from ``target`` [B], scalar.

    It is the mean over rows, each times its ``weight`` [B], and the sum over members, which so learn independently.
    """
    return ((values - target).square() * weight).mean(1).sum()


def noisy_action(action: Tensor, noise: Tensor, std: float, limit: float) -> Tensor:
    """Actions [B, A] plus ``std`` times standard normal ``noise`` within ±``limit``, in [−1, 1]. TD3, eq. 14."""
    return (action + (std * noise).clamp(-limit, limit)).clamp(-1.0, 1.0)
