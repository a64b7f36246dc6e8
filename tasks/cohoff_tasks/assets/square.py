# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The square nut with a handle and the square peg."""

from __future__ import annotations

from dataclasses import dataclass

from .authoring import rigid_object
from .parts import Box, Surface, check_positive


@dataclass(frozen=True)
class SquareNut:
    """A square ring with a handle along +x. The origin is the centre of the hole, half way up."""

    hole: float = 0.05
    """Edge of the square hole [m]."""
    wall: float = 0.015
    """Thickness of the ring's walls [m]."""
    height: float = 0.02
    """Height of the nut [m]."""
    handle_length: float = 0.05
    """Length of the handle [m]."""
    handle_width: float = 0.02
    """Width of the handle [m]."""
    mass: float = 0.1
    """Mass [kg]."""

    def __post_init__(self):
        check_positive(
            "hole, wall, height and handle of SquareNut", self.hole, self.wall, self.height, self.handle_length
        )

    @property
    def grasp_offset(self) -> float:
        """Distance from the hole's centre to the middle of the handle, along +x [m]."""
        return self.hole / 2 + self.wall + self.handle_length / 2

    def usd(self) -> str:
        """Path of the USD file."""
        middle = (self.hole + self.wall) / 2
        outer = self.hole + 2 * self.wall
        # Only the two x walls reach the table: four fewer boxes in contact with it, and the nut rests as level.
        raised = 0.003
        lift, height = raised / 2, self.height - raised
        boxes = (
            Box("front", (middle, 0.0, 0.0), (self.wall, outer, self.height)),
            Box("back", (-middle, 0.0, 0.0), (self.wall, outer, self.height)),
            Box("left", (0.0, middle, lift), (self.hole, self.wall, height)),
            Box("right", (0.0, -middle, lift), (self.hole, self.wall, height)),
            Box("handle", (self.grasp_offset, 0.0, lift), (self.handle_length, self.handle_width, height)),
        )
        return rigid_object("square_nut", boxes, Surface((0.80, 0.36, 0.08), 0.3, 0.35), mass=self.mass)


@dataclass(frozen=True)
class SquarePeg:
    """A square peg on a plate. The origin is the centre of the plate's underside."""

    width: float = 0.04
    """Edge of the peg's square section [m]."""
    height: float = 0.10
    """Height of the peg's top over the table [m]."""
    plate_width: float = 0.10
    """Edge of the plate [m]."""
    plate_height: float = 0.005
    """Thickness of the plate [m]."""

    def __post_init__(self):
        check_positive("width, height and plate of SquarePeg", self.width, self.height, self.plate_width)

    def usd(self) -> str:
        """Path of the USD file."""
        boxes = (
            Box("peg", (0.0, 0.0, self.height / 2), (self.width, self.width, self.height)),
            Box("plate", (0.0, 0.0, self.plate_height / 2), (self.plate_width, self.plate_width, self.plate_height)),
        )
        return rigid_object("square_peg", boxes, Surface((0.10, 0.17, 0.36), 0.1), mass=None)
