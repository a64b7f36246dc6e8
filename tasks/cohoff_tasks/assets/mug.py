# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A mug."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .authoring import rigid_object
from .parts import Box, Surface, Vector, check_positive, ring

_GLAZE = Surface((0.72, 0.16, 0.12), 0.0, 0.25)
_CREAM = Surface((0.90, 0.86, 0.78), 0.0, 0.3)


@dataclass(frozen=True)
class Mug:
    """A mug with a handle along +x. The origin is the middle of its underside."""

    inner_radius: float = 0.030
    """Inner radius [m]."""
    wall: float = 0.005
    """Thickness of the wall and of the bottom [m]."""
    height: float = 0.065
    """Height [m]."""
    reach: float = 0.060
    """Distance from the mug's axis to the grip of the handle [m]."""
    grip: Vector = (0.014, 0.016, 0.044)
    """Size of the grip [m]; the fingers close along y."""
    grip_height: float = 0.036
    """Height of the grip's middle [m]."""
    mass: float = 0.1
    """Mass [kg]."""

    def __post_init__(self):
        check_positive(
            "inner radius, wall, height and grip of Mug", self.inner_radius, self.wall, self.height, *self.grip
        )
        check_positive("room of Mug between the grip and the wall", self.reach - self.grip[0] / 2 - self.outer_radius)

    @property
    def outer_radius(self) -> float:
        """Outer radius [m]."""
        return self.inner_radius + self.wall

    @property
    def length(self) -> float:
        """Extent along x, including the handle [m]."""
        return self.outer_radius + self.reach + self.grip[0] / 2

    def usd(self) -> str:
        """Path of the USD file."""
        # Only the bottom touches the table.
        raised = 0.002
        walls = ring("wall", (0.0, 0.0, (self.height + raised) / 2), self.inner_radius, self.wall, self.height - raised)
        rim = ring("rim", (0.0, 0.0, self.height - 0.0025), self.inner_radius - 0.0004, self.wall + 0.0008, 0.006)
        # The mug stands on a square in the middle of the octagon.
        edge = 1.5 * self.inner_radius
        arm = self.reach - self.inner_radius - self.wall / 2
        x, depth = self.inner_radius + self.wall / 2 + arm / 2, self.grip[1] - 0.004
        rise = (self.grip[2] - self.grip[0]) / 2
        return rigid_object(
            "mug",
            (
                *walls,
                *(replace(part, surface=_CREAM, collides=False) for part in rim),
                Box("bottom", (0.0, 0.0, self.wall / 2), (edge, edge, self.wall), surface=_CREAM),
                Box("grip", (self.reach, 0.0, self.grip_height), self.grip),
                Box("upper_arm", (x, 0.0, self.grip_height + rise), (arm, depth, 0.010), collides=False),
                Box("lower_arm", (x, 0.0, self.grip_height - rise), (arm, depth, 0.010), collides=False),
            ),
            _GLAZE,
            mass=self.mass,
        )
