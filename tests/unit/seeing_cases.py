# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The point mass of the learning test, seen through a camera: position and goal are only in the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.data.demonstrations import Demonstrations, load_demonstrations
from cohoff.data.stored import load_pictures
from cohoff.networks.encoders import IMAGES, VISION, EncoderSpec
from cohoff.policies.flow.policy import FlowPolicySpec
from cohoff.policies.flow.seeing import ROBOT, SeeingFlowPolicy
from cohoff.policies.flow.seeing_training import SeeingTrainingCfg, train_seeing_flow
from cohoff.stress.point_mass import TASK, PointMass, smallest_run, write_demonstrations

CAMERA, SIZE = "view", 32
EXTENT = 1.2
"""Half of what the camera sees, in units of the plane."""


def render(position: Tensor, goal: Tensor) -> Tensor:
    """Pictures [N, 32, 32, 3] of a red spot at ``position`` and a green one at ``goal``, [N, 2] each."""
    pixels = torch.linspace(-EXTENT, EXTENT, SIZE)
    picture = torch.full((len(position), SIZE, SIZE, 3), 40.0)
    for channel, center in ((0, position), (1, goal)):
        right, down = ((-0.5 * ((pixels - center[:, i, None]) / 0.12).square()).exp() for i in (0, 1))
        picture[..., channel] += 200.0 * down[:, :, None] * right[:, None, :]
    return picture.to(torch.uint8)


class SeenPointMass(PointMass):
    """The point mass with a picture, and a robot that knows nothing; ``policy`` is for expert and base."""

    def get_observations(self) -> TensorDict:
        """Groups ``policy`` [N, 4], ``robot`` [N, 1] and ``images``."""
        obs = super().get_observations()
        obs[ROBOT] = torch.ones(self.num_envs, 1)
        obs[IMAGES] = TensorDict({CAMERA: render(self._position, self._goal)}, batch_size=[self.num_envs])
        return obs


def load(path: Path) -> Demonstrations:
    """Demonstrations with the robot's state; the pictures stay in the file."""
    return load_demonstrations(path, sizes={ROBOT: None})


def pretrain(path: Path, steps: int) -> SeeingFlowPolicy:
    """A flow policy with its encoder from the demonstrations in ``path``."""
    demos = load(path)
    cfg = SeeingTrainingCfg(steps=steps, shift=1 / SIZE, brightness=0.1)
    return train_seeing_flow(demos, load_pictures(demos, IMAGES), cfg)


def untrained() -> SeeingFlowPolicy:
    """A flow policy with an encoder, both with random weights."""
    encoder = EncoderSpec({CAMERA: (SIZE, SIZE)})
    spec = FlowPolicySpec(encoder.num_features + 1, 2, hidden_dim=16, num_blocks=1)
    return SeeingFlowPolicy(spec, encoder)


def smallest_seeing_run(folder: Path) -> dict[str, Any]:
    """Settings of five iterations of CSIL++ from pictures, over a seeing base with random weights; writes both."""
    cfg = smallest_run(folder)
    write_demonstrations(folder / "demos.hdf5", count=6, make=SeenPointMass)
    untrained().save(folder / "base.safetensors", TASK)
    return cfg | {"obs_groups": {"actor": [VISION, ROBOT], "critic": [VISION, ROBOT]}}
