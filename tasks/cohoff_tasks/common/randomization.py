# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Events that randomize the physics and the cameras at every reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
import warp as wp
from isaaclab.managers import EventTermCfg, ManagerTermBase
from isaaclab.utils.math import quat_from_angle_axis, quat_mul
from isaaclab_newton.physics import NewtonManager
from newton import ModelFlags

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv
    from isaaclab.sensors import Camera


class RandomizeFriction(ManagerTermBase):
    """Scales the friction of all surfaces of an environment by one factor.

    A contact uses the larger coefficient of its two surfaces, or that of the finger if one of them is a finger. Scaling
    all surfaces by one factor therefore scales the friction of every contact.
    """

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        model = NewtonManager.get_model()
        self._world = wp.to_torch(cast(wp.array, model.shape_world)).long()
        self._friction = wp.to_torch(cast(wp.array, model.shape_material_mu))
        self._default = self._friction.clone()
        # The last factor stays 1. It belongs to the surfaces that all environments share, whose world index is -1.
        self._factor = torch.ones(self.num_envs + 1, device=self.device)

    def __call__(self, env: ManagerBasedEnv, env_ids: torch.Tensor, factor: tuple[float, float]) -> None:
        """Draw factors uniformly from the range ``factor`` for ``env_ids``."""
        factors = self._factor[:-1]
        factors[env_ids] = _uniform(factor, factors[env_ids])
        self._friction.copy_(self._default * self._factor[self._world])
        NewtonManager.add_model_change(ModelFlags.SHAPE_PROPERTIES)


class RandomizeMass(ManagerTermBase):
    """Scales the mass and the inertia of each rigid object by its own factor."""

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._objects = [
            (asset, asset.data.body_mass.torch.clone(), asset.data.body_inertia.torch.clone())
            for asset in env.scene.rigid_objects.values()
        ]

    def __call__(self, env: ManagerBasedEnv, env_ids: torch.Tensor, factor: tuple[float, float]) -> None:
        """Draw factors uniformly from the range ``factor`` for ``env_ids``."""
        for asset, mass, inertia in self._objects:
            scale = _uniform(factor, mass[env_ids])
            asset.set_masses_index(masses=mass[env_ids] * scale, env_ids=env_ids)
            asset.set_inertias_index(inertias=inertia[env_ids] * scale[..., None], env_ids=env_ids)


class JitterCameras(ManagerTermBase):
    """Randomizes the poses of fixed cameras."""

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._cameras = []
        for name in cast("tuple[str, ...]", cfg.params["names"]):
            camera = cast("Camera", env.scene[name])
            self._cameras.append((camera, camera.data.pos_w.torch.clone(), camera.data.quat_w_world.torch.clone()))

    def __call__(
        self, env: ManagerBasedEnv, env_ids: torch.Tensor, names: tuple[str, ...], distance: float, angle: float
    ) -> None:
        """Draw camera poses around the configured ones for ``env_ids``.

        Args:
            env: The environment.
            env_ids: Environments to change.
            names: Names of the cameras.
            distance: Maximum displacement along each axis [m].
            angle: Maximum rotation, about an axis in any direction [rad].
        """
        for camera, all_positions, all_orientations in self._cameras:
            position, orientation = all_positions[env_ids], all_orientations[env_ids]
            axis = torch.nn.functional.normalize(torch.randn_like(position), dim=1)
            turn = quat_from_angle_axis(_uniform((-angle, angle), position[:, 0]), axis)
            position = position + _uniform((-distance, distance), position)
            camera.set_world_poses(position, quat_mul(turn, orientation), env_ids, convention="world")


def _uniform(bounds: tuple[float, float], like: torch.Tensor) -> torch.Tensor:
    low, high = bounds
    return low + (high - low) * torch.rand_like(like)
