# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The network as a differentiable function of its weights; the layers are those of inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from cohoff.policies.pi05.action_expert import ActionExpert, Modulator
from cohoff.policies.pi05.attention import Rotary, additive_mask
from cohoff.policies.pi05.finetuning.scope import Scope
from cohoff.policies.pi05.finetuning.trained_weights import TrainedWeights
from cohoff.policies.pi05.layers import run_plainly
from cohoff.policies.pi05.prefix import Prefix
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.vision import VisionTower
from cohoff.policies.pi05.weights import Source


@dataclass
class Encoded:
    """Keys and values of a prefix; nothing is overwritten, so that gradients can pass."""

    valid: Tensor
    """Whether a token exists, bool, [B, S]."""
    layers: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    """Keys and values of each layer, [B, G, S, D]."""

    def write_prefix(self, layer: int, key: Tensor, value: Tensor) -> None:
        """Append keys and values [B, S, G, D]."""
        self.layers.append((key.transpose(1, 2), value.transpose(1, 2)))

    def write_chunk(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of chunk and prefix, [B, G, chunk + S, D]."""
        keys, values = self.layers[layer]
        return torch.cat([key.transpose(1, 2), keys], 2), torch.cat([value.transpose(1, 2), values], 2)

    def repeat(self, times: int) -> Encoded:
        """Return every row ``times`` times, one after another."""
        if times == 1:
            return self
        layers = [(k.repeat_interleave(times, 0), v.repeat_interleave(times, 0)) for k, v in self.layers]
        return Encoded(self.valid.repeat_interleave(times, 0), layers)


class TrainableNetwork:
    """pi-0.5 with gradients for the weights of a scope."""

    def __init__(
        self,
        source: Source,
        spec: Pi05Spec,
        scope: Scope,
        device: torch.device,
        dtype: torch.dtype,
        gradient_checkpointing: bool = False,
        seed: int = 0,
    ) -> None:
        """Read the weights.

        Args:
            source: Weights to start from.
            spec: Sizes.
            scope: What is trained.
            device: Device of the network.
            dtype: Precision that it computes in, float32 or bfloat16.
            gradient_checkpointing: Whether layers compute their intermediates again instead of keeping them.
            seed: Seed of the adapters.

        Raises:
            InputError: A tensor is missing, unknown or of a wrong shape.
        """
        self.spec = spec
        self.dtype = dtype
        self.device = device
        self.weights = TrainedWeights(source, spec, device, dtype, scope, seed)
        self.rotary = Rotary(spec, device)
        again: Callable[..., Any] = partial(checkpoint, use_reentrant=False)
        run = again if gradient_checkpointing else run_plainly
        self._prefix_run = run_plainly if scope.prefix_is_frozen else run
        with torch.no_grad():
            self.vision = VisionTower(spec, self.weights, self._prefix_run)
            self.prefix = Prefix(spec, self.weights, self.rotary, self._prefix_run)
            self.expert = ActionExpert(spec, self.weights, run)
            self.modulator = Modulator(spec, self.weights)
        self._prefix_is_frozen = scope.prefix_is_frozen

    def encode(self, images: Tensor, image_masks: Tensor, tokens: Tensor, token_mask: Tensor) -> Encoded:
        """Return keys and values of B prefixes; arguments as for
        :meth:`~cohoff.policies.pi05.network.Pi05.sample_actions`.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._prefix_is_frozen):
            seen = self.vision(images.flatten(0, 1)).view(len(images), -1, self.spec.vlm_width)
            x = torch.cat([seen, self.prefix.embed(tokens)], 1)
            valid = torch.cat([image_masks.repeat_interleave(self.spec.image_tokens, 1), token_mask], 1)
            encoded = Encoded(valid)
            self.prefix(x, valid, additive_mask(valid, self.dtype), encoded)
        return encoded

    def velocity(self, encoded: Encoded, chunk: Tensor, time: Tensor) -> Tensor:
        """Return the velocity [B, chunk, action_dim], float32, of noisy chunks of that shape at flow times [B]."""
        s, valid = self.spec, encoded.valid
        positions = valid.sum(1, keepdim=True) + torch.arange(s.chunk, device=self.device)
        mask = additive_mask(F.pad(valid, (s.chunk, 0), value=True), self.dtype)
        angles = self.rotary.angles(positions, self.dtype)
        return self.expert.velocity(chunk, self.modulator(time), mask, angles, encoded)
