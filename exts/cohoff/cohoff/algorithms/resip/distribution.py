# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The distribution of a residual action."""

from __future__ import annotations

from typing import Any

from rsl_rl.modules.distribution import GaussianDistribution
from torch import nn


class ZeroMeanGaussian(GaussianDistribution):
    """rsl_rl's Gaussian with a mean of 0 at the start, so that the mean policy starts as the base policy."""

    def init_mlp_weights(self, mlp: Any) -> None:
        """Set the last layer to zero."""
        nn.init.zeros_(mlp[-1].weight)
        nn.init.zeros_(mlp[-1].bias)
