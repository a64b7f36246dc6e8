# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What stands where in Square. Positions are in the base frame [m]."""

from __future__ import annotations

from dataclasses import dataclass

from cohoff_tasks.assets.nuts import SquareNut, SquarePeg
from cohoff_tasks.assets.parts import Vector, check_clearance


@dataclass(frozen=True)
class SquareLayout:
    """A square nut with a handle and the square peg that it goes over, with 5 mm to spare on each side."""

    nut: SquareNut = SquareNut()
    """The nut."""
    peg: SquarePeg = SquarePeg()
    """The peg."""
    peg_position: Vector = (0.55, -0.15, 0.0)
    """Foot of the peg."""
    nut_position: Vector = (0.42, 0.15, 0.011)
    """Middle of the box that the nut starts in."""

    def __post_init__(self):
        check_clearance("the square nut on its peg", self.nut.hole, self.peg.width)

    @property
    def seat(self) -> float:
        """Height of the nut's centre when it lies on the peg's plate [m]."""
        return self.peg.plate_height + self.nut.height / 2

    @property
    def carry_height(self) -> float:
        """Height of the nut's centre well above the peg [m]."""
        return self.peg.height + self.nut.height / 2 + 0.025


LAYOUT = SquareLayout()
"""The layout of the task."""
