# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Augmentation of camera images, with the ranges that openpi trains pi-0.5 with; batched, on the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

DRAWS = 6
"""Uniform numbers in [0, 1) that one image takes: crop x and y, rotation, brightness, contrast, saturation."""

_CROP = 0.95
_DEGREES = 5.0
_COLOR = (0.3, 0.4, 0.5)
_LUMINANCE = (0.299, 0.587, 0.114)


def is_moved(camera: str) -> bool:
    """Return whether images of ``camera`` are cropped and rotated; a wrist camera's are not."""
    return "wrist" not in camera


def augment(images: Tensor, draws: Tensor, moved: Tensor) -> Tensor:
    """Crop and rotate, then change brightness, contrast and saturation.

    Args:
        images: Shape [B, C, 3, H, W], in [-1, 1].
        draws: Uniform numbers in [0, 1), [B, C, DRAWS].
        moved: Whether images of a camera are cropped and rotated, bool, [C].

    Returns:
        As ``images``.
    """
    signed = 2.0 * draws.flatten(0, 1) - 1.0
    pixels = (images.flatten(0, 1) + 1.0) / 2.0
    moved = moved.repeat(len(images))
    pixels = torch.where(moved[:, None, None, None], _move(pixels, signed[:, :2], signed[:, 2]), pixels)
    brightness, contrast, saturation = (
        1.0 + width * factor[:, None, None, None] for width, factor in zip(_COLOR, signed[:, 3:].unbind(1), strict=True)
    )
    pixels = pixels * brightness
    mean = pixels.mean((1, 2, 3), keepdim=True)
    pixels = mean + contrast * (pixels - mean)
    gray = (pixels * pixels.new_tensor(_LUMINANCE)[:, None, None]).sum(1, keepdim=True)
    pixels = gray + saturation * (pixels - gray)
    return (2.0 * pixels.clamp(0.0, 1.0) - 1.0).view_as(images)


def _move(pixels: Tensor, corner: Tensor, turn: Tensor) -> Tensor:
    """Return a crop of 95% of each side at ``corner`` [N, 2], at full size, rotated by ``turn`` [N] times 5 degrees."""
    angle = turn * math.radians(_DEGREES)
    cos, sin = _CROP * angle.cos(), _CROP * angle.sin()
    offset = (1.0 - _CROP) * corner
    rows = torch.stack([cos, -sin, offset[:, 0], sin, cos, offset[:, 1]], 1)
    grid = F.affine_grid(rows.view(-1, 2, 3), list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
