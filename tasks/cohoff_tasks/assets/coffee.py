# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The coffee pod and the coffee machine with a pod holder and a hinged lid."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .authoring import Link, articulated_object, rigid_object
from .parts import Box, Cylinder, Part, Surface, Vector, check_positive, ring, turned

_CHROME = Surface((0.75, 0.76, 0.78), 0.9, 0.2)
_PLASTIC = Surface((0.03, 0.03, 0.035), 0.0, 0.5)
_PORCELAIN = Surface((0.90, 0.88, 0.83), 0.0, 0.25)
_FOIL = Surface((0.85, 0.62, 0.20), 0.8, 0.3)


@dataclass(frozen=True)
class CoffeePod:
    """A cup with a rim half way up: the part above it is for the hand, the part below goes into a holder.

    The origin is the center of the cup, half way up.
    """

    radius: float = 0.017
    """Radius of the cup [m]."""
    height: float = 0.04
    """Height of the cup [m]."""
    rim_radius: float = 0.022
    """Radius of the rim [m]."""
    rim_height: float = 0.003
    """Thickness of the rim, at half the height of the cup [m]."""
    mass: float = 0.1
    """Mass [kg]."""

    def __post_init__(self):
        check_positive(
            "radius, height and rim of CoffeePod", self.radius, self.height, self.rim_radius, self.rim_height
        )

    def usd(self) -> str:
        """Path of the USD file."""
        foil = (0.0, 0.0, self.height / 2)
        parts = (
            Cylinder("cup", (0.0, 0.0, 0.0), self.radius, self.height),
            Cylinder("rim", (0.0, 0.0, 0.0), self.rim_radius, self.rim_height),
            Cylinder("foil", foil, self.radius - 0.002, 0.001, surface=_FOIL, collides=False),
        )
        return rigid_object("coffee_pod", parts, Surface((0.22, 0.10, 0.05), 0.0, 0.35), mass=self.mass)


@dataclass(frozen=True)
class CoffeeMachine:
    """A machine with a holder for a pod on top and a lid over it, hinged behind the holder.

    The origin is on the table below the center of the holder. The lid's hinge is parallel to y, at +x. The closed lid,
    at joint position 0, points along -x and opens upward.
    """

    holder_radius: float = 0.0195
    """Inner radius of the holder [m]."""
    holder_wall: float = 0.005
    """Thickness of the wall [m]."""
    holder_depth: float = 0.016
    """Height of the wall over the holder's floor [m]."""
    floor: float = 0.10
    """Height of the holder's floor over the table [m]."""
    head: Vector = (0.11, 0.10, 0.03)
    """Size of the box that carries the holder [m]."""
    hinge: Vector = (0.058, 0.0, 0.15)
    """A point on the hinge's axis [m]."""
    lid_size: Vector = (0.10, 0.10, 0.012)
    """Length from the hinge, width and thickness of the lid [m]."""
    lid_mass: float = 0.1
    """Mass of the lid [kg]."""
    max_angle: float = math.radians(110.0)
    """Maximum angle of the lid [rad]."""

    def __post_init__(self):
        check_positive("holder of CoffeeMachine", self.holder_radius, self.holder_wall, self.holder_depth, self.floor)
        check_positive("head and lid of CoffeeMachine", *self.head, *self.lid_size)

    @property
    def room(self) -> float:
        """Height between the holder's floor and the closed lid [m]."""
        return self.hinge[2] - self.lid_size[2] / 2 - self.floor

    def outside_of_lid(self, radius: float, distance: float) -> Vector:
        """Point over the closed lid, ``radius`` [m] from the hinge and ``distance`` [m] above the outer face."""
        return (self.hinge[0] - radius, 0.0, self.hinge[2] + self.lid_size[2] / 2 + distance)

    def usd(self) -> str:
        """Path of the USD file, with the joint ``hinge`` and the bodies ``base`` and ``lid``."""
        return articulated_object(
            "coffee_machine", self._base(), (self._lid(),), Surface((0.42, 0.03, 0.03), 0.2, 0.25)
        )

    def _base(self) -> tuple[Part, ...]:
        length, width, height = self.head
        front = -length / 2
        back = self.hinge[0] + 0.03
        # Higher over the table than the distance at which contacts are generated.
        bottom = 0.004
        column = back - length / 2
        middle = length / 2 + column / 2
        top = self.hinge[2] - 0.002
        tray = (front - 0.01 + back) / 2
        parts = (
            Box("head", (0.0, 0.0, self.floor - height / 2), self.head),
            Box("column", (middle, 0.0, (bottom + top) / 2), (column, width, top - bottom)),
            Box(
                "panel",
                (length / 2, 0.0, (bottom + self.floor) / 2),
                (0.004, width, self.floor - bottom),
                surface=_PLASTIC,
                collides=False,
            ),
            Box("tray", (tray, 0.0, bottom + 0.006), (back - front + 0.01, width, 0.012), surface=_PLASTIC),
            Cylinder("grid", (0.0, 0.0, bottom + 0.013), 0.035, 0.002, surface=_CHROME, collides=False),
            Cylinder("spout", (0.0, 0.0, self.floor - height - 0.004), 0.010, 0.008, surface=_CHROME, collides=False),
            Cylinder("cup", (0.0, 0.0, bottom + 0.028), 0.020, 0.028, surface=_PORCELAIN, collides=False),
        )
        wall = ring(
            "wall",
            (0.0, 0.0, self.floor + self.holder_depth / 2),
            self.holder_radius,
            self.holder_wall,
            self.holder_depth,
        )
        return parts + tuple(replace(box, surface=_CHROME) for box in wall)

    def _lid(self) -> Link:
        length, width, thickness = self.lid_size
        x, y, z = self.hinge
        parts = (
            Box("plate", (x - length / 2, y, z), self.lid_size),
            Cylinder(
                "pin",
                (x, y, z),
                0.007,
                width + 0.006,
                rotation=turned("x", math.pi / 2),
                surface=_CHROME,
                collides=False,
            ),
            Box("trim", (x - length - 0.001, y, z), (0.004, width, thickness), surface=_CHROME, collides=False),
            Box(
                "badge", (x - 0.6 * length, y, z + thickness / 2), (0.05, 0.05, 0.002), surface=_CHROME, collides=False
            ),
        )
        return Link("lid", parts, self.lid_mass, "hinge", "revolute", "y", self.hinge, (0.0, self.max_angle))
