# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The prefix transformer (Gemma, arXiv 2403.08295), which turns image tokens and prompt into keys and values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.attention import KeyValues, Rotary, attend, rms_norm, rotate
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import EMBEDDING, LANGUAGE
from cohoff.policies.pi05.weights import Weights


@dataclass(frozen=True)
class _Block:
    """Weights that follow the attention of a layer."""

    out: Tensor
    gate_up: Tensor
    down: Tensor


class Prefix:
    """Computes keys and values of the prefix. The last layer computes nothing else, as its output is not used."""

    def __init__(self, spec: Pi05Spec, weights: Weights, rotary: Rotary) -> None:
        self.spec = spec
        self.rotary = rotary
        self.dtype = weights.dtype
        self.embedding = weights(EMBEDDING)
        # The reference rounds the factor to the network's precision.
        self.scale = torch.tensor(math.sqrt(spec.vlm_width), dtype=self.dtype).item()
        layers = [f"{LANGUAGE}layers.{i}" for i in range(spec.depth)]
        self.qkv = [
            weights.stack([f"{p}.self_attn.{x}_proj.weight" for x in parts], f"{p}.input_layernorm.weight")
            for p, parts in zip(layers, ["qkv"] * (spec.depth - 1) + ["kv"], strict=True)
        ]
        self.blocks = [
            _Block(
                out=weights(f"{p}.self_attn.o_proj.weight"),
                gate_up=weights.stack(
                    [f"{p}.mlp.{x}_proj.weight" for x in ("gate", "up")], f"{p}.post_attention_layernorm.weight"
                ),
                down=weights(f"{p}.mlp.down_proj.weight"),
            )
            for p in layers[:-1]
        ]

    def embed(self, tokens: Tensor) -> Tensor:
        """Return the embeddings [B, L, vlm_width] of tokens [B, L]."""
        return F.embedding(tokens, self.embedding) * self.scale

    def __call__(self, x: Tensor, valid: Tensor, mask: Tensor | None, cache: KeyValues) -> None:
        """Write keys and values of the embedded prefix [B, S, vlm_width] into ``cache``.

        Args:
            x: Image tokens and prompt.
            valid: Whether each of them exists, shape [B, S]; positions count those that do.
            mask: The same for :func:`attend`, [B, 1, 1, S], or None if all exist.
            cache: Destination.
        """
        s, last = self.spec, self.spec.depth - 1
        angles = self.rotary.angles(valid.long().cumsum(1) - 1, self.dtype)
        for i, qkv in enumerate(self.qkv):
            heads = F.linear(rms_norm(x).to(self.dtype), qkv).unflatten(-1, (-1, s.head_dim))
            *query, key, value = heads.split([s.heads] * (i < last) + [s.kv_heads, s.kv_heads], 2)
            keys, values = cache.write_prefix(i, rotate(key, angles), value)
            if i == last:
                break
            block = self.blocks[i]
            x = x + F.linear(attend(rotate(query[0], angles), keys, values, mask), block.out)
            gate, up = F.linear(rms_norm(x).to(self.dtype), block.gate_up).chunk(2, -1)
            x = x + F.linear(F.gelu(gate, approximate="tanh") * up, block.down)
