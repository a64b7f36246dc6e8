# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Primitives of which objects are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

UPRIGHT: Quaternion = (0.0, 0.0, 0.0, 1.0)
"""No rotation, (x, y, z, w)."""


@dataclass(frozen=True)
class Surface:
    """Appearance of a part."""

    color: Vector
    """Linear RGB color in [0, 1]."""
    metallic: float = 0.0
    """Metalness in [0, 1]."""
    roughness: float = 0.5
    """Roughness in [0, 1]."""


@dataclass(frozen=True)
class _Shape:
    """Fields of both boxes and cylinders."""

    name: str
    """Name of the prim, unique within the body."""
    center: Vector
    """Center in the body's frame [m]."""
    rotation: Quaternion = field(default=UPRIGHT, kw_only=True)
    """Orientation in the body's frame, (x, y, z, w)."""
    surface: Surface | None = field(default=None, kw_only=True)
    """Surface; None for that of the body."""
    collides: bool = field(default=True, kw_only=True)
    """Whether it is a collider. It is drawn in any case."""


@dataclass(frozen=True)
class Box(_Shape):
    """A box."""

    size: Vector
    """Full edge lengths [m]."""

    def __post_init__(self):
        check_positive(f"size of box {self.name!r}", *self.size)


@dataclass(frozen=True)
class Cylinder(_Shape):
    """A cylinder along its z axis."""

    radius: float
    """Radius [m]."""
    height: float
    """Length along the axis [m]."""

    def __post_init__(self):
        check_positive(f"radius and height of cylinder {self.name!r}", self.radius, self.height)


Part = Box | Cylinder


def check_positive(what: str, *values: float) -> None:
    """Raise ValueError with ``what`` in its message unless all ``values`` are finite and positive."""
    if not all(math.isfinite(value) and value > 0.0 for value in values):
        raise ValueError(f"{what} must be positive, not {values if len(values) > 1 else values[0]}")


def check_clearance(what: str, hole: float, plug: float) -> None:
    """Raise ValueError unless a plug of size ``plug`` [m] fits into a hole of size ``hole`` [m]."""
    if not hole > plug:
        raise ValueError(f"clearance of {what} must be positive: the hole is {hole} m, what goes into it {plug} m")


def turned(axis: str, angle: float) -> Quaternion:
    """Rotation by ``angle`` [rad] about the axis ``x``, ``y`` or ``z``, as (x, y, z, w)."""
    values = [0.0, 0.0, 0.0, math.cos(0.5 * angle)]
    values["xyz".index(axis)] = math.sin(0.5 * angle)
    return (values[0], values[1], values[2], values[3])


def ring(
    name: str, center: Vector, inner_radius: float, wall: float, height: float, sides: int = 8, axis: str = "z"
) -> tuple[Box, ...]:
    """A polygonal ring made of boxes.

    Args:
        name: Prefix of the parts' names.
        center: Center in the body's frame [m].
        inner_radius: Radius of the inscribed circle [m].
        wall: Thickness of the wall [m].
        height: Extent along the axis [m].
        sides: Number of boxes.
        axis: Axis of the ring: x, y or z.
    """
    check_positive(f"inner radius, wall and height of ring {name!r}", inner_radius, wall, height)
    middle = inner_radius + 0.5 * wall
    # The outer edges of neighboring boxes meet; their inner parts overlap.
    length = 2.0 * (inner_radius + wall) * math.tan(math.pi / sides)
    boxes = []
    for i in range(sides):
        angle = 2.0 * math.pi * i / sides
        x, y, z = _along(axis, (middle * math.cos(angle), middle * math.sin(angle), 0.0))
        place = (center[0] + x, center[1] + y, center[2] + z)
        boxes.append(Box(f"{name}_{i}", place, _along(axis, (wall, length, height)), rotation=turned(axis, angle)))
    return tuple(boxes)


def _along(axis: str, vector: Vector) -> Vector:
    """``vector`` with cyclically permuted axes, so that z becomes ``axis``."""
    a, b, c = vector
    return {"x": (c, a, b), "y": (b, c, a), "z": vector}[axis]
