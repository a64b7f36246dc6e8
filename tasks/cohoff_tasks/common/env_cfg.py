# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Environment configuration shared by all tasks."""

from __future__ import annotations

from dataclasses import MISSING

from isaaclab.envs import ManagerBasedRLEnvCfg, VideoRecorderCfg
from isaaclab.envs.mdp import time_out
from isaaclab.managers import RewardTermCfg, TerminationTermCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.visualizers import VisualizerCfg

from . import terminations
from .actions_cfg import DeltaPoseActionCfg, GripperActionCfg
from .physics_cfg import simulation_cfg
from .workspace import check_workspace

CONTROL_DT = 0.05
"""Duration of a control step [s]."""


@configclass
class ActionsCfg:
    """Action [N, 7] in [-1, 1]: translation (3) and rotation vector (3) in the base frame, gripper (above 0 closes)."""

    arm: DeltaPoseActionCfg = DeltaPoseActionCfg()
    gripper: GripperActionCfg = GripperActionCfg()


@configclass
class SparseRewardsCfg:
    """Reward 1 on the step that ends an episode in success, else 0."""

    # The reward manager multiplies by the duration of the control step.
    success: RewardTermCfg = RewardTermCfg(func=terminations.success_reward, weight=1.0 / CONTROL_DT)


@configclass
class TerminationsCfg:
    """Termination terms. A task sets ``success``."""

    non_finite: TerminationTermCfg = TerminationTermCfg(
        func=terminations.non_finite, params={"max_joint_velocity": 30.0, "max_object_speed": 30.0}
    )
    time_out: TerminationTermCfg = TerminationTermCfg(func=time_out, time_out=True)
    success: TerminationTermCfg = MISSING  # pyright: ignore[reportAssignmentType]


def held(condition, **params) -> TerminationTermCfg:
    """True once ``condition(env, **params)`` has held for 10 consecutive control steps."""
    return TerminationTermCfg(
        func=terminations.Held,  # pyright: ignore[reportArgumentType]
        params={"condition": condition, "steps": 10, "condition_params": params},
    )


@configclass
class ManipulationEnvCfg(ManagerBasedRLEnvCfg):
    """Base class of the tasks: 20 Hz control, sparse reward, at most 400 steps."""

    instruction: str = MISSING  # pyright: ignore[reportAssignmentType]
    """The task in words, the prompt of a vision-language-action model."""

    sim: SimulationCfg = simulation_cfg()
    actions: ActionsCfg = ActionsCfg()
    rewards: SparseRewardsCfg = SparseRewardsCfg()
    episode_length_s: float = 400 * CONTROL_DT

    base: str | None = None
    """Base policy that acts inside of the environment: a file of scripts/pretrain.py or the folder of a pi-0.5
    checkpoint. Its action is the observation group ``base_action``, and actions are corrections of it. For agents that
    learn a residual on-policy (``resip``); all others bring their base themselves."""

    residual_scale: float = 0.1
    """With ``base``: the executed action is ``clip(base action + residual_scale * action)``."""

    replan_interval: int = 10
    """With ``base``: control steps between two of its plans."""

    def __post_init__(self):
        self.decimation = round(CONTROL_DT / self.sim.dt)
        self.compute_final_obs = True
        # Records where the command line has --video; see cohoff.isaac.stock.
        self.video_recorders = [VideoRecorderCfg(source="sensor:video_camera", video_interval=2_000)]
        self.sim.render_interval = self.decimation
        self.sim.default_visualizer_cfg = VisualizerCfg(eye=(1.5, -0.9, 0.9), lookat=(0.45, 0.0, 0.1))

    def validate_config(self):
        """Raise ValueError if an object may start outside the workspace."""
        check_workspace(self.scene, self.events)
