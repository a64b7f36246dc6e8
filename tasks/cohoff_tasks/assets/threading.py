# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A needle with a grip block, and a ring on a tripod."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .authoring import rigid_object
from .parts import Box, Cylinder, Surface, Vector, check_positive, ring, turned

_STEEL = Surface((0.62, 0.64, 0.68), 0.9, 0.25)


@dataclass(frozen=True)
class Needle:
    """A grip block with a round shaft along +x. The origin is the center of the block."""

    shaft_radius: float = 0.006
    """Radius of the shaft [m]."""
    shaft_length: float = 0.075
    """Length of the shaft outside the block [m]."""
    block: Vector = (0.05, 0.02, 0.03)
    """Size of the grip block [m]. It is longer than the finger pads are wide, so that they keep the shaft level."""
    mass: float = 0.08
    """Mass [kg]."""

    def __post_init__(self):
        check_positive("shaft and block of Needle", self.shaft_radius, self.shaft_length, *self.block)

    @property
    def tip_offset(self) -> float:
        """Distance from the center of the block to the tip of the shaft, along +x [m]."""
        return self.block[0] / 2 + self.shaft_length

    def usd(self) -> str:
        """Path of the USD file."""
        length, width, height = self.block
        along = turned("y", math.pi / 2)
        middle = (length + self.shaft_length) / 2
        grip = Surface((0.06, 0.33, 0.34), 0.0, 0.6)
        stripe = Surface((0.85, 0.78, 0.62), 0.0, 0.6)
        parts = (
            Box("block", (0.0, 0.0, 0.0), self.block, surface=grip),
            Cylinder("shaft", (middle, 0.0, 0.0), self.shaft_radius, self.shaft_length, rotation=along),
            Cylinder("collar", (length / 2, 0.0, 0.0), 1.4 * self.shaft_radius, 0.008, rotation=along, collides=False),
            *(
                Box(
                    f"stripe_{i}", (x, 0.0, 0.0), (0.004, width + 0.001, height + 0.001), surface=stripe, collides=False
                )
                for i, x in enumerate((-0.4 * length, 0.4 * length))
            ),
        )
        return rigid_object("needle", parts, _STEEL, mass=self.mass)


@dataclass(frozen=True)
class RingTripod:
    """A ring with its axis along x, on three legs. The origin is on the table under the center of the ring."""

    inner_radius: float = 0.011
    """Radius of the inscribed circle of the aperture [m]."""
    wall: float = 0.007
    """Thickness of the ring's wall [m]."""
    thickness: float = 0.01
    """Extent of the ring along its axis [m]."""
    aperture_height: float = 0.12
    """Height of the ring's center over the table [m]."""
    foot_radius: float = 0.075
    """Distance from the center to the feet [m]."""
    mass: float = 2.0
    """Mass [kg], high enough that a touch does not knock it over."""

    def __post_init__(self):
        check_positive("ring of RingTripod", self.inner_radius, self.wall, self.thickness)
        check_positive("heights and feet of RingTripod", self.aperture_height - self.outer_radius, self.foot_radius)

    @property
    def outer_radius(self) -> float:
        """Half of the ring's height [m]."""
        return self.inner_radius + self.wall

    def usd(self) -> str:
        """Path of the USD file."""
        top = self.aperture_height - self.outer_radius
        hub = 0.6 * top
        brass = Surface((0.83, 0.58, 0.18), 0.8, 0.3)
        parts = [
            *ring("ring", (0.0, 0.0, self.aperture_height), self.inner_radius, self.wall, self.thickness, axis="x"),
            Box("post", (0.0, 0.0, (top + hub) / 2), (0.012, 0.012, top - hub)),
            Cylinder("hub", (0.0, 0.0, hub), 0.014, 0.024, collides=False),
        ]
        for i, heading in enumerate((0.0, 2.0 * math.pi / 3.0, -2.0 * math.pi / 3.0)):
            parts += _leg(i, heading, hub, self.foot_radius)
        return rigid_object("ring_tripod", tuple(parts), brass, mass=self.mass)


def _leg(index: int, heading: float, hub: float, radius: float) -> tuple[Box, ...]:
    """A sloping leg and its foot, which is the only part that touches the table."""
    pad, iron = 0.008, Surface((0.10, 0.11, 0.13), 0.5, 0.45)
    x, y = radius * math.cos(heading), radius * math.sin(heading)
    rise = hub - pad
    length = math.hypot(radius, rise)
    # The leg is along z by default. Tilt it outward, then turn it to its heading.
    lean = math.atan2(radius, rise)
    rotation = _leaned(heading, math.pi - lean)
    return (
        Box(f"leg_{index}", (x / 2, y / 2, (hub + pad) / 2), (0.01, 0.01, length), rotation=rotation, surface=iron),
        Box(f"foot_{index}", (x, y, pad / 2), (0.03, 0.03, pad), rotation=turned("z", heading), surface=iron),
    )


def _leaned(heading: float, lean: float):
    """Rotation by ``lean`` about y, then by ``heading`` about z [rad], as (x, y, z, w)."""
    _, sy, _, cy = turned("y", lean)
    _, _, sz, cz = turned("z", heading)
    return (-sz * sy, cz * sy, sz * cy, cz * cy)
