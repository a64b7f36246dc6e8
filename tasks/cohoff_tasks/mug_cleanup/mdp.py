# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Points and success condition of MugCleanup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.drawer import put_away
from cohoff_tasks.common.geometry import z_axis
from cohoff_tasks.common.state import object_pose, point_on_object

from .layout import LAYOUT

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

MUG = "mug"
"""Name of the mug in the scene."""


def grip(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Middle of the mug's handle [m], shape [N, 3]."""
    return point_on_object(env, MUG, (LAYOUT.mug.reach, 0.0, LAYOUT.mug.grip_height))


def middle(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Point on the mug's underside, offset toward the handle, that goes to the drawer's middle [m], shape [N, 3]."""
    return point_on_object(env, MUG, (0.4 * LAYOUT.mug.reach, 0.0, 0.0))


def mug_put_away(env: ManagerBasedRLEnv, max_opening: float, min_up: float) -> torch.Tensor:
    """True where the mug is upright in the closed drawer, shape [N].

    Args:
        env: The environment.
        max_opening: Bound on the opening of the drawer [m].
        min_up: Bound on the vertical component of the mug's axis.
    """
    upright = z_axis(object_pose(env, MUG)[1])[:, 2] > min_up
    return put_away(env, middle, max_opening) & upright
