# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Domain randomization of all tasks: off by default, on with ``presets=randomized``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from isaaclab.managers import EventTermCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils.hydra import preset

from . import randomization


def when_randomized(func: Callable, **params: Any) -> Any:
    """Event that calls ``func`` with ``params`` at every reset with ``presets=randomized``, and otherwise never."""
    return preset(default=None, randomized=EventTermCfg(func=func, mode="reset", params=params))


@configclass
class RandomizationEventsCfg:
    """Friction and mass."""

    friction: EventTermCfg | None = when_randomized(randomization.RandomizeFriction, factor=(0.8, 1.2))
    """Scales the friction of all surfaces of an environment."""

    mass: EventTermCfg | None = when_randomized(randomization.RandomizeMass, factor=(0.7, 1.3))
    """Scales the mass of each object."""
