# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Objects and fixtures made of boxes, authored as USD."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from .cache import cached_folder

_FORMAT = 1
"""Version of the authored layout: a new number makes every cached object be authored again."""


@dataclass(frozen=True)
class Box:
    """One axis-aligned box of an object."""

    name: str
    """Name of the prim, unique within the object."""
    center: tuple[float, float, float]
    """Centre in the object's frame [m]."""
    size: tuple[float, float, float]
    """Full edge lengths [m]."""


def box_object(
    name: str,
    boxes: tuple[Box, ...],
    *,
    mass: float | None,
    color: tuple[float, float, float],
    metallic: float = 0.0,
    roughness: float = 0.5,
) -> str:
    """Path of a USD file with one object made of boxes.

    Args:
        name: Readable name of the cached file.
        boxes: Colliders, drawn as they are.
        mass: Mass of the rigid body [kg], or None for a fixture that does not move.
        color: Linear RGB colour in [0, 1].
        metallic: Metalness of the surface in [0, 1].
        roughness: Roughness of the surface in [0, 1].
    """
    look = {"color": color, "metallic": metallic, "roughness": roughness}
    key = {"format": _FORMAT, "boxes": [asdict(box) for box in boxes], "mass": mass, "look": look}
    folder = cached_folder(name, key, lambda path: _author(path / "object.usda", boxes, mass, **look))
    return str(folder / "object.usda")


def add_box(stage, path: str, center, size):
    """Define a colliding box at ``path`` on a USD stage and return it (``UsdGeom.Cube``); lengths in metres."""
    from pxr import Gf, UsdGeom, UsdPhysics

    cube = UsdGeom.Cube.Define(stage, path)
    cube.CreateSizeAttr(1.0)
    cube.AddTranslateOp().Set(Gf.Vec3d(*center))
    cube.AddScaleOp().Set(Gf.Vec3f(*size))
    UsdPhysics.CollisionAPI.Apply(cube.GetPrim())
    return cube


def _author(path: Path, boxes: tuple[Box, ...], mass: float | None, color, metallic: float, roughness: float) -> None:
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade

    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, "/Object").GetPrim()
    stage.SetDefaultPrim(root)
    if mass is not None:
        UsdPhysics.RigidBodyAPI.Apply(root)
        UsdPhysics.MassAPI.Apply(root).CreateMassAttr(mass)

    material = UsdShade.Material.Define(stage, "/Object/Look")
    shader = UsdShade.Shader.Define(stage, "/Object/Look/PreviewSurface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*color))
    shader.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(metallic)
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(roughness)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")

    for box in boxes:
        cube = add_box(stage, f"/Object/{box.name}", box.center, box.size)
        cube.CreateDisplayColorAttr([Gf.Vec3f(*color)])
        UsdShade.MaterialBindingAPI.Apply(cube.GetPrim()).Bind(material)
    stage.Save()
