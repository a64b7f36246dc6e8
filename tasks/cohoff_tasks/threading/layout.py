# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Layout of Threading. Positions are in the robot's base frame [m]."""

from __future__ import annotations

from dataclasses import dataclass

from cohoff_tasks.assets.parts import Vector, check_clearance
from cohoff_tasks.assets.threading import Needle, RingTripod


@dataclass(frozen=True)
class ThreadingLayout:
    """A needle with a grip block and a ring, with a clearance of 5 mm all around."""

    needle: Needle = Needle()
    """The needle."""
    tripod: RingTripod = RingTripod()
    """The ring on its tripod; the needle goes through it along +x."""
    tripod_position: Vector = (0.58, -0.15, 0.0)
    """Point on the table under the center of the ring, by default."""
    needle_position: Vector = (0.42, 0.20, 0.016)
    """Center of the box in which the needle's grip block starts."""

    def __post_init__(self):
        check_clearance("the needle in the ring", self.tripod.inner_radius, self.needle.shaft_radius)


LAYOUT = ThreadingLayout()
"""The layout of the task."""
