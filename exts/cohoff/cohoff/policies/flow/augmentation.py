# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Random changes of pictures while cloning, so that the encoder does not learn single pictures by heart."""

from __future__ import annotations

import torch
from torch import Tensor


def random_shift(pictures: Tensor, limit: int, generator: torch.Generator | None = None) -> Tensor:
    """Move each picture by up to ``limit`` pixels in both directions; its border is repeated. DrQ (arXiv 2004.13649).

    Args:
        pictures: Shape [B, H, W, C], of any type.
        limit: Largest shift [pixels].
        generator: Source of the shifts. None is torch's global one.
    """
    count, height, width = pictures.shape[:3]
    shift = torch.randint(-limit, limit + 1, (2, count, 1), generator=generator, device=pictures.device)
    rows = (torch.arange(height, device=pictures.device) + shift[0]).clamp(0, height - 1)
    columns = (torch.arange(width, device=pictures.device) + shift[1]).clamp(0, width - 1)
    index = torch.arange(count, device=pictures.device)[:, None, None]
    return pictures[index, rows[:, :, None], columns[:, None, :]]


def random_brightness(pictures: Tensor, limit: float, generator: torch.Generator | None = None) -> Tensor:
    """Multiply each picture [B, H, W, C] in [0, 255] by a factor in [1 - ``limit``, 1 + ``limit``]; returns floats."""
    uniform = torch.rand(len(pictures), 1, 1, 1, generator=generator, device=pictures.device)
    return (pictures * (1.0 + limit * (2.0 * uniform - 1.0))).clamp(0.0, 255.0)
