# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Cameras of a task's ``-Camera`` variant."""

from __future__ import annotations

from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg
from isaaclab.sensors import CameraCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils.hydra import preset

from cohoff.isaac.cameras_cfg import fixed_camera_cfg, mounted_camera_cfg
from cohoff.networks.encoders import IMAGES
from cohoff.policies.flow.seeing import ROBOT

from . import cameras, randomization
from .env_cfg import ManipulationEnvCfg
from .observations_cfg import JointsObsCfg
from .randomization_cfg import when_randomized

AGENTVIEW = "agentview"
"""Name of the fixed camera, which looks at the table from the side opposite the robot."""

WRIST = "wrist"
"""Name of the camera on the hand."""

_HAND = "/".join(("{ENV_REGEX_NS}/Robot/Geometry", *(f"panda_link{i}" for i in range(9)), "panda_hand"))


@configclass
class ImagesObsCfg(ObservationGroupCfg):
    """RGB images, uint8, shape [N, 84, 84, 3] each, or of another size; see :func:`_size`."""

    agentview = ObservationTermCfg(func=cameras.image, params={"name": AGENTVIEW})
    wrist = ObservationTermCfg(func=cameras.image, params={"name": WRIST})

    def __post_init__(self):
        self.concatenate_terms = False
        self.enable_corruption = False


def with_cameras(env_cfg: type[ManipulationEnvCfg]) -> type[ManipulationEnvCfg]:
    """Subclass of a task's environment configuration with cameras and the observation groups ``images``, ``robot``."""

    @configclass
    class CameraEnvCfg(env_cfg):
        """The task with cameras."""

        def __post_init__(self):
            super().__post_init__()
            setattr(self.scene, AGENTVIEW, _agentview_cfg())
            setattr(self.scene, WRIST, _wrist_cfg())
            setattr(self.observations, IMAGES, ImagesObsCfg())
            setattr(self.observations, ROBOT, JointsObsCfg())
            self.events.camera_jitter = when_randomized(  # pyright: ignore[reportAttributeAccessIssue]
                randomization.JitterCameras, names=(AGENTVIEW,), distance=0.02, angle=0.05
            )

    return CameraEnvCfg


def _size():
    """Width and height of an image [pixels]. ``presets=pi05`` selects the size that pi-0.5 expects, ``pictures48`` and
    ``pictures32`` small ones, as rendering costs as much as it has pixels.
    """
    return preset(default=84, pictures32=32, pictures48=48, pi05=224)


def _cheap_if_small(camera: CameraCfg) -> CameraCfg:
    """``camera`` without shadows where images are small: a ray to the light costs as much as one from the camera."""
    camera.renderer_cfg.enable_shadows = preset(  # pyright: ignore[reportAttributeAccessIssue]
        default=True, pictures32=False, pictures48=False
    )
    return camera


def _agentview_cfg():
    return _cheap_if_small(
        fixed_camera_cfg("AgentView", _size(), _size(), eye=(1.0, 0.0, 0.5), target=(0.38, 0.0, 0.1))
    )


def _wrist_cfg():
    # In front of the hand, tilted by 20 degrees toward the point between the finger pads.
    return _cheap_if_small(
        mounted_camera_cfg(
            f"{_HAND}/Wrist",
            _size(),
            _size(),
            pos=(0.07, 0.0, 0.0),
            rot=(-0.1227878, -0.1227878, 0.6963642, 0.6963642),
            focal_length=14.0,
        )
    )
