# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Franka Emika Panda with its gripper, converted from the URDF in ``example-robot-data``."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

from .authoring import add_box
from .cache import cached_folder

_FORMAT = 1
"""Version of the conversion. A new number invalidates the cached robot."""

HAND_BOX = ((0.0, 0.0, 0.03), (0.06, 0.2, 0.07))
"""Center and size of the hand's collider in the hand's frame [m]."""

_FINGER_COLLIDERS = ("box_2", "box_3")
"""Boxes of the URDF to keep on a finger: shank and pad. The two at its root never touch anything."""


def panda_usd() -> str:
    """Path of the robot's USD file: drives on every joint, colliders only on the hand and the fingers."""
    versions = {name: importlib.metadata.version(name) for name in ("example-robot-data", "urdf-usd-converter")}
    folder = cached_folder("panda", {"format": _FORMAT, "hand_box": HAND_BOX, **versions}, _author)
    return str(folder / "panda.usdc")


def _author(folder: Path) -> None:
    # In a separate process: the converter only works if it is imported before any USD schema is looked up.
    command = [sys.executable, "-m", __name__, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"the conversion of the robot failed:\n{result.stderr}")


def _convert(folder: Path) -> None:
    import urdf_usd_converter
    from pxr import Usd

    urdf = _urdf_path()
    packages = [{"name": "example-robot-data", "path": str(urdf.parents[3])}]
    converter = urdf_usd_converter.Converter(layer_structure=False, scene=False, ros_packages=packages)
    stage = Usd.Stage.Open(converter.convert(str(urdf), str(folder)).path)
    _replace_colliders(stage)
    _add_drives(stage)
    stage.GetRootLayer().Save()


def _urdf_path() -> Path:
    files = importlib.metadata.files("example-robot-data") or []
    for file in files:
        if str(file).endswith("panda_description/urdf/panda.urdf"):
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError("the installed package example-robot-data holds no panda_description/urdf/panda.urdf")


def _replace_colliders(stage) -> None:
    """Keep two boxes per finger and add one to the hand. Meshes are slow, and nothing else touches an object."""
    from pxr import UsdGeom, UsdPhysics

    colliders = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.CollisionAPI)]
    for prim in colliders:
        if prim.GetName() not in _FINGER_COLLIDERS:
            stage.RemovePrim(prim.GetPath())
    hand = next(prim for prim in stage.Traverse() if prim.GetName() == "panda_hand")
    box = add_box(stage, str(hand.GetPath().AppendChild("hand_box")), *HAND_BOX)
    box.CreatePurposeAttr(UsdGeom.Tokens.guide)


def _add_drives(stage) -> None:
    """Add drives, which the converter leaves out and an implicit actuator needs to set its gains on."""
    from pxr import UsdPhysics

    for prim in stage.Traverse():
        if prim.IsA(UsdPhysics.RevoluteJoint):
            drive = UsdPhysics.DriveAPI.Apply(prim, "angular")
        elif prim.IsA(UsdPhysics.PrismaticJoint):
            drive = UsdPhysics.DriveAPI.Apply(prim, "linear")
        else:
            continue
        drive.CreateTypeAttr("force")
        drive.CreateStiffnessAttr(1.0)
        drive.CreateDampingAttr(0.1)
        drive.CreateMaxForceAttr(100.0)


if __name__ == "__main__":
    _convert(Path(sys.argv[1]))
