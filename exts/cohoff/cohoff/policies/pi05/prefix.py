# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The prefix transformer (Gemma, arXiv 2403.08295), which turns image tokens and prompt into keys and values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.attention import Cache, Rotary, attend, rotate
from cohoff.policies.pi05.layers import Run, run_plainly
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import EMBEDDING, LANGUAGE
from cohoff.policies.pi05.weights import Weights

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class _Layer:
    qkv: Map
    out: Map
    gate_up: Map
    down: Map


class Prefix:
    """Computes keys and values of the prefix. The last layer computes nothing else, as its output is not used."""

    def __init__(self, spec: Pi05Spec, weights: Weights, rotary: Rotary, run: Run = run_plainly) -> None:
        self.spec = spec
        self.rotary = rotary
        self.dtype = weights.dtype
        self.run = run
        self.embedding = weights(EMBEDDING)
        # The reference rounds the factor to the network's precision.
        self.scale = torch.tensor(math.sqrt(spec.vlm_width), dtype=self.dtype).item()
        *layers, last = (f"{LANGUAGE}layers.{i}" for i in range(spec.depth))

        def attention(layer: str, parts: str) -> Map:
            modules = (f"{layer}.self_attn.{x}_proj" for x in parts)
            return weights.normed_linear(*modules, norm=f"{layer}.input_layernorm.weight")

        self.layers = [
            _Layer(
                qkv=attention(p, "qkv"),
                out=weights.linear(f"{p}.self_attn.o_proj"),
                gate_up=weights.normed_linear(
                    f"{p}.mlp.gate_proj", f"{p}.mlp.up_proj", norm=f"{p}.post_attention_layernorm.weight"
                ),
                down=weights.linear(f"{p}.mlp.down_proj"),
            )
            for p in layers
        ]
        self.last = attention(last, "kv")

    def embed(self, tokens: Tensor) -> Tensor:
        """Return the embeddings [B, L, vlm_width] of tokens [B, L]."""
        return F.embedding(tokens, self.embedding) * self.scale

    def __call__(self, x: Tensor, valid: Tensor, mask: Tensor | None, cache: Cache) -> None:
        """Write keys and values of the embedded prefix [B, S, vlm_width] into ``cache``.

        Args:
            x: Image tokens and prompt.
            valid: Whether each of them exists, shape [B, S]; positions count those that do.
            mask: The same for :func:`attend`, [B, 1, 1, S], or None if all exist.
            cache: Destination.
        """
        angles = self.rotary.angles(valid.long().cumsum(1) - 1, self.dtype)
        for i, layer in enumerate(self.layers):
            x, key, value = self.run(self._layer, x, layer, mask, angles)
            cache.write_prefix(i, key, value)
        key, value = self.last(x).unflatten(-1, (-1, self.spec.head_dim)).chunk(2, 2)
        cache.write_prefix(len(self.layers), rotate(key, angles), value)

    def _layer(
        self, x: Tensor, layer: _Layer, mask: Tensor | None, angles: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the layer's output, its keys and its values, both [B, S, G, D]."""
        s = self.spec
        query, key, value = layer.qkv(x).unflatten(-1, (-1, s.head_dim)).split([s.heads, s.kv_heads, s.kv_heads], 2)
        key, value = rotate(key, angles), value.contiguous()  # attention reads it often
        seen = attend(rotate(query, angles), key.transpose(1, 2), value.transpose(1, 2), mask)
        x = x + layer.out(seen)
        gate, up = layer.gate_up(x).chunk(2, -1)
        return x + layer.down(F.gelu(gate, approximate="tanh") * up), key, value
