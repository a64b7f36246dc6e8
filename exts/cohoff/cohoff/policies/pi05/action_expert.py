# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The action expert: a transformer over the chunk that reads the prefix and is modulated by the flow time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.attention import Cache, attend, rotate
from cohoff.policies.pi05.layers import Run, rms_norm, run_plainly
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import EXPERT
from cohoff.policies.pi05.weights import Weights

Map = Callable[[Tensor], Tensor]

Modulation = tuple[Tensor, Tensor]
"""Scale (1 included), shift and gate of every norm, float32, [norms, 3, T, 1, exp_width], and the gates in the
precision of the network, [norms, T, 1, exp_width]; T is the number of flow times, 1 or one for each chunk."""


class Modulator:
    """Adaptive norms, ``norm(x) * (1 + scale) + shift``, and the gates on the residuals, as functions of flow time."""

    def __init__(self, spec: Pi05Spec, weights: Weights) -> None:
        self.spec = spec
        self.dtype = weights.dtype
        layers = [f"{EXPERT}layers.{i}" for i in range(spec.depth)]
        norms = [f"{p}.{n}_layernorm" for p in layers for n in ("input", "post_attention")] + [f"{EXPERT}norm"]
        # In float32, as in the reference.
        self.time = [weights.linear(name, dtype=torch.float32) for name in ("time_mlp_in", "time_mlp_out")]
        self.norms = [weights.linear(f"{name}.dense", dtype=torch.float32) for name in norms]
        self.one = torch.tensor([1.0, 0.0, 0.0], device=weights.device)[:, None, None, None]

    def __call__(self, time: Tensor) -> Modulation:
        """Return the modulation at flow times [T]."""
        hidden = embed_time(self.spec, time)
        for layer in self.time:
            hidden = F.silu(layer(hidden))
        rows = torch.stack([norm(hidden) for norm in self.norms])
        table = rows.unflatten(-1, (3, 1, -1)).movedim(1, 2) + self.one
        return table, table[:, 2].to(self.dtype)

    def grid(self) -> list[Modulation]:
        """Return the modulation of each Euler step, in order."""
        time = 1.0 - torch.arange(self.spec.steps, dtype=torch.float64, device=self.one.device) / self.spec.steps
        table, gates = self(time)
        return [(table[:, :, [k]], gates[:, [k]]) for k in range(self.spec.steps)]


@dataclass(frozen=True)
class _Layer:
    qkv: Map
    out: Map
    gate_up: Map
    down: Map


class ActionExpert:
    """Velocity of a noisy chunk."""

    def __init__(self, spec: Pi05Spec, weights: Weights, run: Run = run_plainly) -> None:
        self.spec = spec
        self.dtype = weights.dtype
        self.run = run
        self.layers = [
            _Layer(
                qkv=weights.linear(*(f"{p}.self_attn.{x}_proj" for x in "qkv")),
                out=weights.linear(f"{p}.self_attn.o_proj"),
                gate_up=weights.linear(f"{p}.mlp.gate_proj", f"{p}.mlp.up_proj"),
                down=weights.linear(f"{p}.mlp.down_proj"),
            )
            for p in (f"{EXPERT}layers.{i}" for i in range(spec.depth))
        ]
        # Actions enter and leave in float32, as in the reference.
        self.action_in = weights.linear("action_in_proj", dtype=torch.float32)
        self.action_out = weights.linear("action_out_proj", dtype=torch.float32)

    def velocity(
        self, chunk: Tensor, modulation: Modulation, mask: Tensor | None, angles: tuple[Tensor, Tensor], cache: Cache
    ) -> Tensor:
        """Velocity [B, chunk, action_dim], float32, of the noisy ``chunk`` of the same shape.

        Args:
            chunk: Actions between noise (flow time 1) and plan (flow time 0).
            modulation: Result of a :class:`Modulator`.
            mask: Valid keys of chunk and prefix for :func:`attend`, [B, 1, 1, chunk + S], or None if all are.
            angles: Rotary angles of the chunk's positions.
            cache: Keys and values of the prefix; the chunk's are overwritten.
        """
        table, gates = modulation
        x = self.action_in(chunk).to(self.dtype)
        for i in range(self.spec.depth):
            norms = slice(2 * i, 2 * i + 2)
            x = self.run(self._layer, x, i, table[norms], gates[norms], mask, angles, cache)
        return self.action_out(self._norm(x, table[-1]).float())

    def _layer(
        self,
        x: Tensor,
        i: int,
        table: Tensor,
        gates: Tensor,
        mask: Tensor | None,
        angles: tuple[Tensor, Tensor],
        cache: Cache,
    ) -> Tensor:
        s, layer = self.spec, self.layers[i]
        heads = layer.qkv(self._norm(x, table[0])).unflatten(-1, (-1, s.head_dim))
        query, key, value = heads.split([s.heads, s.kv_heads, s.kv_heads], 2)
        keys, values = cache.write_chunk(i, rotate(key, angles), value)
        x = torch.addcmul(x, layer.out(attend(rotate(query, angles), keys, values, mask)), gates[0])
        gate, up = layer.gate_up(self._norm(x, table[1])).chunk(2, -1)
        return torch.addcmul(x, layer.down(F.gelu(gate, approximate="tanh") * up), gates[1])

    def _norm(self, x: Tensor, row: Tensor) -> Tensor:
        scale, shift, _ = row
        return torch.addcmul(shift, rms_norm(x), scale).to(self.dtype)


def embed_time(spec: Pi05Spec, time: Tensor) -> Tensor:
    """Sine and cosine features [T, exp_width] of flow times [T]."""
    exponent = torch.linspace(0.0, 1.0, spec.exp_width // 2, dtype=torch.float64, device=time.device)
    period = spec.min_period * (spec.max_period / spec.min_period) ** exponent
    angle = time.double()[:, None] * (2.0 * math.pi / period)
    return torch.cat([angle.sin(), angle.cos()], -1).float()
