# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Points and success condition of Coffee."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.geometry import y_axis, z_axis
from cohoff_tasks.common.skills import distance
from cohoff_tasks.common.state import (
    fixed_point,
    joint_position,
    link_pose,
    object_pose,
    point_on_link,
    point_on_object,
)

from .layout import LAYOUT

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

POD = "pod"
"""Name of the pod in the scene."""

MACHINE = "machine"
"""Name of the machine in the scene."""

GRIP = 0.014
"""Height over the pod's center at which the hand holds it [m]. The fingertips, 9 mm lower, stay above the rim."""

PUSH_RADIUS = 0.075
"""Distance from the hinge at which the hand pushes the lid [m]."""


def pod(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Center of the pod [m], shape [N, 3]."""
    return object_pose(env, POD)[0]


def grip(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Where the hand holds the pod [m], shape [N, 3]."""
    return point_on_object(env, POD, (0.0, 0.0, GRIP))


def seat(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Position of the pod's center in the holder [m], shape [N, 3]."""
    return fixed_point(env, LAYOUT.seat)


def lid(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Tool center point when the fingers touch the lid's outer face [m], shape [N, 3]."""
    return point_on_link(env, MACHINE, "lid", LAYOUT.machine.outside_of_lid(PUSH_RADIUS, 0.008))


def behind_lid(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Tool center point before the push, off the lid's outer face [m], shape [N, 3]."""
    return point_on_link(env, MACHINE, "lid", LAYOUT.machine.outside_of_lid(PUSH_RADIUS, 0.025))


def hinge(env: ManagerBasedRLEnv) -> torch.Tensor:
    """A point on the hinge's axis [m], shape [N, 3]."""
    return point_on_link(env, MACHINE, "lid", LAYOUT.machine.hinge)


def hinge_axis(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Direction of the hinge's axis, about which a positive turn opens the lid, shape [N, 3]."""
    return y_axis(link_pose(env, MACHINE, "lid")[1])


def pod_under_lid(
    env: ManagerBasedRLEnv, max_offset: float, max_height: float, min_up: float, max_angle: float
) -> torch.Tensor:
    """True where the pod is upright in the holder and the lid is closed, shape [N].

    Args:
        env: The environment.
        max_offset: Bound on the horizontal distance of the pod's center from the holder's axis [m].
        max_height: Bound on the height of the pod's center over its seat [m].
        min_up: Bound on the vertical component of the pod's z axis.
        max_angle: Bound on the angle of the lid [rad].
    """
    position, quat = object_pose(env, POD)
    goal = seat(env)
    inside = (distance(position, goal) < max_offset) & ((position - goal)[:, 2].abs() < max_height)
    return inside & (z_axis(quat)[:, 2] > min_up) & (joint_position(env, MACHINE) < max_angle)
