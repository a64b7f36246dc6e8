# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Cameras for Newton's Warp renderer, which needs no Isaac Sim, no display and no GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import isaaclab.sim as sim_utils
import torch
from isaaclab.sensors import CameraCfg
from isaaclab.utils import configclass
from isaaclab.utils.math import quat_from_matrix
from isaaclab_newton.renderers import NewtonWarpRendererCfg

BACKGROUND = (0.80, 0.84, 0.89)
"""Background color, sRGB in [0, 1]."""


@configclass
class LitRendererCfg(NewtonWarpRendererCfg):
    """Renderer of all cameras: one light that casts shadows, and a uniform background."""

    class_type: type | str = "cohoff.isaac.renderer:LitRenderer"
    enable_shadows: bool = True

    light_direction: tuple[float, float, float] = (-0.5, -0.7, -1.2)
    """Direction in which the light shines, in the environment's frame; of any length."""


@configclass
class SelectiveCameraCfg(CameraCfg):
    """Camera that renders no more environments than needed."""

    class_type: type | str = "cohoff.isaac.camera:SelectiveCamera"


def fixed_camera_cfg(
    name: str,
    width: Any,
    height: Any,
    eye: tuple[float, float, float],
    target: tuple[float, float, float],
    focal_length: float = 22.0,
) -> CameraCfg:
    """Fixed camera at ``eye`` that looks at ``target``.

    Args:
        name: Name of the camera's prim.
        width: Width of the image [pixels], or a preset of widths.
        height: Height of the image [pixels], or a preset of heights.
        eye: Position in the environment's frame [m].
        target: Point in the center of the image, in the environment's frame [m].
        focal_length: Focal length [mm] of a camera whose image is 20.955 mm wide.
    """
    return SelectiveCameraCfg(
        prim_path=f"{{ENV_REGEX_NS}}/{name}",
        offset=CameraCfg.OffsetCfg(pos=eye, rot=look_at(eye, target), convention="world"),
        width=width,
        height=height,
        data_types=["rgb"],
        background_color=BACKGROUND,
        spawn=pinhole_cfg(focal_length),
        renderer_cfg=LitRendererCfg(),
    )


def mounted_camera_cfg(
    prim_path: str,
    width: Any,
    height: Any,
    pos: tuple[float, float, float],
    rot: tuple[float, float, float, float],
    focal_length: float,
) -> CameraCfg:
    """Camera mounted on a body, its parent prim.

    Args:
        prim_path: Path of the camera's prim, below that of the body.
        width: Width of the image [pixels], or a preset of widths.
        height: Height of the image [pixels], or a preset of heights.
        pos: Position in the body's frame [m].
        rot: Orientation (x, y, z, w) in the body's frame; the camera looks along its z axis, its y axis points down.
        focal_length: Focal length [mm] of a camera whose image is 20.955 mm wide.
    """
    return SelectiveCameraCfg(
        prim_path=prim_path,
        offset=CameraCfg.OffsetCfg(pos=pos, rot=rot, convention="ros"),
        width=width,
        height=height,
        data_types=["rgb"],
        background_color=BACKGROUND,
        # Without it the camera keeps its first pose.
        update_latest_camera_pose=True,
        spawn=pinhole_cfg(focal_length),
        renderer_cfg=LitRendererCfg(),
    )


def pinhole_cfg(focal_length: float) -> sim_utils.PinholeCameraCfg:
    """Pinhole camera with ``focal_length`` [mm] that sees from 1 cm to 10 m."""
    return sim_utils.PinholeCameraCfg(
        focal_length=focal_length, horizontal_aperture=20.955, clipping_range=(0.01, 10.0)
    )


def look_at(eye: Sequence[float], target: Sequence[float]) -> tuple[float, float, float, float]:
    """Orientation (x, y, z, w) of a camera at ``eye`` whose x axis points at ``target`` and whose z axis points up."""
    forward = torch.nn.functional.normalize(torch.tensor(target) - torch.tensor(eye), dim=0)
    left = torch.nn.functional.normalize(torch.linalg.cross(torch.tensor([0.0, 0.0, 1.0]), forward), dim=0)
    rotation = torch.stack((forward, left, torch.linalg.cross(forward, left)), dim=1)
    x, y, z, w = quat_from_matrix(rotation[None])[0].tolist()
    return x, y, z, w
