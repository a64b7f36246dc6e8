# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A small convolutional encoder of camera pictures with a spatial softmax for each camera."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from cohoff.errors import InputError

IMAGES = "images"
"""Observation group of the pictures, one entry for each camera."""

VISION = "vision"
"""Observation group of the features that the encoder makes of the pictures."""

KEYPOINT_SCALE = 4.0
"""Factor on coordinates in [-1, 1]: an eighth of the picture is a step of 1, the scale of other observations."""


TEMPERATURE = 0.1
"""Initial temperature of the softmax. After 300 steps on the point mass of the tests, one run each, a linear map of the
features told positions in a plane of 2 x 2 to .07, and to .25 with 1. The flow's success was the same, .64 and .63."""


@dataclass(frozen=True)
class EncoderSpec:
    """Sizes of a :class:`PictureEncoder`."""

    cameras: dict[str, tuple[int, int]]
    """Height and width of each camera's pictures [pixels]."""

    channels: tuple[int, ...] = (16, 32, 32)
    """Output channels of the layers before the keypoints; the first two halve height and width."""

    num_keypoints: int = 32
    """Points that are looked for in the pictures of each camera."""

    def __post_init__(self) -> None:
        # JSON has lists. Cameras are sorted, because their order decides which feature is which.
        cameras = {name: (int(size[0]), int(size[1])) for name, size in sorted(self.cameras.items())}
        object.__setattr__(self, "cameras", cameras)
        object.__setattr__(self, "channels", tuple(self.channels))

    @property
    def num_features(self) -> int:
        """Number of features F of all cameras: two coordinates for each keypoint."""
        return 2 * self.num_keypoints * len(self.cameras)


class SpatialSoftmax(nn.Module):
    """Expected position of each channel's softmax over the picture (arXiv 1504.00702, section 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.log_temperature = nn.Parameter(torch.tensor(TEMPERATURE).log())

    def forward(self, activations: Tensor) -> Tensor:
        """Coordinates [B, 2K] in [-1, 1] of activations [B, K, H, W]: those to the right, then those downward."""
        height, width = activations.shape[-2:]
        weights = (activations.flatten(2) / self.log_temperature.exp()).softmax(-1).unflatten(2, (height, width))
        right = torch.linspace(-1.0, 1.0, width, device=weights.device)
        down = torch.linspace(-1.0, 1.0, height, device=weights.device)
        return torch.cat([weights.sum(2) @ right, weights.sum(3) @ down], dim=1)


class CameraEncoder(nn.Sequential):
    """Encoder of one camera: convolutions, then :class:`SpatialSoftmax`; [B, 3, H, W] to [B, 2K]."""

    def __init__(self, channels: tuple[int, ...], num_keypoints: int) -> None:
        layers: list[nn.Module] = []
        for index, (inputs, outputs) in enumerate(itertools.pairwise((3, *channels, num_keypoints))):
            size, stride = 5 if index == 0 else 3, 2 if index < 2 else 1
            convolution = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            layers += [convolution, nn.ReLU()]
        super().__init__(*layers[:-1], SpatialSoftmax())


class PictureEncoder(nn.Module):
    """Features of the pictures of all cameras, each with a :class:`CameraEncoder` of its own.

    Diffusion Policy (arXiv 2303.04137) encodes pictures alike, with a larger network.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.cameras = nn.ModuleDict({name: CameraEncoder(spec.channels, spec.num_keypoints) for name in spec.cameras})

    def forward(self, pictures: Mapping[str, Tensor] | TensorDict) -> Tensor:
        """Features [B, F] of each camera's pictures [B, H, W, 3] in [0, 255].

        Raises:
            InputError: A camera is missing, or its pictures have another size.
        """
        features: list[Tensor] = []
        for name, (height, width) in self.spec.cameras.items():
            picture = pictures.get(name)
            if picture is None:
                raise InputError(f"the encoder reads pictures of camera {name!r}, which are not there; train it again")
            if picture.shape[1:] != (height, width, 3):
                found = " x ".join(str(size) for size in picture.shape[1:])
                raise InputError(
                    f"pictures of camera {name!r} are {found}, the encoder reads {height} x {width} x 3; use the "
                    "presets that it was trained with, or train it again with scripts/pretrain.py"
                )
            features.append(self.cameras[name](picture.movedim(-1, 1).float() / 127.5 - 1.0))
        return KEYPOINT_SCALE * torch.cat(features, dim=1)
