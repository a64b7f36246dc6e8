# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Random weights with which every part of the network affects the result, for tests and benchmarks."""

from __future__ import annotations

import math
import zlib

import torch
from torch import Tensor

from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import Shape, expected
from cohoff.policies.pi05.weights import Source


def random_source(spec: Pi05Spec, seed: int = 0, device: torch.device | str = "cpu") -> Source:
    """Return weights that keep activations at unit scale, generated when read; equal arguments give equal weights."""
    shapes = expected(spec)

    def read(name: str) -> Tensor:
        generator = torch.Generator(device).manual_seed(seed + zlib.crc32(name.encode()))
        values = torch.randn(shapes[name], generator=generator, device=device)
        offset = float("layer_norm" in name and name.endswith("weight"))
        return values.mul_(_scale(shapes[name])).add_(offset)

    return Source("the random weights", shapes, read)


def _scale(shape: Shape) -> float:
    """Return 1 / sqrt(number of inputs) for matrices and 0.1 for vectors."""
    return 0.1 if len(shape) == 1 else math.prod(shape[1:]) ** -0.5
