# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Sizes of what is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OBS_DIM, ACTION_DIM = 40, 7
"""Sizes of observation and action, about those of the tasks."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of every section; the defaults are for a GPU."""

    batches: tuple[int, ...] = (256, 1024, 4096, 8192)
    """Transitions per update."""

    critics: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: {"recipe": (128, 128, 128), "paper": (512, 512, 512, 512)}
    )
    """Widths of the critic's layers, by name."""

    update_envs: int = 1024
    """Environments side by side in the replay buffer of the updates."""

    rows: int = 10_000_000
    """Transitions in the replay buffer that is measured for itself."""

    replay_envs: int = 4096
    """Environments that fill it side by side."""

    flow_envs: tuple[int, ...] = (1024, 4096, 8192)
    """Environments that the flow base plans for."""

    pi05: Mapping[str, Any] = field(default_factory=dict)
    """Sizes of pi-0.5 that differ from the public checkpoints'."""

    pi05_envs: tuple[int, ...] = (64, 256)
    """Environments that pi-0.5 plans for."""

    simulated_envs: tuple[int, ...] = (1024, 4096, 8192)
    """Environments that are simulated."""

    calls: int = 30
    """Calls in a timed round."""


QUICK = Sizes(
    batches=(16,),
    critics={"recipe": (16,)},
    update_envs=4,
    rows=400,
    replay_envs=4,
    flow_envs=(8,),
    pi05={
        "vlm_width": 32, "vlm_mlp": 48, "exp_width": 16, "exp_mlp": 24, "depth": 2, "heads": 4, "head_dim": 8,
        "vis_width": 24, "vis_depth": 1, "vis_heads": 2, "vis_mlp": 32, "image": 28, "vocab": 400, "chunk": 12,
    },
    pi05_envs=(4,),
    simulated_envs=(4,),
    calls=2,
)  # fmt: skip
"""The smallest sizes, to see that everything runs."""
