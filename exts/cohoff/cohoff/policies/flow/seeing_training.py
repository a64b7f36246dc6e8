# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training of the flow policy that sees, and with it of the encoder that small policies share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch

from cohoff.networks.encoders import IMAGES, EncoderSpec
from cohoff.policies.flow.augmentation import random_brightness, random_shift
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.policies.flow.seeing import ROBOT, SeeingFlowPolicy
from cohoff.policies.flow.training import Episodes, FlowTrainingCfg, Progress, fit


class RobotEpisodes(Episodes, Protocol):
    """:class:`~cohoff.policies.flow.training.Episodes` with the state of the robot."""

    @property
    def observations(self) -> dict[str, torch.Tensor]:
        """Observation groups, ``robot`` among them, shape [M, D] each."""
        ...


@dataclass(frozen=True)
class SeeingTrainingCfg(FlowTrainingCfg):
    """How a flow policy is trained along with its encoder."""

    batch_size: int = 64
    """Chunks per optimizer step; an encoder's step costs more than a perceptron's."""

    shift: float = 0.05
    """Largest random shift of the pictures, as a share of their height: 4 of 84 pixels as in DrQ (arXiv 2004.13649)."""

    brightness: float = 0.2
    """Largest random change of the pictures' brightness, as a share of it."""


class Pictures:
    """Inputs of a seeing policy along demonstrations, with random shift and brightness while training.

    Args:
        pictures: Of each camera, uint8, shape [M, H, W, 3].
        robot: State of the robot, shape [M, R].
        num_features: Number of features that the encoder makes of the pictures.
        cfg: Training configuration.
    """

    def __init__(
        self, pictures: Mapping[str, torch.Tensor], robot: torch.Tensor, num_features: int, cfg: SeeingTrainingCfg
    ) -> None:
        self._pictures, self._robot, self._num_features, self._cfg = pictures, robot, num_features, cfg

    def vectors(self, rows: torch.Tensor) -> torch.Tensor:
        """Return zeros for the features, which have a fixed scale, then the robot's states, [len(rows), D]."""
        return torch.nn.functional.pad(self._robot[rows], (self._num_features, 0))

    def __call__(self, policy: FlowPolicy, rows: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Return features and states, [len(rows), D]."""
        pictures = {name: value[rows] for name, value in self._pictures.items()}
        if generator is not None:
            pictures = {name: self._augment(value, generator) for name, value in pictures.items()}
        return policy.read({IMAGES: pictures, ROBOT: self._robot[rows]})

    def _augment(self, pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        shifted = random_shift(pictures, round(self._cfg.shift * pictures.shape[1]), generator)
        return random_brightness(shifted, self._cfg.brightness, generator)


def train_seeing_flow(
    demos: RobotEpisodes,
    pictures: Mapping[str, torch.Tensor],
    cfg: SeeingTrainingCfg,
    progress: Progress | None = None,
) -> SeeingFlowPolicy:
    """Train a flow policy and its encoder on ``demos``; see :func:`~cohoff.policies.flow.training.train_flow`.

    Args:
        demos: Demonstrations of M transitions with the group ``robot``, at least one episode.
        pictures: What each camera saw before each action, uint8, shape [M, H, W, 3].
        cfg: Training configuration.
        progress: Called with a report every ``cfg.report_every`` steps and after the last.
    """
    robot = demos.observations[ROBOT]
    encoder = EncoderSpec({name: (value.shape[1], value.shape[2]) for name, value in pictures.items()})
    spec = FlowPolicySpec(encoder.num_features + robot.shape[1], demos.actions.shape[1])
    inputs = Pictures(pictures, robot, encoder.num_features, cfg)
    return fit(lambda: SeeingFlowPolicy(spec, encoder), demos, inputs, cfg, progress)
