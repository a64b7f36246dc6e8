# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""MuJoCo Warp on Newton, with the physics step captured in a graph on a CPU too."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

import mujoco_warp
import numpy as np
import warp as wp
from isaaclab.physics import PhysicsManager
from isaaclab_newton.physics import NewtonManager
from isaaclab_newton.physics.mjwarp_manager import NewtonMJWarpManager
from newton.solvers import SolverMuJoCo

logger = logging.getLogger(__name__)

_CAPACITY = int(
    mujoco_warp.OverflowType.NEFC
    | mujoco_warp.OverflowType.NJMAX_NNZ
    | mujoco_warp.OverflowType.BROADPHASE
    | mujoco_warp.OverflowType.NARROWPHASE
)
"""Overflows that drop contacts or constraints. Reaching the iteration limit, which is set low, is not among them."""


class NewtonGraphMJWarpManager(NewtonMJWarpManager):
    """MuJoCo Warp manager that captures the physics step on a CPU too; Isaac Lab does so only on a GPU.

    A step launches hundreds of kernels. Up to about a hundred environments, launching them from Python takes longer
    than running them. Warp can capture the launches on a CPU as well. The graph is captured when Isaac Lab would
    capture a CUDA graph and stored in the same place; its results are the same bit for bit.

    The solver's messages about its limits are off, because there is one for every world and step. Overflows of the
    buffers for contacts and constraints are reported once, when the simulation closes. Isaac Lab requires the name of a
    Newton manager to start with Newton.
    """

    @classmethod
    def overflowed_worlds(cls) -> int:
        """Number of environments whose contacts or constraints have overflowed their buffers since the start."""
        solver = cast(SolverMuJoCo, cls._solver)
        overflow = solver.mjw_data.overflow.numpy()
        return int(((overflow & _CAPACITY) != 0).sum())

    @classmethod
    def fullest_world(cls) -> tuple[int, int]:
        """Largest current number of contacts, and of constraint rows, of any environment. Waits for the device."""
        data = cast(SolverMuJoCo, cls._solver).mjw_data
        contacts = np.bincount(data.contact.worldid.numpy()[: int(data.nacon.numpy()[0])], minlength=1)
        return int(contacts.max()), int(data.nefc.numpy().max())

    @classmethod
    def close(cls) -> None:
        """Report overflows and release the simulation."""
        if cls._solver is not None and (count := cls.overflowed_worlds()):
            logger.warning("contacts were dropped in %d environments: raise njmax and nconmax of the solver", count)
        super().close()

    @classmethod
    def _create_solver(cls, model, solver_cfg):
        solver = super()._create_solver(model, solver_cfg)
        solver.mjw_model.opt.warn_overflow = False
        return solver

    @classmethod
    def _simulate_full(cls) -> None:
        cls._launch(super()._simulate_full)

    @classmethod
    def _simulate_physics_only(cls) -> None:
        cls._launch(super()._simulate_physics_only)

    @classmethod
    def _launch(cls, simulate: Callable[[], None]) -> None:
        cfg, device = PhysicsManager._cfg, wp.get_device(PhysicsManager._device)
        if not device.is_cpu or cfg is None or not cfg.use_cuda_graph:
            simulate()
        elif cls._graph is not None:
            wp.capture_launch(cls._graph)
        else:
            # The first step, which loads kernels and allocates buffers, is not captured. Capturing does not step.
            simulate()
            with wp.ScopedCapture(device=device) as capture:
                simulate()
            NewtonManager._graph = capture.graph
