# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Points and success condition of Square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.nuts import hand_away, on_peg
from cohoff_tasks.common.state import fixed_point, object_pose, point_on_object

from .layout import LAYOUT

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

NUT = "nut"
"""Name of the nut in the scene."""


def handle(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Middle of the nut's handle [m], shape [N, 3]."""
    return point_on_object(env, NUT, (LAYOUT.nut.grasp_offset, 0.0, 0.0))


def nut(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Center of the nut [m], shape [N, 3]."""
    return object_pose(env, NUT)[0]


def peg(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Base of the peg [m], shape [N, 3]."""
    return fixed_point(env, LAYOUT.peg_position)


def nut_on_peg(
    env: ManagerBasedRLEnv, max_offset: float, max_height: float, min_up: float, min_hand_distance: float
) -> torch.Tensor:
    """True where the nut is on the peg and the hand is away from it, shape [N].

    Args:
        env: The environment.
        max_offset: Bound on the horizontal distance of the nut's center from the peg's axis [m].
        max_height: Bound on the height of the nut's center over the table [m].
        min_up: Bound on the vertical component of the nut's z axis.
        min_hand_distance: Bound on the distance from the tool center point to the nut's center [m].
    """
    return on_peg(env, NUT, peg, max_offset, max_height, min_up) & hand_away(env, NUT, min_hand_distance)
