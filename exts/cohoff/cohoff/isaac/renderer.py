# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Newton's Warp renderer with a configurable light direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import warp as wp
from isaaclab_newton.renderers import NewtonWarpRenderer

if TYPE_CHECKING:
    from .cameras_cfg import LitRendererCfg


class LitRenderer(NewtonWarpRenderer):
    """Renderer whose light shines along the ``light_direction`` of its configuration."""

    cfg: LitRendererCfg

    def initialize(self) -> None:
        """Set up like the base class, then change the light."""
        super().initialize()
        assert self.newton_sensor is not None
        direction = wp.vec3f(*self.cfg.light_direction)  # pyright: ignore[reportArgumentType]
        self.newton_sensor.utils.create_default_light(self.cfg.enable_shadows, direction)
