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


class RunningStatistics(nn.Module):
    """Mean and variance that follow those of the batches, for batch norm.

    ``momentum`` is the share of the new batch (torch's sense: 0.01 is flax's 0.99).
    """

    def __init__(self, shape: tuple[int, ...], momentum: float, eps: float):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.mean: Tensor
        self.var: Tensor
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("var", torch.ones(shape))

    @torch.no_grad()
    def track_(self, mean: Tensor, inverse_std: Tensor) -> None:
        """Move towards a batch's mean and 1/sqrt(variance + eps), where these are finite."""
        _follow_(self.mean, mean, self.momentum)
        _follow_(self.var, 1.0 / inverse_std.square() - self.eps, self.momentum)


def _follow_(running: Tensor, batch: Tensor, momentum: float) -> None:
    batch = batch.view_as(running)
    running.lerp_(torch.where(batch.isfinite(), batch, running), momentum)


class EnsembleBatchNorm(RunningStatistics):
    """Batch norm per ensemble member over [E, B, D], with the statistics chosen by the caller."""

    def __init__(self, num_members: int, num_features: int, momentum: float = 0.01, eps: float = 1e-3):
        super().__init__((num_members, 1, num_features), momentum, eps)
        self.gain = nn.Parameter(torch.ones(num_members, 1, num_features))
        self.shift = nn.Parameter(torch.zeros(num_members, 1, num_features))

    def forward(self, x: Tensor, track: bool = False) -> Tensor:
        """Normalize [E, B, D] by this batch's statistics; ``track`` moves the running ones towards them."""
        members, _, size = x.shape
        # Members become channels, so that one call of torch's batch norm serves all; the result stays in this layout.
        y, mean, inverse_std = torch.native_batch_norm(
            x.transpose(0, 1).reshape(-1, members * size), self.gain.flatten(), self.shift.flatten(),
            None, None, True, 0.0, self.eps,
        )  # fmt: skip
        if track:
            self.track_(mean, inverse_std)
        return y.view(-1, members, size).transpose(0, 1)

    def running_affine(self) -> tuple[Tensor, Tensor]:
        """Factor and offset, [E, 1, D] each, that normalize by the running statistics."""
        scale = self.gain * torch.rsqrt(self.var + self.eps)
        return scale, self.shift - self.mean * scale


class SharedInputNorm(RunningStatistics):
    """Batch norm without gain and shift of an input [B, D] that all members see."""

    def __init__(self, num_features: int, momentum: float = 0.01, eps: float = 1e-3):
        super().__init__((num_features,), momentum, eps)

    def forward(self, x: Tensor, batch_statistics: bool, track: bool = False) -> Tensor:
        """Normalize [B, D] by this batch's statistics, which ``track`` records, or by the running ones."""
        if not batch_statistics:
            return (x - self.mean) * torch.rsqrt(self.var + self.eps)
        x, mean, inverse_std = torch.native_batch_norm(x, None, None, None, None, True, 0.0, self.eps)
        if track:
            self.track_(mean, inverse_std)
        return x


class EnsembleBlock(nn.Module):
    """Dense layer, batch norm and ReLU of every member, [E, B, in] → [E, B, out].

    The first block of a network maps an input [B, in] that all members share, with ``input_gain``: each member scales
    the input by its own gains, which go into the weights. A shift has no place there, as the batch norm removes it.
    """

    def __init__(self, num_members: int, in_features: int, out_features: int, input_gain: bool = False):
        super().__init__()
        self.dense = EnsembleLinear(num_members, in_features, out_features)
        self.norm = EnsembleBatchNorm(num_members, out_features)
        self.input_gain = nn.Parameter(torch.ones(num_members, in_features, 1)) if input_gain else None

    def forward(self, x: Tensor, batch_statistics: bool, track: bool = False) -> Tensor:
        """Normalize by this batch's statistics, which ``track`` records, or by the running ones."""
        weight = self.dense.weight if self.input_gain is None else self.dense.weight * self.input_gain
        members = len(weight)
        if not batch_statistics:
            scale, offset = self.norm.running_affine()
            return torch.relu(torch.baddbmm(offset, x.expand(members, -1, -1), weight * scale))
        if x.ndim == 2:
            # One product for all members, in the layout that batch norm wants.
            z = torch.mm(x, weight.transpose(0, 1).flatten(1)).unflatten(1, (members, -1)).transpose(0, 1)
        else:
            z = torch.bmm(x, weight)
        return torch.relu(self.norm(z, track))
