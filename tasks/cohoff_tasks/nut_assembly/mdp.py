# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Points and success condition of NutAssembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.nuts import hand_away, on_peg
from cohoff_tasks.common.state import fixed_point, object_pose, point_on_object

from .layout import LAYOUT

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

SQUARE_NUT = "square_nut"
"""Name of the square nut in the scene."""

ROUND_NUT = "round_nut"
"""Name of the round nut in the scene."""


def square_handle(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Middle of the square nut's handle [m], shape [N, 3]."""
    return point_on_object(env, SQUARE_NUT, (LAYOUT.square_nut.grasp_offset, 0.0, 0.0))


def square_nut(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Center of the square nut [m], shape [N, 3]."""
    return object_pose(env, SQUARE_NUT)[0]


def square_peg(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Base of the square peg [m], shape [N, 3]."""
    return fixed_point(env, LAYOUT.square_peg_position)


def round_handle(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Middle of the round nut's handle [m], shape [N, 3]."""
    return point_on_object(env, ROUND_NUT, (LAYOUT.round_nut.grasp_offset, 0.0, 0.0))


def round_nut(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Center of the round nut [m], shape [N, 3]."""
    return object_pose(env, ROUND_NUT)[0]


def round_peg(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Base of the round peg [m], shape [N, 3]."""
    return fixed_point(env, LAYOUT.round_peg_position)


def seated(env: ManagerBasedRLEnv, max_offset: float, max_lift: float, min_up: float) -> torch.Tensor:
    """1 where the square nut, and where the round nut, is on its peg, else 0, shape [N, 2].

    Args:
        env: The environment.
        max_offset: Bound on the horizontal distance of a nut's center from its peg's axis [m].
        max_lift: Bound on the height of a nut over the plate of its peg [m].
        min_up: Bound on the vertical component of a nut's z axis.
    """
    square = on_peg(env, SQUARE_NUT, square_peg, max_offset, LAYOUT.square_seat + max_lift, min_up)
    round_ = on_peg(env, ROUND_NUT, round_peg, max_offset, LAYOUT.round_seat + max_lift, min_up)
    return torch.stack((square, round_), dim=1).float()


def nuts_on_pegs(
    env: ManagerBasedRLEnv, max_offset: float, max_lift: float, min_up: float, min_hand_distance: float
) -> torch.Tensor:
    """True where both nuts are on their pegs, see :func:`seated`, and the hand is away from them, shape [N].

    Args:
        env: The environment.
        max_offset: As in :func:`seated`.
        max_lift: As in :func:`seated`.
        min_up: As in :func:`seated`.
        min_hand_distance: Bound on the distance from the tool center point to a nut's center [m].
    """
    away = hand_away(env, SQUARE_NUT, min_hand_distance) & hand_away(env, ROUND_NUT, min_hand_distance)
    return seated(env, max_offset, max_lift, min_up).all(dim=1) & away
