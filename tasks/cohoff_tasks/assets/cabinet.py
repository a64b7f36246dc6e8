# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A low cabinet with one drawer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .authoring import Link, articulated_object
from .parts import Box, Cylinder, Part, Surface, Vector, check_positive, turned

DRAWER = "drawer"
"""Name of the moving body."""

SLIDE = "slide"
"""Name of the drawer's joint, whose position [m] is 0 if closed and negative if open."""

_WOOD = Surface((0.24, 0.12, 0.05), 0.0, 0.5)
_TOP = Surface((0.55, 0.34, 0.17), 0.0, 0.45)
_PALE_WOOD = Surface((0.76, 0.60, 0.40), 0.0, 0.6)
_FRONT = Surface((0.12, 0.30, 0.33), 0.0, 0.4)
_STEEL = Surface((0.72, 0.73, 0.75), 0.9, 0.25)


@dataclass(frozen=True)
class Cabinet:
    """A cabinet whose drawer opens along -x, with a bar handle across its front.

    The origin is the bottom center of the closed drawer's front, on its outer side. A hand that points down puts its
    fingers between the bar and the front. There it pulls on the bar and pushes on the front.
    """

    inside: Vector = (0.17, 0.16, 0.04)
    """Inner depth, width and height of the drawer [m]."""
    floor_height: float = 0.028
    """Height of the drawer's floor [m]."""
    height: float = 0.12
    """Height of the cabinet [m]."""
    wall: float = 0.008
    """Thickness of the drawer's floor and walls [m]."""
    plate: float = 0.012
    """Thickness of the drawer's front and of the cabinet's plates [m]."""
    play: float = 0.004
    """Clearance between the drawer and the cabinet [m]."""
    bar: Vector = (0.012, 0.144, 0.016)
    """Size of the handle's bar [m]."""
    bar_gap: float = 0.04
    """Gap between the front and the bar [m]."""
    bar_height: float = 0.088
    """Height of the bar's middle [m]."""
    travel: float = 0.18
    """Maximum opening of the drawer [m]."""
    mass: float = 0.6
    """Mass of the drawer [kg]."""

    def __post_init__(self):
        check_positive("inside, height and travel of Cabinet", *self.inside, self.height, self.travel)
        check_positive("wall, plate, play and gap of Cabinet", self.wall, self.plate, self.play, self.bar_gap)
        check_positive("room of Cabinet over the drawer's walls", self.room - self.inside[2])

    @property
    def room(self) -> float:
        """Height between the drawer's floor and the cabinet's top plate [m]."""
        return self.height - self.plate - self.floor_height

    @property
    def width(self) -> float:
        """Width of the cabinet [m]."""
        return self.inside[1] + 2 * (self.wall + self.play + self.plate)

    @property
    def hook(self) -> Vector:
        """Middle of the gap between the front and the bar, in the drawer's frame [m]."""
        return (-self.bar_gap / 2, 0.0, self.bar_height)

    @property
    def floor(self) -> Vector:
        """Middle of the drawer's floor, in the drawer's frame [m]."""
        return (self.plate + self.inside[0] / 2, 0.0, self.floor_height)

    def usd(self) -> str:
        """Path of the USD file."""
        drawer = Link(DRAWER, self._drawer(), self.mass, SLIDE, "prismatic", "x", (0.0, 0.0, 0.0), (-self.travel, 0.0))
        return articulated_object("cabinet", self._body(), (drawer,), _WOOD)

    def _body(self) -> tuple[Part, ...]:
        depth = self.inside[0] + self.wall + self.play + self.plate
        # A seam between the front and the body.
        x = self.plate + 0.001 + depth / 2
        foot = 0.002
        side = (self.width - self.plate) / 2
        tall, middle = self.height - self.plate - foot, (self.height - self.plate + foot) / 2
        return (
            Box("top", (x, 0.0, self.height - self.plate / 2), (depth, self.width, self.plate), surface=_TOP),
            Box("left", (x, side, middle), (depth, self.plate, tall)),
            Box("right", (x, -side, middle), (depth, self.plate, tall)),
            Box("bottom", (x, 0.0, self.plate / 2), (depth, self.width, self.plate), collides=False),
            Box(
                "back",
                (x + (depth - self.plate) / 2, 0.0, middle),
                (self.plate, self.width - 2 * self.plate, tall),
                surface=_FRONT,
                collides=False,
            ),
        )

    def _drawer(self) -> tuple[Part, ...]:
        depth, width, height = self.inside
        x, _, floor = self.floor
        foot = 0.006
        middle = floor + height / 2
        side = (width + self.wall) / 2
        post = self.bar[1] / 2 - 0.008
        bar_x = -self.bar_gap - self.bar[0] / 2
        posts = tuple(
            Cylinder(
                f"post_{i}",
                (bar_x / 2, y, self.bar_height),
                0.005,
                -bar_x,
                rotation=turned("y", math.pi / 2),
                surface=_STEEL,
                collides=False,
            )
            for i, y in enumerate((post, -post))
        )
        return (
            Box(
                "front",
                (self.plate / 2, 0.0, (self.height + foot) / 2),
                (self.plate, self.width, self.height - foot),
                surface=_FRONT,
            ),
            Box("bar", (bar_x, 0.0, self.bar_height), self.bar, surface=_STEEL),
            *posts,
            Box(
                "floor", (x, 0.0, floor - self.wall / 2), (depth, width + 2 * self.wall, self.wall), surface=_PALE_WOOD
            ),
            Box("left", (x, side, middle), (depth, self.wall, height), surface=_PALE_WOOD),
            Box("right", (x, -side, middle), (depth, self.wall, height), surface=_PALE_WOOD),
            Box(
                "back",
                (x + (depth + self.wall) / 2, 0.0, middle - self.wall / 2),
                (self.wall, width + 2 * self.wall, height + self.wall),
                surface=_PALE_WOOD,
            ),
        )
