# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The vision tower (SigLIP So400m, arXiv 2303.15343) and the projection of its tokens into the prefix."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.attention import EPS
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import PALIGEMMA, VISION
from cohoff.policies.pi05.weights import Weights

Affine = tuple[Tensor, Tensor]
"""Weight and bias."""


@dataclass(frozen=True)
class _Layer:
    norm1: Affine
    qkv: Affine
    out: Affine
    norm2: Affine
    inner: Affine
    outer: Affine


class VisionTower:
    """Turns images into tokens, all cameras of all environments in one batch."""

    def __init__(self, spec: Pi05Spec, weights: Weights) -> None:
        self.spec = spec
        self.dtype = weights.dtype

        def affine(*names: str) -> Affine:
            return weights.stack([f"{n}.weight" for n in names]), weights.stack([f"{n}.bias" for n in names])

        patch, patch_bias = affine(f"{VISION}embeddings.patch_embedding")
        self.patch = (patch.flatten(1), patch_bias)
        self.position = weights(f"{VISION}embeddings.position_embedding.weight")
        self.layers = [
            _Layer(
                norm1=affine(f"{layer}.layer_norm1"),
                qkv=affine(*(f"{layer}.self_attn.{x}_proj" for x in "qkv")),
                out=affine(f"{layer}.self_attn.out_proj"),
                norm2=affine(f"{layer}.layer_norm2"),
                inner=affine(f"{layer}.mlp.fc1"),
                outer=affine(f"{layer}.mlp.fc2"),
            )
            for layer in (f"{VISION}encoder.layers.{i}" for i in range(spec.vis_depth))
        ]
        self.norm = affine(f"{VISION}post_layernorm")
        self.projection = affine(f"{PALIGEMMA}multi_modal_projector.linear")

    def __call__(self, images: Tensor) -> Tensor:
        """Return the tokens [N, T, vlm_width] of images [N, 3, H, W] in [-1, 1]."""
        s, n = self.spec, len(images)
        side, width = s.image // s.patch, s.vis_width
        patches = images.to(self.dtype).view(n, 3, side, s.patch, side, s.patch).permute(0, 2, 4, 1, 3, 5)
        x = F.linear(patches.reshape(n, side * side, -1), *self.patch) + self.position
        for layer in self.layers:
            qkv = F.linear(F.layer_norm(x, (width,), *layer.norm1, EPS), *layer.qkv)
            query, key, value = qkv.view(n, -1, 3, s.vis_heads, width // s.vis_heads).permute(2, 0, 3, 1, 4)
            seen = F.scaled_dot_product_attention(query, key, value)
            x = x + F.linear(seen.transpose(1, 2).reshape(n, -1, width), *layer.out)
            hidden = F.linear(F.layer_norm(x, (width,), *layer.norm2, EPS), *layer.inner)
            x = x + F.linear(F.gelu(hidden, approximate="tanh"), *layer.outer)
        return F.linear(F.layer_norm(x, (width,), *self.norm, EPS), *self.projection)
