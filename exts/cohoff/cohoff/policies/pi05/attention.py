# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Shared by prefix and action expert: rotary positions, attention, keys and values."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec

_ALIGNMENT = 8
"""Fused attention kernels need the rows of a mask aligned to this number of elements."""


class Rotary:
    """Rotary positions in two halves, base 10,000 (arXiv 2104.09864)."""

    def __init__(self, spec: Pi05Spec, device: torch.device) -> None:
        exponents = torch.arange(0, spec.head_dim, 2, device=device).float() / spec.head_dim
        self.frequencies = 10_000.0**-exponents

    def angles(self, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosine and sine at positions [B, T], both [B, T, 1, head_dim / 2]."""
        angle = (positions.float()[..., None] * self.frequencies)[:, :, None]
        return angle.cos().to(dtype), angle.sin().to(dtype)


def rotate(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate heads [B, T, H, D] by the :class:`Rotary` angles of their positions."""
    cos, sin = angles
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention of few key heads to many query heads, without repeating the keys.

    The query heads of one key head are folded into the sequence; this is exact, as the mask depends on the key only.

    Args:
        query: Shape [B, T, H, D].
        key: Shape [B, G, S, D].
        value: As ``key``.
        mask: Added to the scores, shape [B, 1, 1, S]. None if every key is valid.

    Returns:
        Shape [B, T, H * D].
    """
    batch, length, heads, dim = query.shape
    groups = key.shape[1]
    folded = query.view(batch, length, groups, heads // groups, dim).transpose(1, 2)
    folded = folded.reshape(batch, groups, length * heads // groups, dim)
    out = F.scaled_dot_product_attention(folded, key, value, attn_mask=mask)
    return out.view(batch, groups, length, heads // groups, dim).transpose(1, 2).reshape(batch, length, heads * dim)


def additive_mask(valid: Tensor, dtype: torch.dtype) -> Tensor:
    """Zero where keys [B, S] are valid and minus infinity elsewhere, shape [B, 1, 1, S]."""
    batch, length = valid.shape
    padded = -(-length // _ALIGNMENT) * _ALIGNMENT
    mask = torch.zeros(batch, 1, 1, padded, dtype=dtype, device=valid.device)[..., :length]
    return mask.masked_fill_(~valid[:, None, None], -torch.inf)


class Cache(Protocol):
    """Keys and values of all layers."""

    def write_prefix(self, layer: int, key: Tensor, value: Tensor) -> None:
        """Store keys and values [B, S, G, D] of the prefix."""
        ...

    def write_chunk(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Take keys and values [B, chunk, G, D]; return those of chunk and prefix, [B, G, chunk + S, D]."""
        ...


class KeyValues:
    """Keys and values of all layers in one buffer: the chunk, overwritten by every Euler step, then the prefix."""

    def __init__(self, buffer: Tensor, chunk: int) -> None:
        """Wrap a buffer [depth, 2, B, G, chunk + S, D]."""
        self.buffer = buffer
        self.chunk = chunk

    @staticmethod
    def allocate(spec: Pi05Spec, shapes: Pi05Shapes, dtype: torch.dtype, device: torch.device) -> KeyValues:
        """Room for calls of these shapes."""
        length = spec.chunk + shapes.prefix(spec)
        size = (spec.depth, 2, shapes.batch, spec.kv_heads, length, spec.head_dim)
        return KeyValues(torch.zeros(size, dtype=dtype, device=device), spec.chunk)

    def first(self, batch: int) -> KeyValues:
        """A view for calls of a smaller batch."""
        return KeyValues(self.buffer[:, :, :batch], self.chunk)

    def write_prefix(self, layer: int, key: Tensor, value: Tensor) -> None:
        """Store keys and values [B, S, G, D] of the prefix."""
        self._write(layer, key, value, slice(self.chunk, None))

    def write_chunk(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store keys and values [B, chunk, G, D]; return those of chunk and prefix, [B, G, chunk + S, D]."""
        self._write(layer, key, value, slice(None, self.chunk))
        return self.buffer[layer, 0], self.buffer[layer, 1]

    def _write(self, layer: int, key: Tensor, value: Tensor, into: slice) -> None:
        self.buffer[layer, 0, :, :, into] = key.transpose(1, 2)
        self.buffer[layer, 1, :, :, into] = value.transpose(1, 2)
