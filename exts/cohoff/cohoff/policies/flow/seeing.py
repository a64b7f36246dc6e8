# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The flow-matching policy that sees: its input is what an encoder makes of pictures, and the state of the robot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from tensordict import TensorDict

from cohoff.networks.encoders import IMAGES, VISION, EncoderSpec, PictureEncoder
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec

ROBOT = "robot"
"""Observation group of the robot's own state, without any object."""


class SeeingFlowPolicy(FlowPolicy):
    """Flow policy with an encoder of pictures, trained as one; small policies read the same features.

    Args:
        spec: Sizes of the flow; its observations are the encoder's features, then the group ``robot``.
        encoder: Sizes of the encoder.
    """

    groups = (VISION, ROBOT)

    def __init__(self, spec: FlowPolicySpec, encoder: EncoderSpec) -> None:
        super().__init__(spec)
        self.vision = PictureEncoder(encoder)
        self.observations = (*(f"{IMAGES}/{camera}" for camera in encoder.cameras), ROBOT)

    def read(self, obs: TensorDict | Mapping[str, Any]) -> torch.Tensor:
        """Return the features of the pictures, then the robot's state, [B, D].

        Raises:
            InputError: A camera is missing, or its pictures have another size than the encoder's.
        """
        device = self.action_scale.device
        pictures = {camera: obs[IMAGES][camera].to(device) for camera in self.vision.spec.cameras}
        return torch.cat([self.vision(pictures), obs[ROBOT].to(device)], dim=1)

    def sizes(self) -> dict[str, Any]:
        """Return what the networks are built from, as JSON values."""
        return {**super().sizes(), "encoder": asdict(self.vision.spec)}
