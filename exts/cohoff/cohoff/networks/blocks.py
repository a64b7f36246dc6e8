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
        # Not vector_norm, which is several times slower along this dimension on a CPU.
        norm = self.weight.square().sum(1, keepdim=True).sqrt_()
        self.weight.div_(norm.clamp_min_(1e-8))


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

    def forward(self, x: Tensor, track: bool = False) -> Tensor:
        """Normalize [E, B, D] by this batch's statistics; ``track`` moves the running ones towards them."""
        members, _, size = x.shape
        # Members become channels, so that one call of torch's batch norm serves all; it stays in this layout.
        y, mean, inverse_std = torch.native_batch_norm(
            x.transpose(0, 1).reshape(-1, members * size), self.gain.flatten(), self.shift.flatten(),
            None, None, True, 0.0, self.eps,
        )  # fmt: skip
        if track:
            self.track_(mean.view_as(self.mean), inverse_std.view_as(self.var))
        return y.view(-1, members, size).transpose(0, 1)

    @torch.no_grad()
    def track_(self, mean: Tensor, inverse_std: Tensor) -> None:
        """Move the running statistics towards a batch's mean and 1/sqrt(variance + eps), both [E or 1, 1, D]."""
        self.mean.lerp_(mean.expand_as(self.mean), self.momentum)
        self.var.lerp_((1.0 / inverse_std.square() - self.eps).expand_as(self.var), self.momentum)

    def running_affine(self) -> tuple[Tensor, Tensor]:
        """Factor and offset, [E, 1, D] each, that normalize by the running statistics."""
        scale = self.gain * torch.rsqrt(self.var + self.eps)
        return scale, self.shift - self.mean * scale
