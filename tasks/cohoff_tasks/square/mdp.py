# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Observation and termination terms of Square."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.geometry import x_axis, yaw_of, z_axis
from cohoff_tasks.common.mdp import arm, object_pose

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

NUT = "nut"
"""Name of the nut in the scene."""


def grasp_point(env: ManagerBasedRLEnv, offset: float) -> torch.Tensor:
    """Middle of the nut's handle, ``offset`` [m] along the nut's x axis: position in the base frame [m], shape [N, 3]."""
    position, quat = object_pose(env, NUT)
    return position + offset * x_axis(quat)


def grasp_from_tool(env: ManagerBasedRLEnv, offset: float) -> torch.Tensor:
    """From the tool centre point to the middle of the handle [m], shape [N, 3]."""
    return grasp_point(env, offset) - arm(env).tool_pose()[0]


def peg_from_nut(env: ManagerBasedRLEnv, peg: tuple[float, float, float]) -> torch.Tensor:
    """From the nut's centre to ``peg`` [m], shape [N, 3]."""
    position, _ = object_pose(env, NUT)
    return torch.tensor(peg, device=position.device) - position


def grasp_yaw(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Sine and cosine of twice the hand's heading relative to the handle: (0, 1) at both ways of grasping; shape [N, 2]."""
    _, hand = arm(env).tool_pose()
    _, nut = object_pose(env, NUT)
    angle = 2.0 * (yaw_of(hand) - yaw_of(nut))
    return torch.stack((torch.sin(angle), torch.cos(angle)), dim=1)


def nut_yaw(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Sine and cosine of the nut's heading, and of four times it: (0, 1) where it fits the peg; shape [N, 4]."""
    _, quat = object_pose(env, NUT)
    yaw = yaw_of(quat)
    return torch.stack((torch.sin(yaw), torch.cos(yaw), torch.sin(4.0 * yaw), torch.cos(4.0 * yaw)), dim=1)


def nut_height(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Height of the nut's centre over the table [m], shape [N, 1]."""
    return object_pose(env, NUT)[0][:, 2:3]


def nut_up(env: ManagerBasedRLEnv) -> torch.Tensor:
    """The nut's z axis, shape [N, 3]."""
    return z_axis(object_pose(env, NUT)[1])


def nut_on_peg(
    env: ManagerBasedRLEnv,
    peg: tuple[float, float, float],
    max_offset: float,
    max_height: float,
    min_up: float,
    min_hand_distance: float,
) -> torch.Tensor:
    """True where the nut lies around the peg and the hand is away, shape [N].

    Args:
        env: The environment.
        peg: Foot of the peg in the base frame [m].
        max_offset: Bound on the horizontal distance of the nut's centre from the peg's axis [m].
        max_height: Bound on the height of the nut's centre over the table [m].
        min_up: Bound on the vertical component of the nut's z axis.
        min_hand_distance: Bound on the distance from the tool centre point to the nut's centre [m].
    """
    position, quat = object_pose(env, NUT)
    tool, _ = arm(env).tool_pose()
    offset = torch.linalg.vector_norm(position[:, :2] - torch.tensor(peg[:2], device=position.device), dim=1)
    upright = z_axis(quat)[:, 2] > min_up
    away = torch.linalg.vector_norm(tool - position, dim=1) > min_hand_distance
    return (offset < max_offset) & (position[:, 2] < max_height) & upright & away
