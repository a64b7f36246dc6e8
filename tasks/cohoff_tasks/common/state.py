# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""State of the simulation that MDP terms and experts read: the hand, poses of bodies, positions of joints, and points.

All quantities are in the robot's base frame, which is the environment's frame (see :mod:`.scene_cfg`).

A *point* is a function from the environment to positions [m], shape [N, 3]: :func:`tool` here, the middle of a handle
or the base of a peg in a task. Observations, success conditions and experts are written in terms of points.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import torch
from isaaclab.utils.math import quat_apply

from .actions import DeltaPoseAction, GripperAction

if TYPE_CHECKING:
    from isaaclab.assets import Articulation, RigidObject
    from isaaclab.envs import ManagerBasedRLEnv

Point = Callable[["ManagerBasedRLEnv"], torch.Tensor]
"""A function from the environment to positions [m], shape [N, 3]."""


def arm(env: ManagerBasedRLEnv) -> DeltaPoseAction:
    """The arm's action term."""
    return cast(DeltaPoseAction, env.action_manager.get_term("arm"))


def gripper(env: ManagerBasedRLEnv) -> GripperAction:
    """The gripper's action term."""
    return cast(GripperAction, env.action_manager.get_term("gripper"))


def tool(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Tool center point, between the finger pads [m], shape [N, 3]."""
    return arm(env).tool_pose()[0]


def object_pose(env: ManagerBasedRLEnv, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Pose of the rigid object ``name``: position [m] [N, 3] and orientation (x, y, z, w) [N, 4]."""
    pose = cast("RigidObject", env.scene[name]).data.root_link_pose_w.torch
    return pose[:, :3] - env.scene.env_origins, pose[:, 3:7]


def object_linear_velocity(env: ManagerBasedRLEnv, name: str) -> torch.Tensor:
    """Linear velocity of the rigid object ``name`` [m/s], shape [N, 3]."""
    return cast("RigidObject", env.scene[name]).data.root_link_vel_w.torch[:, :3]


def link_pose(env: ManagerBasedRLEnv, name: str, body: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Pose of ``body`` of the articulation ``name``: position [m] [N, 3] and orientation (x, y, z, w) [N, 4]."""
    articulation = cast("Articulation", env.scene[name])
    pose = articulation.data.body_link_pose_w.torch[:, articulation.body_names.index(body)]
    return pose[:, :3] - env.scene.env_origins, pose[:, 3:7]


def joint_position(env: ManagerBasedRLEnv, name: str) -> torch.Tensor:
    """Position of the only joint of the articulation ``name`` [m] or [rad], shape [N]."""
    return cast("Articulation", env.scene[name]).data.joint_pos.torch[:, 0]


def joint_velocity(env: ManagerBasedRLEnv, name: str) -> torch.Tensor:
    """Velocity of the only joint of the articulation ``name`` [m/s] or [rad/s], shape [N]."""
    return cast("Articulation", env.scene[name]).data.joint_vel.torch[:, 0]


def point_on_object(env: ManagerBasedRLEnv, name: str, offset: tuple[float, float, float]) -> torch.Tensor:
    """Position of the point at ``offset`` [m] in the frame of the rigid object ``name``, shape [N, 3]."""
    position, quat = object_pose(env, name)
    return position + quat_apply(quat, constant(offset, position.device).expand_as(position))


def point_on_link(env: ManagerBasedRLEnv, name: str, body: str, offset: tuple[float, float, float]) -> torch.Tensor:
    """Position of the point at ``offset`` [m] in the frame of ``body`` of the articulation ``name``, shape [N, 3]."""
    position, quat = link_pose(env, name, body)
    return position + quat_apply(quat, constant(offset, position.device).expand_as(position))


def fixed_point(env: ManagerBasedRLEnv, position: tuple[float, float, float]) -> torch.Tensor:
    """The point at ``position`` [m] in the environment's frame, shape [N, 3]."""
    return constant(position, torch.device(env.device)).expand(env.num_envs, 3)


@lru_cache
def constant(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """``values`` as a tensor, copied to ``device`` once. Do not write to it."""
    return torch.tensor(values, device=device)
