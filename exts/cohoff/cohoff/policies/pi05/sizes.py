# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Networks by name."""

from __future__ import annotations

from cohoff.policies.pi05.spec import Pi05Spec

SIZES = {
    "tiny": Pi05Spec(
        vlm_width=64, vlm_mlp=128, exp_width=32, exp_mlp=64, depth=3, head_dim=16, vis_width=48, vis_depth=2,
        vis_heads=4, vis_mlp=96, image=56, vocab=512,
    ),
    "demo": Pi05Spec(
        vlm_width=128, vlm_mlp=256, exp_width=96, exp_mlp=384, depth=4, head_dim=16, vis_width=96, vis_depth=4,
        vis_heads=4, vis_mlp=384, patch=8, image=48, vocab=512, action_dim=8, chunk=16,
    ),
    "small": Pi05Spec(
        vlm_width=256, vlm_mlp=2048, exp_width=128, exp_mlp=512, depth=4, head_dim=32, vis_width=144, vis_depth=6,
        vis_heads=4, vis_mlp=538, image=112, vocab=2048,
    ),
    "full": Pi05Spec(),
}  # fmt: skip
"""Sizes by name; ``full`` is that of the public checkpoints, ``demo`` learns a task from pictures of 48 x 48 on a CPU,
the others are for tests and measurements."""
