# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Normalization of observations by the demonstrations."""

from __future__ import annotations

from torch import Tensor

MIN_OBS_STD = 0.05
"""Lower bound on the standard deviation that an observation entry is normalized by."""


def mean_and_std(obs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the entries of observations [M, D], shape [D] each."""
    return obs.mean(0), obs.std(0).clamp_min(MIN_OBS_STD)
