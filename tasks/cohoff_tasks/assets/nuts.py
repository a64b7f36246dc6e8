# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Square and round nuts with handles, and their pegs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from .authoring import rigid_object
from .parts import Box, Cylinder, Part, Surface, check_positive, ring, turned

_RAISED = 0.003
"""Gap between the table and the parts of a nut that do not touch it [m]. Fewer boxes in contact are faster."""


@dataclass(frozen=True)
class _Nut(ABC):
    """A nut with a handle along +x. The origin is the center of the hole, at half the nut's height."""

    hole: float = 0.05
    """Width of the hole [m]."""
    wall: float = 0.015
    """Thickness of the walls [m]."""
    height: float = 0.02
    """Height of the nut [m]."""
    handle_length: float = 0.05
    """Length of the handle [m]."""
    handle_width: float = 0.02
    """Width of the handle [m]."""
    mass: float = 0.1
    """Mass [kg]."""

    def __post_init__(self):
        what = f"hole, wall, height and handle of {type(self).__name__}"
        check_positive(what, self.hole, self.wall, self.height, self.handle_length)

    @property
    def grasp_offset(self) -> float:
        """Distance from the center of the hole to the middle of the handle, along +x [m]."""
        return self.hole / 2 + self.wall + self.handle_length / 2

    @property
    def _middle(self) -> float:
        """Distance from the center of the hole to the middle of a wall [m]."""
        return (self.hole + self.wall) / 2

    def _handle(self) -> Box:
        size = (self.handle_length, self.handle_width, self.height - _RAISED)
        return Box("handle", (self.grasp_offset, 0.0, _RAISED / 2), size)

    @abstractmethod
    def usd(self) -> str:
        """Path of the USD file."""


class SquareNut(_Nut):
    """A square ring with a handle."""

    def usd(self) -> str:
        """Path of the USD file."""
        middle, outer = self._middle, self.hole + 2 * self.wall
        height = self.height - _RAISED
        # Only the two x walls touch the table.
        boxes = (
            Box("front", (middle, 0.0, 0.0), (self.wall, outer, self.height)),
            Box("back", (-middle, 0.0, 0.0), (self.wall, outer, self.height)),
            Box("left", (0.0, middle, _RAISED / 2), (self.hole, self.wall, height)),
            Box("right", (0.0, -middle, _RAISED / 2), (self.hole, self.wall, height)),
            self._handle(),
        )
        return rigid_object("square_nut", boxes, Surface((0.80, 0.36, 0.08), 0.3, 0.35), mass=self.mass)


class RoundNut(_Nut):
    """A ring of eight sides with a handle."""

    def usd(self) -> str:
        """Path of the USD file."""
        walls = ring("side", (0.0, 0.0, _RAISED / 2), self.hole / 2, self.wall, self.height - _RAISED)
        parts = (*walls, self._handle(), *(self._foot(i) for i in range(3)))
        return rigid_object("round_nut", parts, Surface((0.10, 0.42, 0.36), 0.3, 0.35), mass=self.mass)

    def _foot(self, index: int) -> Box:
        heading = 2.0 * math.pi * index / 3.0
        x, y = self._middle * math.cos(heading), self._middle * math.sin(heading)
        size = (0.8 * self.wall, 0.8 * self.wall, 2.0 * _RAISED)
        return Box(f"foot_{index}", (x, y, _RAISED - self.height / 2), size, rotation=turned("z", heading))


@dataclass(frozen=True)
class _Peg(ABC):
    """A peg on a square plate. The origin is the center of the plate's underside."""

    width: float = 0.04
    """Width of the peg [m]."""
    height: float = 0.10
    """Height of the peg's top over the table [m]."""
    plate_width: float = 0.10
    """Edge of the plate [m]."""
    plate_height: float = 0.005
    """Thickness of the plate [m]."""

    def __post_init__(self):
        check_positive(f"width, height and plate of {type(self).__name__}", self.width, self.height, self.plate_width)

    @abstractmethod
    def usd(self) -> str:
        """Path of the USD file."""

    def _on_plate(self, name: str, peg: Part) -> str:
        size = (self.plate_width, self.plate_width, self.plate_height)
        plate = Box("plate", (0.0, 0.0, self.plate_height / 2), size)
        return rigid_object(name, (peg, plate), Surface((0.10, 0.17, 0.36), 0.1), mass=None)


class SquarePeg(_Peg):
    """A peg with a square cross section."""

    def usd(self) -> str:
        """Path of the USD file."""
        peg = Box("peg", (0.0, 0.0, self.height / 2), (self.width, self.width, self.height))
        return self._on_plate("square_peg", peg)


class RoundPeg(_Peg):
    """A cylindrical peg."""

    def usd(self) -> str:
        """Path of the USD file."""
        return self._on_plate("round_peg", Cylinder("peg", (0.0, 0.0, self.height / 2), self.width / 2, self.height))
