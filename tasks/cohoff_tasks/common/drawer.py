# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The drawer of the cleanup tasks: its position, its points and the success condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.assets.cabinet import DRAWER, Cabinet
from cohoff_tasks.assets.parts import Vector, check_clearance

from .state import Point, constant, joint_position, point_on_link

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

CABINET = "cabinet"
"""Name of the cabinet in the scene."""

MODEL = Cabinet()
"""The cabinet."""

CABINET_POSITION: Vector = (0.51, -0.18, 0.0)
"""Origin of the cabinet, the bottom center of the closed drawer's front, in the base frame [m]."""


def check_fits(what: str, size: Vector) -> None:
    """Raise ValueError unless an object of depth, width and height ``size`` [m] fits into the drawer when it closes."""
    depth, width, _ = MODEL.inside
    for name, hole, plug in zip(("depth", "width", "height"), (depth, width, MODEL.room), size, strict=True):
        check_clearance(f"{what} in the drawer, {name}", hole, plug)


def hook(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Middle of the gap between the drawer's front and its handle [m], shape [N, 3]."""
    return point_on_link(env, CABINET, DRAWER, MODEL.hook)


def floor(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Middle of the drawer's floor [m], shape [N, 3]."""
    return point_on_link(env, CABINET, DRAWER, MODEL.floor)


def opening(env: ManagerBasedRLEnv) -> torch.Tensor:
    """How far the drawer is open [m], shape [N]."""
    return -joint_position(env, CABINET)


def inside(env: ManagerBasedRLEnv, point: Point) -> torch.Tensor:
    """True where ``point``, on an object's underside, is in the drawer and near its floor, shape [N]."""
    depth, width, height = MODEL.inside
    bounds = constant((depth / 2, width / 2, height / 2), torch.device(env.device))
    return ((point(env) - floor(env)).abs() < bounds).all(dim=1)


def put_away(env: ManagerBasedRLEnv, point: Point, max_opening: float) -> torch.Tensor:
    """True where ``point``, on an object's underside, is in the drawer and the drawer is closed, shape [N].

    Args:
        env: The environment.
        point: Point on the object.
        max_opening: Bound on the opening of the drawer [m].
    """
    return inside(env, point) & (opening(env) < max_opening)
