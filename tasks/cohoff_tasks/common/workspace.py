# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The part of the table within the arm's reach, and a check that all objects start there."""

from __future__ import annotations

from typing import Any

from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
from isaaclab.managers import EventTermCfg
from isaaclab.sim import UsdFileCfg

WORKSPACE = ((0.2, 0.8), (-0.45, 0.45))
"""Range of x and y in the base frame [m]."""


def check_workspace(scene: Any, events: Any) -> None:
    """Check that all objects of a scene start in the workspace, wherever the reset events place them.

    Raises:
        ValueError: An object may start outside :data:`WORKSPACE`. The message has its name and position.
    """
    ranges = {}
    for term in vars(events).values():
        if isinstance(term, EventTermCfg) and "half_range" in term.params:
            ranges[term.params["name"]] = term.params["half_range"]
    for name, asset in vars(scene).items():
        if name == "robot" or not isinstance(asset, (RigidObjectCfg, ArticulationCfg, AssetBaseCfg)):
            continue
        if not isinstance(asset.spawn, UsdFileCfg):
            continue
        half_range = ranges.get(name, (0.0, 0.0))
        for axis, (low, high) in enumerate(WORKSPACE):
            center = asset.init_state.pos[axis]
            if not (low <= center - half_range[axis] and center + half_range[axis] <= high):
                raise ValueError(
                    f"object {name!r} may start outside the workspace: {'xy'[axis]} = {center} ± {half_range[axis]} m, "
                    f"but the arm reaches {low} to {high} m"
                )
