# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A camera that renders only the environments whose picture is needed, as rendering is what costs on a CPU."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import warp as wp
from isaaclab.sensors import Camera

CLOSED = (0.0, 0.0, 0.0, math.sqrt(0.5))
"""Rotation (x, y, z, w) of a closed camera. It maps every ray to zero, and Newton traces no ray without direction."""


class SelectiveCamera(Camera):
    """Camera that keeps the pictures of environments that are not outdated, or that nobody watches.

    Isaac Lab's own renders all environments again after some of them were reset, which is half of the rendering where
    an episode ends on every step.
    """

    def __init__(self, cfg: Any):
        super().__init__(cfg)
        self._unwatched: torch.Tensor | None = None
        self._closed: torch.Tensor | None = None
        self._before: tuple[torch.Tensor, torch.Tensor] | None = None  # pictures and poses, allocated once

    def ignore(self, environments: torch.Tensor | None) -> None:
        """Keep the present pictures of ``environments``, bool, shape [N], from now on; None renders all again."""
        self._unwatched = environments

    def _prepare_camera(self, env_mask: wp.array) -> None:
        super()._prepare_camera(env_mask)
        poses = self._poses()
        if self._closed is None:
            self._closed = poses.new_tensor(CLOSED)
        poses[:, 3:] = torch.where(self._kept(env_mask)[:, None], self._closed, poses[:, 3:])

    def _update_buffers_impl(self, env_mask: wp.array) -> None:
        pictures, poses = cast(Any, self._data).output["rgb"].torch, self._poses()
        if self._before is None:
            self._before = torch.empty_like(pictures), torch.empty_like(poses)
        before, open_poses = self._before
        before.copy_(pictures)
        open_poses.copy_(poses)
        super()._update_buffers_impl(env_mask)
        # Isaac Lab computes the poses of fixed cameras only once.
        poses.copy_(open_poses)
        pictures.copy_(torch.where(self._kept(env_mask)[:, None, None, None], before, pictures))

    def _kept(self, env_mask: wp.array) -> torch.Tensor:
        kept = ~wp.to_torch(env_mask)
        return kept if self._unwatched is None else kept | self._unwatched

    def _poses(self) -> torch.Tensor:
        """Poses from which the renderer traces, positions and rotations, shape [N, 7]; not a copy."""
        return wp.to_torch(cast(Any, self._render_data).camera_transforms)[0]
