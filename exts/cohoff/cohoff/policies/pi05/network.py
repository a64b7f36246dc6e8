# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The network: from images, prompt and noise to a chunk of normalized actions."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.errors import InputError
from cohoff.policies.pi05.action_expert import ActionExpert, Modulator
from cohoff.policies.pi05.attention import KeyValues, Rotary, additive_mask
from cohoff.policies.pi05.checkpoint_folder import locate, read_spec
from cohoff.policies.pi05.guard import InputGuard
from cohoff.policies.pi05.memory import check_memory
from cohoff.policies.pi05.prefix import Prefix
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec
from cohoff.policies.pi05.vision import VisionTower
from cohoff.policies.pi05.weights import Source, Weights, from_folder, from_state

_SLACK = 1e-4
"""Interpolation may exceed the range of pixels by this much."""


class Pi05:
    """pi-0.5 with frozen weights on one device.

    The network is a function of tensors of fixed shapes without branches on values, so it can be captured and compiled.
    """

    def __init__(self, source: Source, spec: Pi05Spec, device: torch.device, dtype: torch.dtype) -> None:
        """Read the weights; see :meth:`from_pretrained` and :meth:`from_state_dict`."""
        weights = Weights(source, spec, device, dtype)
        check_memory(spec, Pi05Shapes(batch=1, cameras=1, tokens=0), dtype, device)
        self.spec = spec
        self.device = device
        self.dtype = dtype
        self.guard = InputGuard(device)
        with torch.no_grad():
            self.rotary = Rotary(spec, device)
            self.vision = VisionTower(spec, weights).__call__
            # The flow times of the Euler grid are fixed, so that the adaptive norms are computed once.
            self.grid = Modulator(spec, weights).grid()
            prefix = Prefix(spec, weights, self.rotary)
            expert = ActionExpert(spec, weights)
        self.embed, self.prefix = prefix.embed, prefix.__call__
        self.velocity = expert.velocity
        self._cache: tuple[Pi05Shapes, KeyValues] | None = None

    @classmethod
    def from_pretrained(
        cls,
        path_or_hub_id: str | os.PathLike[str],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        spec: Pi05Spec | None = None,
    ) -> Pi05:
        """Open a checkpoint in lerobot's or openpi's layout.

        Args:
            path_or_hub_id: Folder with config.json and safetensors files, or such a repository on the Hugging Face hub.
            device: Device of the network; the weights are loaded onto it directly.
            dtype: Precision, float32 or bfloat16.
            spec: Sizes; None reads them from config.json.

        Raises:
            InputError: The checkpoint is missing, truncated, of unknown layout or another size, or memory is too small.
        """
        folder = locate(path_or_hub_id)
        return cls(from_folder(folder), spec or read_spec(folder), torch.device(device), dtype)

    @classmethod
    def from_state_dict(
        cls,
        state: Mapping[str, Tensor],
        spec: Pi05Spec,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Pi05:
        """Copy the weights of ``state``; arguments and errors as for :meth:`from_pretrained`."""
        return cls(from_state(state), spec, torch.device(device), dtype)

    @torch.no_grad()
    def sample_actions(
        self, images: Tensor, image_masks: Tensor, tokens: Tensor, token_mask: Tensor, noise: Tensor
    ) -> Tensor:
        """Integrate ``noise`` into chunks of normalized actions.

        Args:
            images: Shape [B, C, 3, H, W], in [-1, 1].
            image_masks: Whether a camera's image exists, bool, shape [B, C].
            tokens: Prompt, int64, shape [B, L].
            token_mask: Whether a token exists, bool, shape [B, L].
            noise: Standard normal, float32, shape [B, chunk, action_dim].

        Returns:
            Float32, shape [B, chunk, action_dim].

        Raises:
            InputError: A shape is wrong, or images have values outside [-1, 1] (on a GPU raised by the next call).
        """
        shapes = self.check_inputs(images, image_masks, tokens, token_mask, noise)
        if self._cache is None or self._cache[0] != shapes:
            self._cache = None
            self._cache = (shapes, self.new_cache(shapes))
        return self.integrate(images, image_masks, tokens, token_mask, noise, self._cache[1])

    @torch.inference_mode(False)
    def new_cache(self, shapes: Pi05Shapes) -> KeyValues:
        """Allocate the keys and values for calls of these shapes.

        Raises:
            InputError: The memory is too small for such a call.
        """
        check_memory(self.spec, shapes, self.dtype, self.device, loaded=True)
        return KeyValues.allocate(self.spec, shapes, self.dtype, self.device)

    def compiled(self) -> Pi05:
        """Return the same network with its parts compiled, at their first use for each shape."""
        model = copy.copy(self)
        # Parts rather than the whole, in which the Euler steps would be unrolled into one huge program.
        model.vision = torch.compile(self.vision, dynamic=False)
        model.prefix = torch.compile(self.prefix, dynamic=False)
        model.velocity = torch.compile(self.velocity, dynamic=False)
        return model

    def integrate(
        self,
        images: Tensor,
        image_masks: Tensor,
        tokens: Tensor,
        token_mask: Tensor,
        noise: Tensor,
        cache: KeyValues,
    ) -> Tensor:
        """Run :meth:`sample_actions` without its checks in a given cache: the part that can be captured."""
        s = self.spec
        seen = self.vision(images.flatten(0, 1)).view(len(images), -1, s.vlm_width)
        x = torch.cat([seen, self.embed(tokens)], 1)
        valid = torch.cat([image_masks.repeat_interleave(s.image_tokens, 1), token_mask], 1)
        self.prefix(x, valid, additive_mask(valid, self.dtype), cache)
        positions = valid.sum(1, keepdim=True) + torch.arange(s.chunk, device=self.device)
        angles = self.rotary.angles(positions, self.dtype)
        mask = additive_mask(F.pad(valid, (s.chunk, 0), value=True), self.dtype)
        chunk = noise
        for modulation in self.grid:
            chunk = chunk - self.velocity(chunk, modulation, mask, angles, cache) / s.steps
        return chunk

    def check_inputs(
        self, images: Tensor, image_masks: Tensor, tokens: Tensor, token_mask: Tensor, noise: Tensor
    ) -> Pi05Shapes:
        """Return the sizes of a call; errors as for :meth:`sample_actions`."""
        s = self.spec
        if images.ndim != 5 or images.shape[2:] != (3, s.image, s.image):
            raise InputError(f"images have shape {tuple(images.shape)}, expected (B, C, 3, {s.image}, {s.image})")
        batch, cameras = images.shape[:2]
        if tokens.ndim != 2:
            raise InputError(f"tokens have shape {tuple(tokens.shape)}, expected ({batch}, L)")
        for name, tensor, shape in (
            ("image_masks", image_masks, (batch, cameras)),
            ("tokens", tokens, (batch, tokens.shape[1])),
            ("token_mask", token_mask, (batch, tokens.shape[1])),
            ("noise", noise, (batch, s.chunk, s.action_dim)),
        ):
            if tuple(tensor.shape) != shape:
                raise InputError(f"{name} has shape {tuple(tensor.shape)}, expected {shape}")
        self.guard.reject(~(images.abs().amax() <= 1.0 + _SLACK), "images have values outside [-1, 1]")
        return Pi05Shapes(batch, cameras, tokens.shape[1])


def trim(
    images: Tensor, image_masks: Tensor, tokens: Tensor, token_mask: Tensor, *, multiple: int = 8
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Remove the cameras and token columns that are empty in the whole batch; the result of the call is the same.

    Waits for the device once. Lengths are rounded up to ``multiple`` to keep the number of different shapes small.
    """
    summary = torch.cat([image_masks.any(0).long(), token_mask.sum(1).amax()[None]]).tolist()
    length = min(-(-summary[-1] // multiple) * multiple, tokens.shape[1])
    cameras = [camera for camera, present in enumerate(summary[:-1]) if present]
    if len(cameras) < images.shape[1]:
        images, image_masks = images[:, cameras], image_masks[:, cameras]
    return images, image_masks, tokens[:, :length], token_mask[:, :length]
