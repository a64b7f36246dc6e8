# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The encoder of pictures, and how pictures are changed while it is trained."""

from __future__ import annotations

import itertools

import pytest
import torch

from cohoff.errors import InputError
from cohoff.networks.encoders import KEYPOINT_SCALE, EncoderSpec, PictureEncoder, SpatialSoftmax
from cohoff.policies.flow.augmentation import random_brightness, random_shift

SMALL = EncoderSpec({"wrist": (20, 24), "agentview": (16, 16)}, channels=(4, 6), num_keypoints=3)


def pictures(count: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        name: torch.randint(0, 256, (count, *size, 3), generator=generator).to(torch.uint8)
        for name, size in SMALL.cameras.items()
    }


def test_spatial_softmax_is_the_expected_position() -> None:
    """Shares .1 .2 .1 / .3 .1 .2 of 2 rows and 3 columns: (.1 + .2) - (.1 + .3) to the right, .6 - .4 downward."""
    shares = torch.tensor([[[[0.1, 0.2, 0.1], [0.3, 0.1, 0.2]], [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]]])
    softmax = SpatialSoftmax()
    temperature = softmax.log_temperature.exp()
    torch.testing.assert_close(softmax(temperature * shares.log()), torch.tensor([[-0.1, 1.0, 0.2, -1.0]]))


def test_a_lower_temperature_sharpens() -> None:
    softmax = SpatialSoftmax()
    with torch.no_grad():
        softmax.log_temperature.fill_(0.0)
        flat = softmax(torch.tensor([[[[0.0, 1.0]]]]))[0, 0]
        softmax.log_temperature.fill_(torch.tensor(0.5).log())
        sharp = softmax(torch.tensor([[[[0.0, 1.0]]]]))[0, 0]
    assert flat == pytest.approx(0.4621, abs=1e-4) and sharp == pytest.approx(0.7616, abs=1e-4)  # tanh(1/2), tanh(1)


def test_features_of_all_cameras() -> None:
    """Two coordinates of each keypoint; the order of the cameras in the observation does not matter."""
    encoder, seen = PictureEncoder(SMALL), pictures()
    features = encoder(seen)
    assert features.shape == (2, SMALL.num_features) and SMALL.num_features == 2 * 2 * 3
    assert features.abs().max() <= KEYPOINT_SCALE
    assert torch.equal(encoder(dict(reversed(seen.items()))), features)
    assert not torch.equal(encoder({**seen, "wrist": 255 - seen["wrist"]})[:, 6:], features[:, 6:])
    assert torch.equal(encoder({**seen, "wrist": 255 - seen["wrist"]})[:, :6], features[:, :6])


def test_a_spot_that_moves_moves_its_keypoint() -> None:
    """With a first layer that passes brightness on, the expectation is where the spot is."""
    encoder = PictureEncoder(EncoderSpec({"view": (16, 16)}, channels=(), num_keypoints=1))
    convolution = encoder.cameras["view"][0]  # pyright: ignore[reportIndexIssue]
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[:, :, 2, 2] = 1.0
    seen = torch.zeros(2, 16, 16, 3, dtype=torch.uint8)
    seen[0, 4, 12] = seen[1, 10, 2] = 255  # on the grid of the strided convolution, rows 2 and 5, columns 6 and 1 of 8
    expected = KEYPOINT_SCALE * torch.tensor([[5 / 7, -3 / 7], [-5 / 7, 3 / 7]])
    torch.testing.assert_close(encoder({"view": seen}), expected, atol=1e-3, rtol=0.0)


def test_pictures_that_do_not_fit() -> None:
    encoder, seen = PictureEncoder(SMALL), pictures()
    with pytest.raises(InputError, match="camera 'wrist' are 8 x 24 x 3, the encoder reads 20 x 24 x 3"):
        encoder({**seen, "wrist": seen["wrist"][:, :8]})
    with pytest.raises(InputError, match="camera 'agentview', which are not there"):
        encoder({"wrist": seen["wrist"]})


def test_sizes_survive_json() -> None:
    lists = EncoderSpec({"agentview": [16, 16], "wrist": [20, 24]}, channels=[4, 6], num_keypoints=3)  # pyright: ignore
    assert lists == SMALL


def test_random_shifts() -> None:
    """Every shift of up to one pixel in both directions occurs, no other; the border is repeated."""
    picture = torch.arange(5 * 6 * 3, dtype=torch.uint8).view(5, 6, 3)
    shifted = random_shift(picture.expand(400, -1, -1, -1), 1, torch.Generator().manual_seed(0))
    assert shifted.shape == (400, 5, 6, 3) and shifted.dtype == torch.uint8
    padded = picture[[0, *range(5), 4]][:, [0, *range(6), 5]]
    crops = torch.stack([padded[y : y + 5, x : x + 6] for y, x in itertools.product(range(3), repeat=2)])
    found = (shifted[:, None] == crops).flatten(2).all(2)
    assert found.any(1).all() and found.any(0).all()
    assert torch.equal(random_shift(shifted, 0), shifted)


def test_random_brightness() -> None:
    """One factor for each picture, in its range; nothing leaves [0, 255]."""
    bright = random_brightness(torch.full((400, 2, 3, 3), 100, dtype=torch.uint8), 0.2)
    assert bright.shape == (400, 2, 3, 3)
    assert (bright == bright[:, :1, :1, :1]).all()
    assert 80.0 <= bright.min() < 84.0 and 116.0 < bright.max() <= 120.0
    assert random_brightness(torch.full((50, 1, 1, 3), 250, dtype=torch.uint8), 0.2).max() == 255.0
