# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Physics settings for grasping, and the simulation configuration."""

from __future__ import annotations

import torch
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg, NewtonShapeCfg
from isaaclab_physx.physics import PhysxCfg
from isaaclab_tasks.utils import PresetCfg


@configclass
class SparseMJWarpSolverCfg(MJWarpSolverCfg):
    """MuJoCo Warp solver with an option for the storage of the constraint Jacobian."""

    class_type: type | str = "cohoff.isaac.newton_manager:NewtonGraphMJWarpManager"

    jacobian: str = "sparse"
    """Storage of the constraint Jacobian: "dense", "sparse" or "auto". Sparse halves the time of a step on a CPU."""


@configclass
class GraspingPhysicsCfg(PresetCfg):
    """Physics backends of the manipulation tasks."""

    newton_mjwarp: NewtonCfg = NewtonCfg(
        solver_cfg=SparseMJWarpSolverCfg(
            # Pyramidal cones let a held object creep out of the fingers.
            cone="elliptic",
            impratio=20,
            # On a CPU the solver always runs all iterations. 4 hold a grasp, 2 do not.
            iterations=4,
            ls_iterations=20,
            njmax=240,
            nconmax=80,
            integrator="implicitfast",
            # Newton's own contacts: four points per finger pad instead of one or two.
            use_mujoco_contacts=False,
        ),
        default_shape_cfg=NewtonShapeCfg(mu=1.0, gap=0.001),
    )
    """MuJoCo Warp on Newton, without Isaac Sim."""

    isaacsim_physx: PhysxCfg = PhysxCfg(
        bounce_threshold_velocity=0.01,
        friction_correlation_distance=0.00625,
        # The fingers stop at an object before they penetrate it.
        solve_articulation_contact_last=True,
    )
    """PhysX with Isaac Sim, with the settings of Isaac Lab's lifting and stacking tasks. Untested: this project has run
    neither the experts nor the success conditions on it."""

    default: NewtonCfg = newton_mjwarp


def simulation_cfg() -> SimulationCfg:
    """Simulation at 100 Hz on the first GPU, or on the CPU if there is no GPU."""
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    return SimulationCfg(dt=0.01, device=device, physics=GraspingPhysicsCfg())  # pyright: ignore[reportArgumentType]
