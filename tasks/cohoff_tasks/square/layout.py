# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layout of Square. Positions are in the robot's base frame [m]."""

from __future__ import annotations

from dataclasses import dataclass

from cohoff_tasks.assets.nuts import SquareNut, SquarePeg
from cohoff_tasks.assets.parts import Vector, check_clearance


@dataclass(frozen=True)
class SquareLayout:
    """A square nut with a handle and a square peg, with a clearance of 5 mm on each side."""

    nut: SquareNut = SquareNut()
    """The nut."""
    peg: SquarePeg = SquarePeg()
    """The peg."""
    peg_position: Vector = (0.55, -0.15, 0.0)
    """Base of the peg."""
    nut_position: Vector = (0.42, 0.15, 0.011)
    """Center of the box in which the nut starts."""

    def __post_init__(self):
        check_clearance("the square nut on its peg", self.nut.hole, self.peg.width)

    @property
    def seat(self) -> float:
        """Height of the nut's center when the nut lies on the peg's plate [m]."""
        return self.peg.plate_height + self.nut.height / 2

    @property
    def carry_height(self) -> float:
        """Height of the nut's center when it is carried over the peg [m]."""
        return self.peg.height + self.nut.height / 2 + 0.025


LAYOUT = SquareLayout()
"""The layout of the task."""
