# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Points and success condition of Threading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cohoff_tasks.common.geometry import x_axis, z_axis
from cohoff_tasks.common.state import object_pose, point_on_object

from .layout import LAYOUT

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

NEEDLE = "needle"
"""Name of the needle in the scene."""

TRIPOD = "tripod"
"""Name of the tripod with the ring in the scene."""


def grip(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Center of the needle's grip block [m], shape [N, 3]."""
    return object_pose(env, NEEDLE)[0]


def tip(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Tip of the needle [m], shape [N, 3]."""
    return point_on_object(env, NEEDLE, (LAYOUT.needle.tip_offset, 0.0, 0.0))


def aperture(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Center of the ring [m], shape [N, 3]."""
    return point_on_object(env, TRIPOD, (0.0, 0.0, LAYOUT.tripod.aperture_height))


def ring_axis(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Axis of the ring, in the direction of threading, shape [N, 3]."""
    return x_axis(object_pose(env, TRIPOD)[1])


def depth(env: ManagerBasedRLEnv, point: torch.Tensor) -> torch.Tensor:
    """Distance of ``point`` [N, 3] past the ring's plane [m], shape [N]."""
    return ((point - aperture(env)) * ring_axis(env)).sum(dim=1)


def tip_on_axis(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Point on the ring's axis nearest to the needle's tip [m], shape [N, 3]."""
    return _on_axis(env, tip(env))


def grip_on_axis(env: ManagerBasedRLEnv) -> torch.Tensor:
    """Point on the ring's axis nearest to the center of the grip block [m], shape [N, 3]."""
    return _on_axis(env, grip(env))


def needle_through_ring(env: ManagerBasedRLEnv, min_depth: float, min_up: float) -> torch.Tensor:
    """True where the needle is through the aperture and the tripod is upright, shape [N].

    The line from the grip block, in front of the ring, to the tip has to cross the ring's plane within the aperture.

    Args:
        env: The environment.
        min_depth: Bound on the distance of the tip past the ring's plane [m].
        min_up: Bound on the vertical component of the tripod's z axis.
    """
    start, end = grip(env), tip(env)
    before, past = depth(env, start), depth(env, end)
    share = (-before / (past - before).clamp(min=1e-6)).clamp(0.0, 1.0).unsqueeze(1)
    crossing = start + share * (end - start)
    inside = torch.linalg.vector_norm(crossing - aperture(env), dim=1) < LAYOUT.tripod.inner_radius
    stands = z_axis(object_pose(env, TRIPOD)[1])[:, 2] > min_up
    return (before < 0.0) & (past > min_depth) & inside & stands


def _on_axis(env: ManagerBasedRLEnv, point: torch.Tensor) -> torch.Tensor:
    return aperture(env) + depth(env, point).unsqueeze(1) * ring_axis(env)
