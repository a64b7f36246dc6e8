# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Conversion of camera images, states and actions between environment and network; batched, on the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.errors import InputError

NUM_BINS = 256
"""Number of bins of a state dimension between -1 and 1."""

_EPS = 1e-8
"""Replaces a range of zero."""

_BOUNDS = {"QUANTILES": ("q01", "q99"), "MIN_MAX": ("min", "max")}


@dataclass(frozen=True)
class Normalizer:
    """Affine map between the units of environment and network, per dimension."""

    offset: Tensor
    """Value that maps to ``-shift``, shape [D]."""
    span: Tensor
    """Divisor on the way to the network, shape [D]."""
    inverse_span: Tensor
    """Factor on the way back, shape [D]."""
    gain: float
    """Factor on the way to the network."""
    shift: float
    """Subtracted last on the way to the network."""

    @staticmethod
    def from_statistics(
        mode: str, values: Mapping[str, Tensor], origin: str, size: int = 0, margin: float = 0.0
    ) -> Normalizer:
        """Build the map of ``mode``: QUANTILES and MIN_MAX map bounds to [-1, 1], MEAN_STD standardizes.

        Args:
            mode: QUANTILES, MIN_MAX, MEAN_STD or IDENTITY, as lerobot names them.
            values: Statistics, each of shape [D].
            origin: Their name in error messages.
            size: Number of dimensions D of IDENTITY; the others take it from the statistics, which have no padding.
            margin: Added to the distance of the bounds.

        Raises:
            InputError: Unknown mode, or statistics missing, not finite or of different sizes.
        """
        if mode == "IDENTITY":
            return Normalizer(torch.zeros(size), torch.ones(size), torch.ones(size), 1.0, 0.0)
        names = ("mean", "std") if mode == "MEAN_STD" else _BOUNDS.get(mode)
        if names is None:
            raise InputError(
                f"normalization {mode!r} of {origin} is unknown; known: MEAN_STD, IDENTITY, {', '.join(_BOUNDS)}"
            )
        for name in names:
            if name not in values:
                raise InputError(f"statistics of {origin} lack {name}, which {mode} needs; use a fine-tuned checkpoint")
            shape, wanted = values[name].shape, values[names[0]].shape
            if len(shape) != 1 or shape != wanted or not values[name].isfinite().all():
                raise InputError(
                    f"{name} of {origin} has shape {tuple(shape)} or is not finite, expected {tuple(wanted)}"
                )
        first, second = (values[name].float() for name in names)
        if mode == "MEAN_STD":
            return Normalizer(first, second + _EPS, second, 1.0, 0.0)
        span = second - first + margin
        span = torch.where(span == 0, _EPS, span)
        return Normalizer(first, span, span, 2.0, 1.0)

    @property
    def size(self) -> int:
        """Number of dimensions D."""
        return len(self.offset)

    def to(self, device: torch.device) -> Normalizer:
        """Copy to another device."""
        names = ("offset", "span", "inverse_span")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def forward(self, x: Tensor) -> Tensor:
        """Convert values [..., D] from the environment to the network."""
        return self.gain * (x - self.offset) / self.span - self.shift

    def inverse(self, x: Tensor) -> Tensor:
        """Convert values [..., D] from the network to the environment."""
        return (x + self.shift) * self.inverse_span / self.gain + self.offset


def digitize(state: Tensor) -> Tensor:
    """Return the bins, -1 (below the range) to 255, of a normalized state, int64, of the same shape.

    As numpy's ``digitize(state, linspace(-1, 1, 257)[:-1]) - 1``; the edges are multiples of 1/128, exact in float32.
    """
    edges = torch.arange(NUM_BINS, device=state.device, dtype=torch.float32) / (NUM_BINS // 2) - 1.0
    return torch.bucketize(state, edges, right=True) - 1


def prepare_images(images: Tensor, side: int) -> Tensor:
    """Convert camera images for the vision tower: resized without distortion, padded with black.

    Args:
        images: Shape [N, H, W, 3], uint8, or floating-point in [0, 1].
        side: Height and width of the network's images [pixel].

    Returns:
        Float32 in [-1, 1], shape [N, 3, side, side].

    Raises:
        InputError: The images have another shape or type.
    """
    if images.ndim != 4 or images.shape[-1] != 3:
        raise InputError(f"camera images have shape {tuple(images.shape)}, expected (N, H, W, 3)")
    if images.dtype == torch.uint8:
        pixels = images.permute(0, 3, 1, 2).float() / 255.0
    elif images.is_floating_point():
        pixels = images.permute(0, 3, 1, 2).float()
    else:
        raise InputError(f"camera images are of type {images.dtype}, expected uint8 or floating-point values in [0, 1]")
    height, width = pixels.shape[2:]
    if (height, width) != (side, side):
        ratio = max(height / side, width / side)
        size = (int(height / ratio), int(width / ratio))
        pixels = F.interpolate(pixels, size=size, mode="bilinear", align_corners=False)
        (top, more_top), (left, more_left) = (divmod(side - length, 2) for length in size)
        pixels = F.pad(pixels, (left, left + more_left, top, top + more_top))
    return pixels * 2.0 - 1.0
