# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layers that hold an ensemble in one tensor: dense, batch norm, and the weight projection of XQC."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class EnsembleLinear(nn.Module):
    """``num_members`` dense layers applied in one batched product, weights [E, in, out]."""

    def __init__(self, num_members: int, in_features: int, out_features: int, bias: bool = False):
        super().__init__()
        weight = torch.empty(num_members, out_features, in_features)
        for member in weight:
            nn.init.orthogonal_(member, gain=math.sqrt(2.0))
        self.weight = nn.Parameter(weight.transpose(1, 2).contiguous())
        self.bias = nn.Parameter(torch.zeros(num_members, 1, out_features)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map [E, B, in] to [E, B, out]."""
        if self.bias is None:
            return torch.bmm(x, self.weight)
        return torch.baddbmm(self.bias, x, self.weight)

    @torch.no_grad()
    def project_(self) -> None:
        """Scale each output neuron's weight vector to unit L2 norm; the bias is left alone. XQC (arXiv 2509.25174)."""
        self.weight.div_(torch.linalg.vector_norm(self.weight, dim=1, keepdim=True).clamp_min(1e-8))


class EnsembleBatchNorm(nn.Module):
    """Batch norm per ensemble member over [E, B, D], with the statistics chosen by the caller.

    ``momentum`` is the share of the new batch in the running statistics (torch's sense: 0.01 is flax's 0.99).
    """

    def __init__(self, num_members: int, num_features: int, momentum: float = 0.01, eps: float = 1e-3):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gain = nn.Parameter(torch.ones(num_members, 1, num_features))
        self.shift = nn.Parameter(torch.zeros(num_members, 1, num_features))
        self.mean: Tensor
        self.var: Tensor
        self.register_buffer("mean", torch.zeros(num_members, 1, num_features))
        self.register_buffer("var", torch.ones(num_members, 1, num_features))

    def forward(self, x: Tensor, batch_statistics: bool, track: bool = False) -> Tensor:
        """Normalize [E, B, D] by this batch's statistics or by the running ones; ``track`` moves the latter."""
        if batch_statistics:
            # Two plain means: on a CPU several times faster than var_mean's running update along this dimension.
            mean = x.mean(1, keepdim=True)
            var = (x - mean).square().mean(1, keepdim=True)
            if track:
                with torch.no_grad():
                    self.mean.lerp_(mean, self.momentum)
                    self.var.lerp_(var, self.momentum)
        else:
            mean, var = self.mean, self.var
        scale = self.gain * torch.rsqrt(var + self.eps)
        return torch.addcmul(self.shift - mean * scale, x, scale)
