# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A quadratic form through triangular factors, in tiles that leave out most of the zeros."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

NUM_TILES = 2
"""Column tiles of a factor: leaves out a quarter of the products, all with zeros. More tiles are slower on a CPU."""


class TriangularForm(torch.autograd.Function):
    """Squared norm of ``features @ L_a`` for each lower-triangular factor L_a.

    ``factor`` [A, F, F] holds the strictly lower triangle and, on its diagonal, the logarithm of the diagonal; what is
    above has no effect. Autograd through plain products takes twice as long, most of it in the memory of the projected
    features, [B, A, F].
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, factor: Tensor) -> Tensor:
        """Squared norms [B, A] of features [B, F]."""
        num_forms, size, _ = factor.shape
        width = size // NUM_TILES
        strict = torch.ones(width, width, device=factor.device).tril_(-1)
        diagonal = factor.diagonal(dim1=1, dim2=2).exp()
        norms = features.new_zeros(len(features), num_forms)
        tiles, projections = [], []
        for start in range(0, size, width):
            end = start + width
            tile = factor[:, start:, start:end].transpose(0, 1).contiguous()
            corner = tile[:width]
            corner.mul_(strict[:, None])
            corner.diagonal(dim1=0, dim2=2).copy_(diagonal[:, start:end])
            projected = torch.mm(features[:, start:], tile.flatten(1)).unflatten(1, (num_forms, width))
            norms += torch.linalg.vector_norm(projected, dim=-1).square_()
            tiles.append(tile)
            projections.append(projected)
        ctx.save_for_backward(features, strict, diagonal, *tiles, *projections)
        return norms

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of features and factor."""
        features, strict, diagonal, *saved = ctx.saved_tensors
        num_forms, size = diagonal.shape
        width = len(strict)
        twice = (2.0 * gradients[0]).unsqueeze(-1)
        features_grad = torch.zeros_like(features) if ctx.needs_input_grad[0] else None
        factor_grad = features.new_zeros(num_forms, size, size) if ctx.needs_input_grad[1] else None
        tiles = zip(range(0, size, width), saved[:NUM_TILES], saved[NUM_TILES:], strict=True)
        for start, tile, projected in tiles:
            gradient = (projected * twice).flatten(1)
            if features_grad is not None:
                features_grad[:, start:].addmm_(gradient, tile.flatten(1).t())
            if factor_grad is not None:
                end = start + width
                product = torch.mm(features[:, start:].t(), gradient).unflatten(1, (num_forms, width)).transpose(0, 1)
                factor_grad[:, start:, start:end].copy_(product)
                corner = factor_grad[:, start:end, start:end]
                corner.mul_(strict)
                slope = product.diagonal(dim1=1, dim2=2) * diagonal[:, start:end]
                corner.diagonal(dim1=1, dim2=2).copy_(slope)
        return features_grad, factor_grad
