# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Conditions on nuts and pegs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .geometry import z_axis
from .skills import distance
from .state import Point, object_pose, tool

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv


def on_peg(
    env: ManagerBasedRLEnv, name: str, peg: Point, max_offset: float, max_height: float, min_up: float
) -> torch.Tensor:
    """True where the nut ``name`` is on a peg, shape [N].

    Args:
        env: The environment.
        name: Name of the nut, whose origin is the center of its hole.
        peg: Base of the peg.
        max_offset: Bound on the horizontal distance of the nut's center from the peg's axis [m].
        max_height: Bound on the height of the nut's center over the table [m].
        min_up: Bound on the vertical component of the nut's z axis.
    """
    position, quat = object_pose(env, name)
    upright = z_axis(quat)[:, 2] > min_up
    return (distance(position, peg(env)) < max_offset) & (position[:, 2] < max_height) & upright


def hand_away(env: ManagerBasedRLEnv, name: str, min_distance: float) -> torch.Tensor:
    """True where the tool center point is over ``min_distance`` [m] from the center of ``name``, shape [N]."""
    return torch.linalg.vector_norm(tool(env) - object_pose(env, name)[0], dim=1) > min_distance
