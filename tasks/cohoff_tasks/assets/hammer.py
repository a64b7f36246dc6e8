# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A hammer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .authoring import rigid_object
from .parts import Box, Cylinder, Surface, Vector, check_positive, turned

_WOOD = Surface((0.70, 0.47, 0.22), 0.0, 0.55)
_STEEL = Surface((0.22, 0.23, 0.26), 0.8, 0.4)
_FACE = Surface((0.62, 0.63, 0.66), 0.9, 0.25)
_RUBBER = Surface((0.75, 0.10, 0.08), 0.0, 0.7)


@dataclass(frozen=True)
class Hammer:
    """A hammer that lies flat, its handle along x and its head at +x. The origin is the middle of its underside."""

    handle: Vector = (0.11, 0.018, 0.018)
    """Size of the handle [m]; the fingers close along y."""
    head: Vector = (0.026, 0.056, 0.026)
    """Size of the head without its face and claw [m]."""
    grip_offset: float = 0.015
    """Distance from the origin to the grip, toward the head [m]."""
    mass: float = 0.12
    """Mass [kg]."""

    def __post_init__(self):
        check_positive("handle and head of Hammer", *self.handle, *self.head)

    @property
    def length(self) -> float:
        """Extent along x [m]."""
        return self.handle[0] + self.head[0]

    def usd(self) -> str:
        """Path of the USD file."""
        handle_x, head_x = -self.head[0] / 2, self.handle[0] / 2
        height, half = self.head[2] / 2, self.head[1] / 2
        sleeve, face = 0.055, 0.016
        parts = (
            Box("handle", (handle_x, 0.0, self.handle[2] / 2), self.handle),
            Box("head", (head_x, 0.0, height), self.head, surface=_STEEL),
            Box(
                "sleeve",
                (handle_x + (sleeve - self.handle[0]) / 2, 0.0, self.handle[2] / 2 + 0.001),
                (sleeve, self.handle[1] + 0.002, self.handle[2]),
                surface=_RUBBER,
                collides=False,
            ),
            Cylinder(
                "face",
                (head_x, half, height),
                height,
                face,
                rotation=turned("x", math.pi / 2),
                surface=_FACE,
                collides=False,
            ),
            Box("claw", (head_x, -half, height), (0.016, 0.024, 0.010), surface=_FACE, collides=False),
        )
        return rigid_object("hammer", parts, _WOOD, mass=self.mass)
