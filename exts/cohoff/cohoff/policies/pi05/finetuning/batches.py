# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Batches of demonstrated frames. All that is random follows from seed and step, whatever the number of processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from tensordict import TensorDict
from torch import Tensor
from torch.nn import functional as F

from cohoff.errors import InputError
from cohoff.policies.flow.training import Episodes, chunk_targets
from cohoff.policies.pi05.finetuning.augmentation import DRAWS, augment, is_moved
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.objective import draw_times
from cohoff.policies.pi05.inputs import IMAGES, Pi05Inputs
from cohoff.policies.pi05.preprocess import Normalizer
from cohoff.policies.pi05.spec import Pi05Spec

Frames = Callable[[Tensor], TensorDict]
"""Reads the observations before the transitions of given indices [B]."""


@dataclass(frozen=True)
class Batch:
    """A micro-batch of B frames."""

    inputs: tuple[Tensor, ...]
    """Images, image masks, tokens and token mask."""
    actions: Tensor
    """Normalized and padded, [B, chunk, action_dim of the network]."""
    noise: Tensor
    """Shape [B, K, chunk, action_dim of the network]."""
    time: Tensor
    """Flow times, [B, K]."""


@dataclass(frozen=True)
class _Draw:
    """Random numbers of one step, for the batch of all processes."""

    rows: Tensor
    noise: Tensor
    time: Tensor
    jitter: Tensor


class Batches:
    """Reads and prepares the micro-batches of each step."""

    def __init__(
        self,
        demos: Episodes,
        frames: Frames,
        inputs: Pi05Inputs,
        action: Normalizer,
        spec: Pi05Spec,
        cfg: Pi05TrainingCfg,
    ) -> None:
        """Check the images of the first frame.

        Args:
            demos: Demonstrations, on the CPU.
            frames: Their observations.
            inputs: How they are prepared.
            action: Normalization of actions.
            spec: Sizes of the network.
            cfg: Settings.

        Raises:
            InputError: The images are not of the network's size.
        """
        first = frames(torch.zeros(1, dtype=torch.long))
        for camera in inputs.cfg.cameras:
            height, width = first[IMAGES, camera].shape[1:3]
            if (height, width) != (spec.image, spec.image):
                raise InputError(
                    f"the demonstrations' images of {camera} have {height} x {width} pixels, the checkpoint's "
                    f"{spec.image} x {spec.image}; record them in that size (presets=pi05 for 224 x 224)"
                )
        self.demos = demos
        self.frames = frames
        self.inputs = inputs
        self.action = action.to(inputs.device)
        self.spec = spec
        self.cfg = cfg
        self._moved = torch.tensor([is_moved(camera) for camera in inputs.cfg.cameras], device=inputs.device)
        self._drawn: tuple[int, _Draw] | None = None

    def read(self, step: int, part: int) -> Batch:
        """Return micro-batch number ``part`` of ``step``."""
        draw, device = self._draw(step), self.inputs.device
        mine = slice(part * self.cfg.micro_batch, (part + 1) * self.cfg.micro_batch)
        rows = draw.rows[mine]
        obs = self.frames(rows)
        images = self.inputs.images(obs)
        if self.cfg.augment:
            images = augment(images, draw.jitter[mine].to(device), self._moved)
        masks = torch.ones(images.shape[:2], dtype=torch.bool, device=device)
        actions = self.action.forward(chunk_targets(self.demos, rows, self.spec.chunk).to(device))
        padding = self.spec.action_dim - actions.shape[-1]
        return Batch(
            inputs=(images, masks, *self.inputs.prompts(obs, len(rows))),
            actions=F.pad(actions, (0, padding)),
            noise=draw.noise[mine].to(device),
            time=draw.time[mine].to(device),
        )

    def _draw(self, step: int) -> _Draw:
        if self._drawn is None or self._drawn[0] != step:
            s, cfg = self.spec, self.cfg
            # A seed of its own for each step, so that a resumed run goes on with the same batches.
            generator = torch.Generator().manual_seed((cfg.seed << 32) + step)
            shape = (cfg.batch_size, cfg.flow_times)
            draw = _Draw(
                rows=torch.randint(len(self.demos.actions), (cfg.batch_size,), generator=generator),
                noise=torch.randn(*shape, s.chunk, s.action_dim, generator=generator),
                time=draw_times(cfg.batch_size * cfg.flow_times, generator).view(shape),
                jitter=torch.rand(cfg.batch_size, len(self.inputs.cfg.cameras), DRAWS, generator=generator),
            )
            self._drawn = (step, draw)
        return self._drawn[1]
