# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What stands where in NutAssembly. Positions are in the base frame [m]."""

from __future__ import annotations

from dataclasses import dataclass

from cohoff_tasks.assets.nuts import RoundNut, RoundPeg, SquareNut, SquarePeg
from cohoff_tasks.assets.parts import Vector, check_clearance


@dataclass(frozen=True)
class NutAssemblyLayout:
    """A square and a round nut with handles and their pegs, with 5 mm to spare on each side.

    Nuts and pegs are so far apart that the hand on one of them stays clear of the others, whatever the nuts' headings are.
    """

    square_nut: SquareNut = SquareNut()
    """The square nut."""
    square_peg: SquarePeg = SquarePeg()
    """The square peg."""
    round_nut: RoundNut = RoundNut()
    """The round nut."""
    round_peg: RoundPeg = RoundPeg()
    """The round peg."""
    square_peg_position: Vector = (0.62, 0.11, 0.0)
    """Foot of the square peg."""
    round_peg_position: Vector = (0.62, -0.11, 0.0)
    """Foot of the round peg."""
    square_nut_position: Vector = (0.39, 0.19, 0.011)
    """Middle of the box that the square nut starts in."""
    round_nut_position: Vector = (0.39, -0.19, 0.011)
    """Middle of the box that the round nut starts in."""

    def __post_init__(self):
        check_clearance("the square nut on its peg", self.square_nut.hole, self.square_peg.width)
        check_clearance("the round nut on its peg", self.round_nut.hole, self.round_peg.width)

    @property
    def square_seat(self) -> float:
        """Height of the square nut's centre when it lies on its peg's plate [m]."""
        return self.square_peg.plate_height + self.square_nut.height / 2

    @property
    def round_seat(self) -> float:
        """Height of the round nut's centre when it lies on its peg's plate [m]."""
        return self.round_peg.plate_height + self.round_nut.height / 2

    @property
    def carry_height(self) -> float:
        """Height of a nut's centre well above both pegs [m]."""
        tallest = max(self.square_peg.height, self.round_peg.height)
        return tallest + max(self.square_nut.height, self.round_nut.height) / 2 + 0.025


LAYOUT = NutAssemblyLayout()
"""The layout of the task."""
