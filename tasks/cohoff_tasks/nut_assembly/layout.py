# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layout of NutAssembly. Positions are in the robot's base frame [m]."""

from __future__ import annotations

from dataclasses import dataclass

from cohoff_tasks.assets.nuts import RoundNut, RoundPeg, SquareNut, SquarePeg
from cohoff_tasks.assets.parts import Vector, check_clearance


@dataclass(frozen=True)
class NutAssemblyLayout:
    """A square and a round nut with handles and their pegs, with a clearance of 5 mm on each side.

    Nuts and pegs are far enough apart for the hand to work on one without touching the others, at any heading.
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
    """Base of the square peg."""
    round_peg_position: Vector = (0.62, -0.11, 0.0)
    """Base of the round peg."""
    square_nut_position: Vector = (0.39, 0.19, 0.011)
    """Center of the box in which the square nut starts."""
    round_nut_position: Vector = (0.39, -0.19, 0.011)
    """Center of the box in which the round nut starts."""

    def __post_init__(self):
        check_clearance("the square nut on its peg", self.square_nut.hole, self.square_peg.width)
        check_clearance("the round nut on its peg", self.round_nut.hole, self.round_peg.width)

    @property
    def square_seat(self) -> float:
        """Height of the square nut's center when the nut lies on its peg's plate [m]."""
        return self.square_peg.plate_height + self.square_nut.height / 2

    @property
    def round_seat(self) -> float:
        """Height of the round nut's center when the nut lies on its peg's plate [m]."""
        return self.round_peg.plate_height + self.round_nut.height / 2

    @property
    def carry_height(self) -> float:
        """Height of a nut's center when it is carried over the pegs [m]."""
        tallest = max(self.square_peg.height, self.round_peg.height)
        return tallest + max(self.square_nut.height, self.round_nut.height) / 2 + 0.025


LAYOUT = NutAssemblyLayout()
"""The layout of the task."""
