# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Points of HammerCleanup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.state import object_pose, point_on_object

from .layout import LAYOUT

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

HAMMER = "hammer"
"""Name of the hammer in the scene."""


def grip(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Where the hammer's handle is grasped [m], shape [N, 3]."""
    return point_on_object(env, HAMMER, (LAYOUT.hammer.grip_offset, 0.0, LAYOUT.hammer.handle[2] / 2))


def middle(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Middle of the hammer's underside [m], shape [N, 3]."""
    return object_pose(env, HAMMER)[0]
