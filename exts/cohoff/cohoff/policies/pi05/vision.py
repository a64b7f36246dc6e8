# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The vision tower (SigLIP So400m, arXiv 2303.15343) and the projection of its tokens into the prefix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.layers import EPS, Run, run_plainly
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import PALIGEMMA, VISION
from cohoff.policies.pi05.weights import Weights

Affine = tuple[Tensor, Tensor]
"""Weight and bias."""

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class _Layer:
    norm1: Affine
    qkv: Map
    out: Map
    norm2: Affine
    inner: Map
    outer: Map


class VisionTower:
    """Turns images into tokens, all cameras of all environments in one batch."""

    def __init__(self, spec: Pi05Spec, weights: Weights, run: Run = run_plainly) -> None:
        self.spec = spec
        self.dtype = weights.dtype
        self.run = run

        def affine(name: str) -> Affine:
            return weights(f"{name}.weight"), weights(f"{name}.bias")

        self.patch = affine(f"{VISION}embeddings.patch_embedding")
        self.position = weights(f"{VISION}embeddings.position_embedding.weight")
        self.layers = [
            _Layer(
                norm1=affine(f"{layer}.layer_norm1"),
                qkv=weights.linear(*(f"{layer}.self_attn.{x}_proj" for x in "qkv")),
                out=weights.linear(f"{layer}.self_attn.out_proj"),
                norm2=affine(f"{layer}.layer_norm2"),
                inner=weights.linear(f"{layer}.mlp.fc1"),
                outer=weights.linear(f"{layer}.mlp.fc2"),
            )
            for layer in (f"{VISION}encoder.layers.{i}" for i in range(spec.vis_depth))
        ]
        self.norm = affine(f"{VISION}post_layernorm")
        self.projection = weights.linear(f"{PALIGEMMA}multi_modal_projector.linear")

    def __call__(self, images: Tensor) -> Tensor:
        """Return the tokens [N, T, vlm_width] of images [N, 3, H, W] in [-1, 1]."""
        s, n = self.spec, len(images)
        side, (patch, bias) = s.image // s.patch, self.patch
        patches = images.to(self.dtype).view(n, 3, side, s.patch, side, s.patch).permute(0, 2, 4, 1, 3, 5)
        x = F.linear(patches.reshape(n, side * side, -1), patch.flatten(1), bias) + self.position
        for layer in self.layers:
            x = self.run(self._layer, x, layer)
        return self.projection(F.layer_norm(x, (s.vis_width,), *self.norm, EPS))

    def _layer(self, x: Tensor, layer: _Layer) -> Tensor:
        n, heads, width = len(x), self.spec.vis_heads, self.spec.vis_width
        qkv = layer.qkv(F.layer_norm(x, (width,), *layer.norm1, EPS))
        query, key, value = qkv.view(n, -1, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value)
        x = x + layer.out(seen.transpose(1, 2).reshape(n, -1, width))
        hidden = layer.inner(F.layer_norm(x, (width,), *layer.norm2, EPS))
        return x + layer.outer(F.gelu(hidden, approximate="tanh"))
