# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions of the scripted experts, as functions of tensors.

Each returns a goal of the tool center point for the current state. Positions are in the base frame [m], shape [N, 3].
The hand points down.
"""

from __future__ import annotations

import torch
from isaaclab.utils.math import quat_apply

from .geometry import quat_from_rotvec


def distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Horizontal distance between positions [N, 3] [m], shape [N]."""
    return torch.linalg.vector_norm((a - b)[:, :2], dim=1)


def at_height(position: torch.Tensor, height: torch.Tensor | float) -> torch.Tensor:
    """``position`` [N, 3] with its height replaced by ``height`` [m], a number or shape [N]."""
    z = torch.as_tensor(height, device=position.device, dtype=position.dtype).expand(position.shape[0])
    return torch.cat((position[:, :2], z.unsqueeze(1)), dim=1)


def funnel(error: torch.Tensor, tolerance: float, slope: float, depth: float) -> torch.Tensor:
    """Height over a goal that grows with the misalignment: 0 within the tolerance, at most ``depth``; shape [N].

    Args:
        error: Misalignment, at least 0, shape [N].
        tolerance: Misalignment up to which the height is 0.
        slope: Height per unit of misalignment.
        depth: Maximum height [m].
    """
    return ((error - tolerance) * slope).clamp(0.0, depth)


def reach(
    tool: torch.Tensor, handle: torch.Tensor, turn: torch.Tensor, height: float, depth: float = 0.10
) -> tuple[torch.Tensor, torch.Tensor]:
    """Come down on a handle with the open fingers on both sides of it.

    Args:
        tool: Tool center point [N, 3].
        handle: Middle of the handle [N, 3].
        turn: Remaining turn of the hand [rad], shape [N].
        height: Height of the tool center point in the grasp [m].
        depth: Maximum height over the grasp while the hand is not aligned [m].

    Returns:
        Goal [N, 3], and a mask [N] bool that is True where the hand is aligned and down.
    """
    offset = distance(handle, tool)
    down = funnel(offset + 0.05 * turn.abs(), tolerance=0.006, slope=3.0, depth=depth)
    aligned = (offset < 0.006) & ((tool[:, 2] - height).abs() < 0.005) & (turn.abs() < 0.1)
    return at_height(handle, height + down), aligned


def risen(tool: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """How far a tool [N, 3] has risen to ``height`` [N]: 0 if 4 cm or more below it, 1 if within 1 cm, shape [N]."""
    return (1.0 - (height - tool[:, 2] - 0.01) / 0.03).clamp(0.0, 1.0)


def rise_first(tool: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """``goal`` [N, 3] with its horizontal motion held back until the tool [N, 3] has :func:`risen` to its height."""
    free = risen(tool, goal[:, 2]).unsqueeze(1)
    return at_height(tool + free * (goal - tool), goal[:, 2])


def carry(
    tool: torch.Tensor, held: torch.Tensor, place: torch.Tensor, turn: torch.Tensor, free: torch.Tensor
) -> torch.Tensor:
    """Move a point of the held object over a place while the hand turns. The height of the tool does not change.

    The turn swings the object around the hand, so the goal accounts for where the remaining turn will move the point.

    Args:
        tool: Tool center point [N, 3].
        held: Point on the held object [N, 3].
        place: Where the point goes [N, 3].
        turn: Remaining turn of the hand [rad], shape [N].
        free: Fraction of the horizontal motion to make, in [0, 1], shape [N]: 0 until the object is off the table.

    Returns:
        Goal [N, 3].
    """
    lever = (held - tool)[:, :2]
    cos, sin = torch.cos(turn), torch.sin(turn)
    swung = torch.stack((cos * lever[:, 0] - sin * lever[:, 1], sin * lever[:, 0] + cos * lever[:, 1]), dim=1)
    goal = tool.clone()
    goal[:, :2] += free.unsqueeze(1) * (place[:, :2] - swung - tool[:, :2])
    return goal


def insert(
    tool: torch.Tensor, held: torch.Tensor, seat: float, above: torch.Tensor, speed: float = 0.02
) -> torch.Tensor:
    """Height of the tool at which a point of the held object is at its seat or ``above`` it, shape [N].

    Args:
        tool: Tool center point [N, 3].
        held: Point on the held object [N, 3].
        seat: Final height of the point [m].
        above: Height over the seat while the object is not aligned, from :func:`funnel` [m], shape [N].
        speed: Maximum downward speed [m per control step], low enough to align the object on the way.
    """
    return tool[:, 2] + (seat + above - held[:, 2]).clamp(min=-speed)


def go_around(
    tool: torch.Tensor, place: torch.Tensor, over: float, tolerance: float, slope: float = 2.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Go to a place behind an obstacle: up, over the obstacle, and down on the other side.

    Args:
        tool: Tool center point [N, 3].
        place: Where to go [N, 3].
        over: Height of the tool center point at which the hand clears the obstacle [m].
        tolerance: Horizontal distance from the place within which the hand may be down [m].
        slope: Height over the place per horizontal distance.

    Returns:
        Goal [N, 3], and a mask [N] bool that is True where the hand has arrived.
    """
    offset = distance(place, tool)
    height = place[:, 2] + ((offset - tolerance) * slope).clamp(min=0.0)
    height = torch.minimum(height, torch.full_like(height, over))
    there = torch.linalg.vector_norm(place - tool, dim=1) < tolerance
    return rise_first(tool, at_height(place, height)), there


def along_arc(point: torch.Tensor, pivot: torch.Tensor, axis: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Position of ``point`` on a hinged part after a further turn by ``angle``, shape [N, 3].

    Args:
        point: Point on the part [N, 3].
        pivot: A point on the hinge's axis [N, 3].
        axis: Direction of the axis, unit length [N, 3].
        angle: Turn about the axis [rad], shape [N].
    """
    return pivot + quat_apply(quat_from_rotvec(angle.unsqueeze(1) * axis), point - pivot)
