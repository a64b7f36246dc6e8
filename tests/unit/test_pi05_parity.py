# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The network against lerobot's: a recorded case, and what must and must not change the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pi05_cases import TINY, random_inputs, random_state
from safetensors.torch import load_file
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.pi05.batches import MicroBatches
from cohoff.policies.pi05.network import Pi05, trim
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec, flops, parameters
from cohoff.policies.pi05.tensor_names import expected

GOLDEN = Path(__file__).parents[1] / "data" / "pi05_golden"
TOLERANCE = 1e-5
NAMES: tuple[str, ...] = ("images", "image_masks", "tokens", "token_mask", "noise")


@pytest.fixture(scope="module")
def spec() -> Pi05Spec:
    values = json.loads((GOLDEN / "spec.json").read_text())
    return Pi05Spec(**{name: value for name, value in values.items() if name not in ("cameras", "made_with")})


@pytest.fixture(scope="module")
def golden() -> tuple[tuple[Tensor, ...], Tensor]:
    case = load_file(GOLDEN / "case.safetensors")
    return tuple(case[name] for name in NAMES), case["actions"]


@pytest.fixture(scope="module")
def model(spec: Pi05Spec) -> Pi05:
    return Pi05.from_pretrained(GOLDEN, spec=spec)


@pytest.fixture(scope="module")
def tiny() -> Pi05:
    return Pi05.from_state_dict(random_state(), TINY)


def distance(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().max().item()


@pytest.mark.parametrize("rows", [[0], [2], [0, 1, 2], [2, 0, 1, 1, 0, 2, 1]], ids=len)
@pytest.mark.parametrize("trimmed", [False, True])
def test_golden(model: Pi05, golden: tuple[tuple[Tensor, ...], Tensor], rows: list[int], trimmed: bool) -> None:
    """The prompts have 161, 159 and 180 of 200 tokens."""
    inputs, actions = golden
    *inputs, noise = (tensor[rows] for tensor in inputs)
    if trimmed:
        inputs = trim(*inputs)
        assert inputs[2].shape[1] < 200
    assert distance(model.sample_actions(*inputs, noise=noise), actions[rows]) < TOLERANCE
    assert distance(actions[rows], noise) > 1.0


def test_empty_cameras_and_padding_do_not_matter(model: Pi05, golden: tuple[tuple[Tensor, ...], Tensor]) -> None:
    """A third camera that does not exist, before the others, and more padding with any tokens, change nothing."""
    (images, image_masks, tokens, token_mask, noise), actions = golden
    images = torch.cat([torch.rand_like(images[:, :1]), images], 1)
    image_masks = torch.cat([torch.zeros(3, 1, dtype=torch.bool), image_masks], 1)
    tokens = torch.nn.functional.pad(tokens, (0, 21), value=7)
    token_mask = torch.nn.functional.pad(token_mask, (0, 21), value=False)
    inputs = (images, image_masks, tokens, token_mask)
    assert distance(model.sample_actions(*inputs, noise=noise), actions) < TOLERANCE
    trimmed = trim(*inputs)
    assert trimmed[0].shape[1] == 2 and trimmed[2].shape[1] == 184
    assert distance(model.sample_actions(*trimmed, noise), actions) < TOLERANCE


def test_every_batch_size_gives_the_same_rows(tiny: Pi05) -> None:
    *inputs, noise = random_inputs(33)
    inputs[1][::3, 1] = False
    whole = tiny.sample_actions(*inputs, noise=noise)
    for size in (1, 2, 5, 32):
        part = tiny.sample_actions(*(tensor[:size] for tensor in inputs), noise=noise[:size])
        assert distance(part, whole[:size]) < TOLERANCE
    for size, mode in ((8, "eager"), (64, "eager"), (1, "eager")):
        batches = MicroBatches(tiny, 2, 24, size, mode)
        assert distance(batches(*inputs, noise=noise), whole) < TOLERANCE


def test_trimming_keeps_what_one_row_needs(tiny: Pi05) -> None:
    *inputs, noise = random_inputs(4, cameras=3)
    inputs[1][:, 1] = False
    inputs[1][1:, 2] = False
    whole, trimmed = tiny.sample_actions(*inputs, noise=noise), trim(*inputs)
    assert trimmed[0].shape[1] == 2 and trimmed[1].tolist() == [[True, True]] + [[True, False]] * 3
    assert distance(tiny.sample_actions(*trimmed, noise), whole) < TOLERANCE


@pytest.mark.parametrize("name", sorted(expected(TINY)))
def test_every_weight_moves_the_result(tiny: Pi05, name: str) -> None:
    """Keys' biases shift all scores of a query alike, so that softmax does not see them."""
    inputs, state = random_inputs(2), random_state()
    state[name] = state[name] + 0.1 * torch.randn(state[name].shape)
    moved = distance(Pi05.from_state_dict(state, TINY).sample_actions(*inputs), tiny.sample_actions(*inputs))
    assert moved > 1e-4 if not name.endswith("k_proj.bias") else moved < TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_every_input_moves_the_result(tiny: Pi05, name: str) -> None:
    inputs: dict[str, Tensor] = dict(zip(NAMES, random_inputs(2), strict=True))
    before = tiny.sample_actions(**inputs)
    value = inputs[name].clone()
    value[0, 0] = ~value[0, 0] if value.dtype == torch.bool else value[1, 1]
    after = tiny.sample_actions(**inputs | {name: value})
    assert distance(after[0], before[0]) > 1e-4 and distance(after[1], before[1]) < TOLERANCE


def test_bfloat16_is_close(spec: Pi05Spec, model: Pi05, golden: tuple[tuple[Tensor, ...], Tensor]) -> None:
    inputs, actions = golden
    rounded = Pi05.from_pretrained(GOLDEN, dtype=torch.bfloat16, spec=spec).sample_actions(*inputs)
    error, size = (rounded - actions).square().mean().sqrt(), actions.square().mean().sqrt()
    assert 0 < error < 0.02 * size
    # The network moves the noise; its rounding is small beside that, too.
    assert error < 0.02 * (actions - inputs[-1]).square().mean().sqrt()


def test_filled_batches_are_the_same(tiny: Pi05, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven rows with two images each in batches of eight: the last has three rows, filled up to four."""
    rows = set()

    def record(function: Callable[..., Tensor], **options) -> Callable[..., Tensor]:
        return lambda *arguments: (rows.add(len(arguments[0])), function(*arguments))[1]

    monkeypatch.setattr(torch, "compile", record)
    inputs = random_inputs(11)
    assert distance(MicroBatches(tiny, 2, 24, 8, "compile")(*inputs), tiny.sample_actions(*inputs)) < TOLERANCE
    assert rows == {16, 8, 4}  # eight environments with sixteen images, then four with eight


@pytest.mark.slow
def test_compiled_network_is_the_same(tiny: Pi05) -> None:
    inputs = random_inputs(3)
    compiled = MicroBatches(tiny, 2, 24, 8, "compile")
    assert distance(compiled(*inputs), tiny.sample_actions(*inputs)) < TOLERANCE


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("images", lambda x: x[..., :20], r"images have shape \(2, 2, 3, 28, 20\), expected \(B, C, 3, 28, 28\)"),
        ("images", lambda x: 1.01 * torch.ones_like(x), r"values outside \[-1, 1\]"),
        ("images", lambda x: x * torch.nan, r"values outside \[-1, 1\]"),
        ("image_masks", lambda x: x[:, :1], r"image_masks has shape \(2, 1\), expected \(2, 2\)"),
        ("tokens", lambda x: x[0], r"tokens have shape \(24,\), expected \(2, L\)"),
        ("token_mask", lambda x: x[:, 1:], r"token_mask has shape \(2, 23\), expected \(2, 24\)"),
        ("noise", lambda x: x[:, :, :7], r"noise has shape \(2, 12, 7\), expected \(2, 12, 32\)"),
    ],
)
def test_bad_inputs(tiny: Pi05, name: str, change: Any, message: str) -> None:
    inputs: dict[str, Tensor] = dict(zip(NAMES, random_inputs(2), strict=True))
    with pytest.raises(InputError, match=message):
        tiny.sample_actions(**inputs | {name: change(inputs[name])})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0,), "micro_batch is 0"), ((8, "graph"), "needs a CUDA device"), ((8, "fast"), "mode is 'fast'")],
)
def test_bad_batches(tiny: Pi05, arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MicroBatches(tiny, 2, 24, *arguments)


@pytest.mark.parametrize(("name", "value"), [("depth", 0), ("head_dim", 15), ("image", 225), ("vis_heads", 7)])
def test_bad_sizes(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"pi-0.5 {name}|{value}"):
        Pi05Spec(**{name: value})


def test_costs_of_the_public_size() -> None:
    """Parameters and operations as published: 415M vision, 527M embedding, 1,982M prefix, 311M expert."""
    spec = Pi05Spec()
    assert parameters(spec) == pytest.approx(415e6 + 527e6 + 1982e6 + 311e6, rel=0.002)
    for shapes, counts in ((Pi05Shapes(1, 3, 200), (0.66, 3.76, 0.39)), (Pi05Shapes(1, 2, 64), (0.44, 2.20, 0.36))):
        assert [value / 1e12 for value in flops(spec, shapes).values()] == pytest.approx(counts, abs=0.006)
