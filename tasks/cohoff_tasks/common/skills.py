# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Motions that the scripted experts are put together from, as functions of tensors.

Each returns a goal of the tool centre point for the present state. Positions are in the base frame [m], shape [N, 3]; the hand
points down.
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
    """Height to keep over a goal until the error is small: 0 within the tolerance, then rising with it up to ``depth``.

    Args:
        error: Misalignment, at least 0, shape [N].
        tolerance: Misalignment at which the goal may be reached.
        slope: Height per unit of misalignment.
        depth: Height of the funnel [m].
    """
    return ((error - tolerance) * slope).clamp(0.0, depth)


def reach(
    tool: torch.Tensor, handle: torch.Tensor, turn: torch.Tensor, height: float, depth: float = 0.10
) -> tuple[torch.Tensor, torch.Tensor]:
    """Come down on a handle with open fingers on both sides of it.

    Args:
        tool: Tool centre point [N, 3].
        handle: Middle of the handle [N, 3].
        turn: Turn that the hand has yet to make [rad], shape [N].
        height: Height of the tool centre point in the grasp [m].
        depth: How far above it the hand waits until it is aligned [m].

    Returns:
        Goal [N, 3], and where the hand is aligned and down, [N] bool.
    """
    offset = distance(handle, tool)
    down = funnel(offset + 0.05 * turn.abs(), tolerance=0.006, slope=3.0, depth=depth)
    aligned = (offset < 0.006) & ((tool[:, 2] - height).abs() < 0.005) & (turn.abs() < 0.1)
    return at_height(handle, height + down), aligned


def risen(tool: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """Share of its horizontal motion that a tool [N, 3] on its way up to ``height`` [N] is allowed, in [0, 1], shape [N]."""
    return (1.0 - (height - tool[:, 2] - 0.01) / 0.03).clamp(0.0, 1.0)


def rise_first(tool: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """``goal`` [N, 3] without its horizontal motion as long as the tool [N, 3] has to rise to the goal's height."""
    free = risen(tool, goal[:, 2]).unsqueeze(1)
    return at_height(tool + free * (goal - tool), goal[:, 2])


def carry(
    tool: torch.Tensor, held: torch.Tensor, place: torch.Tensor, turn: torch.Tensor, free: torch.Tensor
) -> torch.Tensor:
    """Bring a point of the held object over a place while the hand turns; the height is the tool's.

    Turning the hand swings the object around it, so the aim is where the turn will have put the point.

    Args:
        tool: Tool centre point [N, 3].
        held: Point of the held object [N, 3].
        place: Where it should go [N, 3].
        turn: Turn that the hand has yet to make [rad], shape [N].
        free: Share of the horizontal motion that is allowed, in [0, 1], shape [N]: 0 until the object is off the table.

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
    """Height of the tool that brings a point of the held object to a seat, or ``above`` it; shape [N].

    Args:
        tool: Tool centre point [N, 3].
        held: Point of the held object [N, 3].
        seat: Height of the point where it should end [m].
        above: Height to keep over the seat until the object is aligned, from a :func:`funnel` [m], shape [N].
        speed: Fastest way down [m per control step], slow enough that the object can still be aligned.
    """
    return tool[:, 2] + (seat + above - held[:, 2]).clamp(min=-speed)


def go_around(
    tool: torch.Tensor, place: torch.Tensor, over: float, tolerance: float, slope: float = 2.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Go to a place behind something that stands in the way: up, across above it, and down on the other side.

    Args:
        tool: Tool centre point [N, 3].
        place: Where to go [N, 3].
        over: Height of the tool centre point above what stands in the way [m].
        tolerance: Horizontal distance from the place at which the hand may be down [m].
        slope: Height that the hand keeps per horizontal distance.

    Returns:
        Goal [N, 3], and where the hand is there, [N] bool.
    """
    offset = distance(place, tool)
    height = place[:, 2] + ((offset - tolerance) * slope).clamp(min=0.0)
    height = torch.minimum(height, torch.full_like(height, over))
    there = torch.linalg.vector_norm(place - tool, dim=1) < tolerance
    return rise_first(tool, at_height(place, height)), there


def along_arc(point: torch.Tensor, pivot: torch.Tensor, axis: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Where ``point`` of a hinged part is after it has turned on by ``angle``, to push it there; shape [N, 3].

    Args:
        point: Point that moves with the part [N, 3].
        pivot: A point of the hinge's axis [N, 3].
        axis: Direction of the axis, unit length [N, 3].
        angle: Turn about the axis [rad], shape [N].
    """
    return pivot + quat_apply(quat_from_rotvec(angle.unsqueeze(1) * axis), point - pivot)
