# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Images, states and prompts on their way to the network, against straightforward host code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pi05_cases import train_vocabulary
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.pi05.preprocess import Normalizer, digitize, prepare_images
from cohoff.policies.pi05.prompt import Prompts, Tokenizer

INSTRUCTIONS = ("put the nut on the peg", "pick_up the red\nmug ")


def test_digits_are_numpys() -> None:
    """On every edge, its neighbors in float32, far outside, and in between."""
    edges = np.linspace(-1, 1, 257)
    values = np.concatenate([edges, edges - 1e-4, [-5.0, 5.0, -0.0], np.random.default_rng(0).uniform(-1.2, 1.2, 999)])
    values = values.astype(np.float32)
    values = np.concatenate([values, np.nextafter(values, np.float32(9)), np.nextafter(values, np.float32(-9))])
    expected = np.digitize(values, bins=edges[:-1]) - 1
    assert expected.min() == -1 and expected.max() == 255
    assert np.array_equal(digitize(torch.from_numpy(values)).numpy(), expected)


@pytest.mark.parametrize("mode", ["QUANTILES", "MIN_MAX", "MEAN_STD", "IDENTITY"])
def test_normalization(mode: str) -> None:
    names = {"QUANTILES": ("q01", "q99"), "MIN_MAX": ("min", "max"), "MEAN_STD": ("mean", "std")}.get(mode, ())
    first, second = torch.tensor([-2.0, 1.0]), torch.tensor([3.0, 2.0])
    normalizer = Normalizer.from_statistics(mode, dict(zip(names, (first, second), strict=False)), "state", 2)
    x = torch.randn(7, 2)
    expected = {"IDENTITY": x, "MEAN_STD": (x - first) / second}.get(mode, 2 * (x - first) / (second - first) - 1)
    torch.testing.assert_close(normalizer.forward(x), expected)
    torch.testing.assert_close(normalizer.inverse(expected), x)


@pytest.mark.parametrize(
    ("mode", "values", "message"),
    [
        ("QUANTILE10", {}, "'QUANTILE10' of state is unknown; known: MEAN_STD, IDENTITY, QUANTILES"),
        ("MEAN_STD", {"mean": torch.zeros(2)}, "lack std"),
        (
            "MEAN_STD",
            {"mean": torch.zeros(3), "std": torch.zeros(2)},
            r"std of state has shape \(2,\) .* expected \(3,\)",
        ),
        ("MIN_MAX", {"min": torch.zeros(2), "max": torch.full((2,), torch.nan)}, "max of state .* not finite"),
    ],
)
def test_bad_statistics(mode: str, values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Normalizer.from_statistics(mode, values, "state")


def test_images_of_the_right_size_are_scaled() -> None:
    images = torch.randint(0, 256, (3, 28, 28, 3), dtype=torch.uint8)
    expected = images.permute(0, 3, 1, 2) / 127.5 - 1.0
    torch.testing.assert_close(prepare_images(images, 28), expected)
    torch.testing.assert_close(prepare_images(images.float() / 255.0, 28), expected)


@pytest.mark.parametrize(("height", "width", "box"), [(56, 84, (5, 23, 0, 28)), (60, 30, (0, 28, 7, 21))])
def test_images_keep_their_proportions(height: int, width: int, box: tuple[int, int, int, int]) -> None:
    """A gray image stays gray inside the box where it must lie, and the rest is black."""
    out = prepare_images(torch.full((2, height, width, 3), 0.5), 28)
    inside = torch.zeros(28, 28, dtype=torch.bool)
    top, bottom, left, right = box
    inside[top:bottom, left:right] = True
    assert (out[..., inside].abs() < 1e-6).all() and (out[..., ~inside] == -1.0).all()


def test_resizing_averages() -> None:
    """Half the size: each pixel is the mean of four."""
    image = torch.rand(1, 56, 56, 3)
    expected = image.view(1, 28, 2, 28, 2, 3).mean((2, 4)).permute(0, 3, 1, 2) * 2.0 - 1.0
    torch.testing.assert_close(prepare_images(image, 28), expected)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, 28, 28), r"shape \(2, 3, 28, 28\), expected \(N, H, W, 3\)"),
        (torch.zeros(2, 28, 28, 3, dtype=torch.int32), "of type torch.int32"),
    ],
)
def test_bad_images(images: Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare_images(images, 28)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.model"
    train_vocabulary(path)
    return Tokenizer(path, 400)


def test_prompts_are_those_of_the_whole_text(tokenizer: Tokenizer) -> None:
    """For 600 states, edges included, both instructions mixed."""
    prompts = Prompts(tokenizer, INSTRUCTIONS, 5, 200, torch.device("cpu"))
    bins = torch.randint(-1, 256, (600, 5))
    bins[:4] = torch.tensor([-1, 0, 9, 255])[:, None]
    which = torch.arange(600) % 2
    tokens, mask = prompts(which, bins)
    assert prompts.length % 8 == 0 and tokens.shape == mask.shape == (600, prompts.length)
    for row in range(600):
        instruction = ("put the nut on the peg", "pick up the red mug")[row % 2]
        text = f"Task: {instruction}, State: {' '.join(map(str, bins[row].tolist()))};\nAction: "
        expected = tokenizer.encode(text)
        assert tokens[row].tolist() == expected + [0] * (prompts.length - len(expected))
        assert mask[row].sum() == len(expected) and mask[row, : len(expected)].all()


def test_prompts_without_state(tokenizer: Tokenizer) -> None:
    prompts = Prompts(tokenizer, INSTRUCTIONS, 0, 200, torch.device("cpu"))
    tokens, mask = prompts(torch.tensor([1, 0]), None)
    expected = [*tokenizer.encode("pick up the red mug"), *tokenizer.encode("\n")[1:]]
    assert tokens[0][mask[0]].tolist() == expected


def test_token_overflow(tokenizer: Tokenizer) -> None:
    """The longest digits count: no state may overflow later."""
    with pytest.raises(
        InputError, match=r"the prompt of 'p.* with 40 state dimensions can take \d+ tokens, the network takes 60"
    ):
        Prompts(tokenizer, INSTRUCTIONS, 40, 60, torch.device("cpu"))


@pytest.mark.parametrize("instructions", [(), ("ok", " \n")])
def test_no_instruction(tokenizer: Tokenizer, instructions: Any) -> None:
    with pytest.raises(InputError, match="instructions are .* give at least one"):
        Prompts(tokenizer, instructions, 0, 200, torch.device("cpu"))


def test_vocabulary_that_merges_digits(tmp_path: Path) -> None:
    train_vocabulary(tmp_path / "merging.model", merging=True)
    with pytest.raises(InputError, match="is it PaliGemma's"):
        Prompts(Tokenizer(tmp_path / "merging.model", 400), INSTRUCTIONS, 5, 200, torch.device("cpu"))


def test_unusable_vocabularies(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no tokenizer at .*none.model"):
        Tokenizer(tmp_path / "none.model", 400)
    (tmp_path / "bad.model").write_bytes(b"not a model")
    with pytest.raises(InputError, match="is not a SentencePiece model"):
        Tokenizer(tmp_path / "bad.model", 400)
    train_vocabulary(tmp_path / "tokenizer.model")
    with pytest.raises(InputError, match="has 340 tokens, the network's embedding 300"):
        Tokenizer(tmp_path / "tokenizer.model", 300)
