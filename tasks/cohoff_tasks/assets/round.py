# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The round nut with a handle and the round peg."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .authoring import rigid_object
from .parts import Box, Cylinder, Surface, check_positive, ring, turned


@dataclass(frozen=True)
class RoundNut:
    """A ring of eight sides with a handle along +x. The origin is the centre of the hole, half way up."""

    hole: float = 0.05
    """Diameter of the hole [m]."""
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
            "hole, wall, height and handle of RoundNut", self.hole, self.wall, self.height, self.handle_length
        )

    @property
    def grasp_offset(self) -> float:
        """Distance from the hole's centre to the middle of the handle, along +x [m]."""
        return self.hole / 2 + self.wall + self.handle_length / 2

    def usd(self) -> str:
        """Path of the USD file."""
        # Three feet touch the table instead of nine boxes, and the nut rests as level.
        raised = 0.003
        lift, height = raised / 2, self.height - raised
        middle = (self.hole + self.wall) / 2
        parts = [
            *ring("side", (0.0, 0.0, lift), self.hole / 2, self.wall, height),
            Box("handle", (self.grasp_offset, 0.0, lift), (self.handle_length, self.handle_width, height)),
        ]
        for i in range(3):
            heading = 2.0 * math.pi * i / 3.0
            x, y = middle * math.cos(heading), middle * math.sin(heading)
            size = (0.8 * self.wall, 0.8 * self.wall, 2.0 * raised)
            parts.append(Box(f"foot_{i}", (x, y, raised - self.height / 2), size, turned("z", heading)))
        return rigid_object("round_nut", tuple(parts), Surface((0.10, 0.42, 0.36), 0.3, 0.35), mass=self.mass)


@dataclass(frozen=True)
class RoundPeg:
    """A round peg on a square plate. The origin is the centre of the plate's underside."""

    width: float = 0.04
    """Diameter of the peg [m]."""
    height: float = 0.10
    """Height of the peg's top over the table [m]."""
    plate_width: float = 0.10
    """Edge of the plate [m]."""
    plate_height: float = 0.005
    """Thickness of the plate [m]."""

    def __post_init__(self):
        check_positive("width, height and plate of RoundPeg", self.width, self.height, self.plate_width)

    def usd(self) -> str:
        """Path of the USD file."""
        parts = (
            Cylinder("peg", (0.0, 0.0, self.height / 2), self.width / 2, self.height),
            Box("plate", (0.0, 0.0, self.plate_height / 2), (self.plate_width, self.plate_width, self.plate_height)),
        )
        return rigid_object("round_peg", parts, Surface((0.10, 0.17, 0.36), 0.1), mass=None)
