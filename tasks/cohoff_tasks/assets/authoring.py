# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Writes objects made of primitives as USD: rigid bodies, fixtures and articulations with a fixed base."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from .cache import cached_folder
from .parts import Box, Part, Surface, Vector, check_positive

_FORMAT = 3
"""Version of the USD layout. A new number invalidates all cached objects."""


@dataclass(frozen=True)
class Link:
    """A body that moves relative to the base of an articulation. Its frame is the base's frame if the joint is at 0."""

    name: str
    """Name of the body."""
    parts: tuple[Part, ...]
    """Parts of the body."""
    mass: float
    """Mass [kg]."""
    joint: str
    """Name of the joint."""
    kind: str
    """``prismatic`` or ``revolute``."""
    axis: str
    """Axis of the joint in the base's frame: x, y or z."""
    anchor: Vector
    """A point on the axis in the base's frame [m]."""
    limits: tuple[float, float]
    """Range of the joint [m] or [rad]."""

    def __post_init__(self):
        check_positive(f"mass of link {self.name!r}", self.mass)
        if not self.limits[0] < self.limits[1]:
            raise ValueError(f"limits of joint {self.joint!r} must be lower, upper, not {self.limits}")


def rigid_object(name: str, parts: tuple[Part, ...], surface: Surface, *, mass: float | None) -> str:
    """Path of a USD file with one body.

    Args:
        name: Prefix of the cached folder.
        parts: Parts of the body.
        surface: Surface of the parts without their own.
        mass: Mass [kg], or None for a fixture.
    """
    if mass is not None:
        check_positive(f"mass of {name!r}", mass)
    return _cached(name, parts, surface, mass=mass, links=None)


def articulated_object(name: str, base: tuple[Part, ...], links: tuple[Link, ...], surface: Surface) -> str:
    """Path of a USD file with an articulation: a fixed body named ``base`` with ``links``.

    Args:
        name: Prefix of the cached folder.
        base: Parts of the fixed body.
        links: The moving bodies.
        surface: Surface of the parts without their own.
    """
    return _cached(name, base, surface, mass=None, links=links)


def add_box(stage, path: str, center, size):
    """Define a box collider (``UsdGeom.Cube``) at ``path`` of a USD stage and return it. Lengths are in meters."""
    from pxr import Gf, UsdGeom, UsdPhysics

    cube = UsdGeom.Cube.Define(stage, path)
    cube.CreateSizeAttr(1.0)
    cube.AddTranslateOp().Set(Gf.Vec3d(*center))
    cube.AddScaleOp().Set(Gf.Vec3f(*size))
    UsdPhysics.CollisionAPI.Apply(cube.GetPrim())
    return cube


def _cached(name: str, parts, surface: Surface, mass: float | None, links: tuple[Link, ...] | None) -> str:
    # asdict leaves out the type of the primitive.
    described = [[type(part).__name__, asdict(part)] for part in parts]
    key = {"format": _FORMAT, "parts": described, "surface": asdict(surface), "mass": mass}
    if links is not None:
        key["links"] = [[asdict(link), [type(part).__name__ for part in link.parts]] for link in links]
    folder = cached_folder(name, key, lambda path: _author(path / "object.usda", parts, surface, mass, links))
    return str(folder / "object.usda")


def _author(path: Path, parts, surface: Surface, mass: float | None, links: tuple[Link, ...] | None) -> None:
    from pxr import Usd, UsdGeom, UsdPhysics

    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, "/Object").GetPrim()
    stage.SetDefaultPrim(root)
    if links is None:
        if mass is not None:
            UsdPhysics.RigidBodyAPI.Apply(root)
            UsdPhysics.MassAPI.Apply(root).CreateMassAttr(mass)
        _add_parts(stage, "/Object", parts, surface)
    else:
        UsdPhysics.ArticulationRootAPI.Apply(root)
        _add_body(stage, "base", parts, surface, mass=1.0)
        anchor = UsdPhysics.FixedJoint.Define(stage, "/Object/base_joint")
        anchor.CreateBody1Rel().SetTargets(["/Object/base"])
        for link in links:
            _add_body(stage, link.name, link.parts, surface, link.mass)
            _add_joint(stage, link)
    stage.Save()


def _add_body(stage, name: str, parts, surface: Surface, mass: float) -> None:
    from pxr import UsdGeom, UsdPhysics

    body = UsdGeom.Xform.Define(stage, f"/Object/{name}").GetPrim()
    UsdPhysics.RigidBodyAPI.Apply(body)
    UsdPhysics.MassAPI.Apply(body).CreateMassAttr(mass)
    _add_parts(stage, f"/Object/{name}", parts, surface)


def _add_joint(stage, link: Link) -> None:
    from math import degrees

    from pxr import Gf, UsdPhysics

    revolute = link.kind == "revolute"
    schema = UsdPhysics.RevoluteJoint if revolute else UsdPhysics.PrismaticJoint
    joint = schema.Define(stage, f"/Object/{link.joint}")
    joint.CreateBody0Rel().SetTargets(["/Object/base"])
    joint.CreateBody1Rel().SetTargets([f"/Object/{link.name}"])
    joint.CreateAxisAttr(link.axis.upper())
    joint.CreateLocalPos0Attr(Gf.Vec3f(*link.anchor))
    joint.CreateLocalPos1Attr(Gf.Vec3f(*link.anchor))
    lower, upper = (degrees(value) if revolute else value for value in link.limits)
    joint.CreateLowerLimitAttr(lower)
    joint.CreateUpperLimitAttr(upper)
    # An implicit actuator needs a drive to set its gains on.
    drive = UsdPhysics.DriveAPI.Apply(joint.GetPrim(), "angular" if revolute else "linear")
    drive.CreateTypeAttr("force")
    drive.CreateStiffnessAttr(0.0)
    drive.CreateDampingAttr(0.0)


def _add_parts(stage, body: str, parts, surface: Surface) -> None:
    from pxr import Gf, UsdGeom, UsdPhysics, UsdShade

    looks = {}
    # Isaac Lab hides the colliders of a body that has other shapes. Such a collider needs a visible copy.
    doubled = not all(part.collides for part in parts)
    for part in parts:
        if part.collides:
            prim = _add_shape(stage, f"{body}/{part.name}", part)
            UsdPhysics.CollisionAPI.Apply(prim.GetPrim())
            if doubled:
                prim.CreatePurposeAttr(UsdGeom.Tokens.guide)
                prim = _add_shape(stage, f"{body}/{part.name}_drawn", part)
        else:
            prim = _add_shape(stage, f"{body}/{part.name}", part)
        look = part.surface or surface
        if look not in looks:
            looks[look] = _add_material(stage, f"{body}/Look_{len(looks)}", look)
        prim.CreateDisplayColorAttr([Gf.Vec3f(*look.color)])
        UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(looks[look])


def _add_shape(stage, path: str, part: Part):
    from pxr import Gf, UsdGeom

    shape = UsdGeom.Cube if isinstance(part, Box) else UsdGeom.Cylinder
    prim = shape.Define(stage, path)
    prim.AddTranslateOp().Set(Gf.Vec3d(*part.center))
    x, y, z, w = part.rotation
    prim.AddOrientOp().Set(Gf.Quatf(w, x, y, z))
    if isinstance(part, Box):
        prim.CreateSizeAttr(1.0)
        prim.AddScaleOp().Set(Gf.Vec3f(*part.size))
    else:
        prim.CreateAxisAttr("Z")
        prim.CreateRadiusAttr(part.radius)
        prim.CreateHeightAttr(part.height)
    return prim


def _add_material(stage, path: str, surface: Surface):
    from pxr import Gf, Sdf, UsdShade

    material = UsdShade.Material.Define(stage, path)
    shader = UsdShade.Shader.Define(stage, f"{path}/PreviewSurface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*surface.color))
    shader.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(surface.metallic)
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(surface.roughness)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material
