# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The action expert: a transformer over the chunk that reads the prefix and is modulated by the flow time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.attention import KeyValues, attend, rms_norm, rotate
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import EXPERT
from cohoff.policies.pi05.weights import Weights

Modulation = tuple[Tensor, Tensor]
"""Scale (1 included), shift and gate of every norm at one flow time, float32, [norms, 3, 1, exp_width], and the gates
in the precision of the network, [norms, 1, exp_width]."""


@dataclass(frozen=True)
class _Layer:
    qkv: Tensor
    out: Tensor
    gate_up: Tensor
    down: Tensor


class ActionExpert:
    """Velocity of the chunk at the flow times of the Euler grid.

    The flow time enters through adaptive norms, ``norm(x) * (1 + scale) + shift``, and a gate on the residual. The grid
    is fixed, so scale, shift and gate of every norm are computed once and kept in a table.
    """

    def __init__(self, spec: Pi05Spec, weights: Weights) -> None:
        self.spec = spec
        self.dtype = weights.dtype
        layers = [f"{EXPERT}layers.{i}" for i in range(spec.depth)]
        self.layers = [
            _Layer(
                qkv=weights.stack([f"{p}.self_attn.{x}_proj.weight" for x in "qkv"]),
                out=weights(f"{p}.self_attn.o_proj.weight"),
                gate_up=weights.stack([f"{p}.mlp.{x}_proj.weight" for x in ("gate", "up")]),
                down=weights(f"{p}.mlp.down_proj.weight"),
            )
            for p in layers
        ]

        def affine(name: str) -> tuple[Tensor, Tensor]:
            return weights(f"{name}.weight", torch.float32), weights(f"{name}.bias", torch.float32)

        # Actions enter and leave in float32, as in the reference.
        self.action_in = affine("action_in_proj")
        self.action_out = affine("action_out_proj")
        norms = [f"{p}.{n}_layernorm" for p in layers for n in ("input", "post_attention")] + [f"{EXPERT}norm"]
        time = embed_time(spec, weights.device)
        for name in ("time_mlp_in", "time_mlp_out"):
            time = F.silu(F.linear(time, *affine(name)))
        table = torch.empty(spec.steps, len(norms), 3, 1, spec.exp_width, device=weights.device)
        for i, name in enumerate(norms):
            table[:, i] = F.linear(time, *affine(f"{name}.dense")).view(spec.steps, 3, 1, spec.exp_width)
        table[:, :, 0] += 1.0
        gates = table[:, :, 2].to(self.dtype)
        self.grid = list(zip(table.unbind(), gates.unbind(), strict=True))
        """Modulations of each Euler step, in order."""

    def velocity(
        self,
        chunk: Tensor,
        modulation: Modulation,
        mask: Tensor | None,
        angles: tuple[Tensor, Tensor],
        cache: KeyValues,
    ) -> Tensor:
        """Velocity [B, chunk, action_dim], float32, of the noisy ``chunk`` of the same shape at one flow time.

        Args:
            chunk: Actions between noise (flow time 1) and plan (flow time 0).
            modulation: Element of the grid.
            mask: Valid keys of chunk and prefix for :func:`attend`, [B, 1, 1, chunk + S], or None if all are.
            angles: Rotary angles of the chunk's positions.
            cache: Keys and values of the prefix; the chunk's are overwritten.
        """
        s, (table, gates) = self.spec, modulation
        x = F.linear(chunk, *self.action_in).to(self.dtype)
        for i, layer in enumerate(self.layers):
            scale, shift, _ = table[2 * i]
            hidden = torch.addcmul(shift, rms_norm(x), scale).to(self.dtype)
            heads = F.linear(hidden, layer.qkv).unflatten(-1, (-1, s.head_dim))
            query, key, value = heads.split([s.heads, s.kv_heads, s.kv_heads], 2)
            keys, values = cache.write_chunk(i, rotate(key, angles), value)
            seen = F.linear(attend(rotate(query, angles), keys, values, mask), layer.out)
            x = torch.addcmul(x, seen, gates[2 * i])
            scale, shift, _ = table[2 * i + 1]
            hidden = torch.addcmul(shift, rms_norm(x), scale).to(self.dtype)
            gated, up = F.linear(hidden, layer.gate_up).chunk(2, -1)
            x = torch.addcmul(x, F.linear(F.gelu(gated, approximate="tanh") * up, layer.down), gates[2 * i + 1])
        scale, shift, _ = table[-1]
        hidden = torch.addcmul(shift, rms_norm(x), scale).to(self.dtype)
        return F.linear(hidden.float(), *self.action_out)


def embed_time(spec: Pi05Spec, device: torch.device) -> Tensor:
    """Sine and cosine features [steps, exp_width] of the flow times 1, 1 - 1/steps, ..., 1/steps."""
    time = 1.0 - torch.arange(spec.steps, dtype=torch.float64, device=device) / spec.steps
    exponent = torch.linspace(0.0, 1.0, spec.exp_width // 2, dtype=torch.float64, device=device)
    period = spec.min_period * (spec.max_period / spec.min_period) ** exponent
    angle = time[:, None] * (2.0 * math.pi / period)
    return torch.cat([angle.sin(), angle.cos()], -1).float()
