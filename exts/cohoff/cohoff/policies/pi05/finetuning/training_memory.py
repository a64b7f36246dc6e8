# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Memory that training takes, computed from the sizes before anything is allocated."""

from __future__ import annotations

import torch

from cohoff.errors import InputError
from cohoff.memory import free_memory
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.scope import Scope
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec, activations
from cohoff.policies.pi05.tensor_names import expected

_GIB = 2**30


def training_memory(spec: Pi05Spec, shapes: Pi05Shapes, scope: Scope, cfg: Pi05TrainingCfg) -> dict[str, int]:
    """Return the memory [byte] of weights, of gradients with the optimizer's state, and of a micro-batch.

    Args:
        spec: Sizes of the network.
        shapes: Frames, cameras and tokens of a micro-batch.
        scope: What is trained.
        cfg: Settings.
    """
    size = getattr(torch, cfg.dtype).itemsize
    trained, frozen = scope.count(expected(spec))
    copies = size if size < 4 else 0
    states = 4 * (4 + (1 if cfg.ema_decay else 0))  # master, gradient, two moments, average
    kept = shapes.batch * (activations(spec, shapes) if scope.prefix_is_frozen else _kept_by_prefix(spec, shapes, cfg))
    chunks = shapes.batch * cfg.flow_times * _kept_by_expert(spec, shapes, cfg)
    return {
        "weights": size * frozen + copies * trained,
        "optimizer": states * trained,
        "activations": size * (kept + chunks),
    }


def check_training_memory(
    spec: Pi05Spec, shapes: Pi05Shapes, scope: Scope, cfg: Pi05TrainingCfg, device: torch.device
) -> None:
    """Check that training fits.

    Raises:
        InputError: The free memory is too small.
    """
    parts = training_memory(spec, shapes, scope, cfg)
    needed, free = sum(parts.values()), free_memory(device)
    if needed > free:
        listed = ", ".join(f"{value / _GIB:.1f} for {name}" for name, value in parts.items())
        raise InputError(
            f"training pi-0.5 ({cfg.scope}) needs about {needed / _GIB:.1f} GiB on {device} ({listed}), and "
            f"{free / _GIB:.1f} GiB are free; use a smaller --micro_batch, --train expert or --train lora"
        )


def _kept_by_prefix(s: Pi05Spec, shapes: Pi05Shapes, cfg: Pi05TrainingCfg) -> int:
    """Values that the gradient needs of vision tower and prefix, for one frame."""
    pixels, length = shapes.cameras * s.image_tokens, shapes.prefix(s)
    vision = pixels * (9 * s.vis_width + 2 * s.vis_mlp)
    # Norms are in float32, which counts twice in bfloat16.
    prefix = length * (8 * s.vlm_width + 2 * s.qkv_rows + s.heads * s.head_dim + 4 * s.vlm_mlp)
    cache = 2 * s.depth * s.kv_heads * s.head_dim * length
    if not cfg.gradient_checkpointing:
        return cache + s.vis_depth * vision + s.depth * prefix
    return cache + s.vis_depth * pixels * s.vis_width + s.depth * length * s.vlm_width + 2 * max(vision, prefix)


def _kept_by_expert(s: Pi05Spec, shapes: Pi05Shapes, cfg: Pi05TrainingCfg) -> int:
    """Values that the gradient needs of the action expert, for one chunk."""
    keys = 2 * s.kv_heads * s.head_dim * (s.chunk + shapes.prefix(s))
    layer = keys + s.chunk * (10 * s.exp_width + 2 * s.qkv_rows + s.heads * s.head_dim + 4 * s.exp_mlp)
    # Keys and values of the prefix are repeated for each flow time.
    repeated = s.depth * keys if cfg.flow_times > 1 else 0
    if not cfg.gradient_checkpointing:
        return repeated + s.depth * layer
    return repeated + s.depth * s.chunk * s.exp_width + 2 * layer
