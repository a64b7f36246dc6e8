# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Configuration of the reset events."""

from __future__ import annotations

from typing import Any

from isaaclab.managers import EventTermCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils import preset

from . import events
from .randomization_cfg import RandomizationEventsCfg


@configclass
class ManipulationEventsCfg(RandomizationEventsCfg):
    """Base class of a task's events: the arm starts slightly off its default posture."""

    reset_robot: EventTermCfg = EventTermCfg(func=events.reset_robot, mode="reset", params={"joint_noise": 0.03})


def by_preset(d0: Any, d1: Any) -> Any:
    """``d0`` by default and with ``presets=d0``, ``d1`` with ``presets=d1``."""
    return preset(default=d0, d0=d0, d1=d1)


def reset_on_table(name: str, half_range: Any, half_yaw: Any) -> EventTermCfg:
    """Place the rigid object ``name`` at random on the table; see :func:`.events.reset_object_on_table`."""
    params = {"name": name, "half_range": half_range, "half_yaw": half_yaw}
    return EventTermCfg(func=events.reset_object_on_table, mode="reset", params=params)
