# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layers that inference and training share; how they get their weights differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

EPS = 1e-6
"""Added to variances, in all three parts."""

Run = Callable[..., Any]
"""Calls a layer with its arguments; training may forget the layer's intermediates and compute them again."""


def run_plainly(layer: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``layer``."""
    return layer(*arguments)


def rms_norm(x: Tensor, gain: Tensor | None = None) -> Tensor:
    """Scale rows of ``x`` to unit root mean square, in float32, times ``1 + gain`` if there is one."""
    x = x.float()
    x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS)
    return x if gain is None else x * (1.0 + gain)


@dataclass(frozen=True)
class Linear:
    """Affine map of the last dimension."""

    weight: Tensor
    """Shape [R, C]."""
    bias: Tensor | None = None
    """Shape [R]."""

    def __call__(self, x: Tensor) -> Tensor:
        """Map [..., C] to [..., R]."""
        return F.linear(x, self.weight, self.bias)


@dataclass(frozen=True)
class NormedLinear:
    """RMS norm and the linear map that follows it."""

    linear: Callable[[Tensor], Tensor]
    """Its weights may include the gain."""
    gain: Tensor | None
    """Weight of the norm less 1, float32, [C]; None if ``linear`` includes it."""
    dtype: torch.dtype
    """Precision of the map."""

    def __call__(self, x: Tensor) -> Tensor:
        """Map [..., C] to [..., R]."""
        return self.linear(rms_norm(x, self.gain).to(self.dtype))
