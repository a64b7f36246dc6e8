# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Camera observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv
    from isaaclab.sensors import Camera


def image(env: ManagerBasedEnv, name: str) -> torch.Tensor:
    """RGB image of the camera ``name``, uint8, shape [N, height, width, 3]."""
    outputs = cast("Camera", env.scene[name]).data.output
    assert outputs is not None
    # A copy: the next image is rendered into the same memory.
    return outputs["rgb"].torch[..., :3].clone()
