# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Scene shared by the tasks: the robot, the table, the floor and the light.

The robot's base frame is the environment's frame: x points away from the robot over the table, z points up, and the
table top is at z = 0.
"""

from __future__ import annotations

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sim.schemas import UsdPhysicsCollisionCfg
from isaaclab.utils import configclass
from isaaclab_newton.sim.schemas import MujocoCollisionCfg, MujocoRigidBodyCfg, NewtonArticulationCfg
from isaaclab_physx.sim.schemas import PhysxRigidBodyCfg

from cohoff_tasks.assets.panda import panda_usd
from cohoff_tasks.assets.parts import UPRIGHT, Quaternion

FINGER_OPEN = 0.04
"""Position of each finger joint when the gripper is open [m]."""

TABLE_HEIGHT = 0.7
"""Height of the table's top over the floor [m]."""


def panda_cfg() -> ArticulationCfg:
    """Franka Panda with its hand above the table, pointing down, and the gripper open."""
    return ArticulationCfg(
        prim_path="{ENV_REGEX_NS}/Robot",
        spawn=sim_utils.UsdFileCfg(
            usd_path=panda_usd(),
            articulation_props=[NewtonArticulationCfg(self_collision_enabled=False)],
            collision_props={"/.*": [MujocoCollisionCfg(solimp=(0.9, 0.95, 0.001, 0.5, 2.0), priority=1)]},
            # Newton ignores disable_gravity, PhysX ignores gravcomp.
            rigid_props={"/.*": [MujocoRigidBodyCfg(gravcomp=1.0), PhysxRigidBodyCfg(disable_gravity=True)]},
        ),
        init_state=ArticulationCfg.InitialStateCfg(
            joint_pos={
                "panda_joint1": 0.0,
                "panda_joint2": -0.1,
                "panda_joint3": 0.0,
                "panda_joint4": -2.35,
                "panda_joint5": 0.0,
                "panda_joint6": 2.25,
                "panda_joint7": 0.785,
                "panda_finger_joint.*": FINGER_OPEN,
            }
        ),
        actuators={
            "arm": ImplicitActuatorCfg(
                joint_names_expr=["panda_joint[1-7]"],
                joint_effort_limit={"panda_joint[1-4]": 87.0, "panda_joint[5-7]": 12.0},
                stiffness=400.0,
                damping=40.0,
                armature=0.1,
            ),
            "hand": ImplicitActuatorCfg(
                joint_names_expr=["panda_finger_joint.*"],
                joint_effort_limit=40.0,
                stiffness=2000.0,
                damping=80.0,
                # Far above the real value. With less, or with stiffer contacts, the closing force throws a light object
                # from one finger to the other within a time step of 10 ms.
                armature=1.0,
            ),
        },
    )


def object_cfg(name: str, usd_path: str, pos: tuple[float, float, float]) -> RigidObjectCfg:
    """Rigid object ``name`` at ``pos`` in the environment's frame [m]."""
    return RigidObjectCfg(
        prim_path=f"{{ENV_REGEX_NS}}/{name}",
        spawn=sim_utils.UsdFileCfg(usd_path=usd_path),
        init_state=RigidObjectCfg.InitialStateCfg(pos=pos),
    )


def fixture_cfg(name: str, usd_path: str, pos: tuple[float, float, float]) -> AssetBaseCfg:
    """Static collider ``name`` at ``pos`` in the environment's frame [m]."""
    return AssetBaseCfg(
        prim_path=f"{{ENV_REGEX_NS}}/{name}",
        spawn=sim_utils.UsdFileCfg(usd_path=usd_path),
        init_state=AssetBaseCfg.InitialStateCfg(pos=pos),
    )


def mechanism_cfg(
    name: str,
    usd_path: str,
    pos: tuple[float, float, float],
    joint: str,
    position: float,
    *,
    damping: float,
    friction: float = 0.0,
    rotation: Quaternion = UPRIGHT,
) -> ArticulationCfg:
    """Articulation ``name``, a fixed body with one moving link.

    Args:
        name: Name of the prim.
        usd_path: File written by :func:`cohoff_tasks.assets.authoring.articulated_object`.
        pos: Position of the fixed body in the environment's frame [m].
        joint: Name of the joint.
        position: Initial position of the joint [m] or [rad].
        damping: Damping of the joint [N s/m] or [N m s/rad].
        friction: Dry friction of the joint [N] or [N m].
        rotation: Orientation of the fixed body, (x, y, z, w).
    """
    return ArticulationCfg(
        prim_path=f"{{ENV_REGEX_NS}}/{name}",
        spawn=sim_utils.UsdFileCfg(usd_path=usd_path),
        init_state=ArticulationCfg.InitialStateCfg(pos=pos, rot=rotation, joint_pos={joint: position}),
        actuators={
            "joint": ImplicitActuatorCfg(
                joint_names_expr=[joint], stiffness=0.0, damping=damping, friction=friction, armature=0.01
            )
        },
    )


def _slab_cfg(path: str, size: tuple[float, float, float], pos: tuple[float, float, float], color) -> AssetBaseCfg:
    return AssetBaseCfg(
        prim_path=path,
        spawn=sim_utils.CuboidCfg(
            size=size,
            collision_props=[UsdPhysicsCollisionCfg()],
            visual_material=sim_utils.PreviewSurfaceCfg(diffuse_color=color, roughness=0.8),
        ),
        init_state=AssetBaseCfg.InitialStateCfg(pos=pos),
    )


@configclass
class TableSceneCfg(InteractiveSceneCfg):
    """A Panda on a table."""

    num_envs: int = 64
    """Number of environments."""

    env_spacing: float = 2.5
    """Distance between neighboring environments [m]."""

    robot: ArticulationCfg = panda_cfg()
    """The robot, with its base at the environment's origin."""

    table: AssetBaseCfg = _slab_cfg(
        "{ENV_REGEX_NS}/Table", (1.2, 1.2, TABLE_HEIGHT), (0.4, 0.0, -TABLE_HEIGHT / 2), (0.60, 0.53, 0.45)
    )
    """The table, with its top at z = 0."""

    floor: AssetBaseCfg = _slab_cfg(
        "{ENV_REGEX_NS}/Floor", (2.5, 2.5, 0.1), (0.4, 0.0, -TABLE_HEIGHT - 0.05), (0.30, 0.31, 0.33)
    )
    """A piece of floor for objects that fall off the table."""

    light: AssetBaseCfg = AssetBaseCfg(
        prim_path="/World/Light", spawn=sim_utils.DomeLightCfg(intensity=2500.0, color=(0.95, 0.95, 1.0))
    )
    """Uniform light from all directions."""
