# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Checkpoints are loaded completely or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pi05_cases import SIZES, TINY, random_inputs, random_state, write_json, write_lerobot, write_openpi
from safetensors.torch import load_file, save_file

from cohoff.errors import InputError
from cohoff.policies.pi05 import memory
from cohoff.policies.pi05.checkpoint_folder import locate, read_recipe, read_spec
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.spec import Pi05Spec

HEAD = "paligemma_with_expert.paligemma.lm_head.weight"
EMBEDDING = "paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight"
QUERY = "paligemma_with_expert.gemma_expert.model.layers.1.self_attn.q_proj.weight"


def shard(folder: Path) -> Path:
    """Split model.safetensors in two; return the second part."""
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(state)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: state[name] for name in part}, folder / file)
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    write_json(folder / "model.safetensors.index.json", index)
    return folder / "model-2.safetensors"


def test_all_layouts_hold_the_same_network(tmp_path: Path) -> None:
    inputs = random_inputs(2)
    expected = Pi05.from_state_dict(random_state(), TINY).sample_actions(*inputs)
    folders = [write_lerobot(tmp_path / "a"), write_openpi(tmp_path / "b"), write_lerobot(tmp_path / "c")]
    shard(folders[2])
    short = {name.replace(".vision_model.", "."): tensor for name, tensor in random_state().items()}
    folders.append(write_lerobot(tmp_path / "d", short))
    for folder in folders:
        assert torch.equal(Pi05.from_pretrained(folder, spec=TINY).sample_actions(*inputs), expected)


def test_unused_tensors_may_be_there(tmp_path: Path) -> None:
    state = random_state() | {HEAD: torch.zeros(400, 32)}
    state[EMBEDDING.replace("embed_tokens", "norm")] = torch.zeros(32)
    state[EMBEDDING.replace("embed_tokens", "layers.1.mlp.up_proj")] = torch.zeros(48, 32)
    Pi05.from_pretrained(write_lerobot(tmp_path, state), spec=TINY)


def test_weights_are_copies() -> None:
    state, inputs = random_state(), random_inputs(1)
    model = Pi05.from_state_dict(state, TINY)
    before = model.sample_actions(*inputs)
    for tensor in state.values():
        tensor.zero_()
    assert torch.equal(model.sample_actions(*inputs), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop(QUERY), f"lacks {QUERY}; it is incomplete"),
        (lambda s: s.pop(EMBEDDING), f"lacks {EMBEDDING}"),
        (lambda s: s.update(surplus=torch.zeros(1)), "holds model.surplus, which pi-0.5 of this size does not have"),
        (lambda s: s.update({QUERY: torch.zeros(32, 15)}), rf"holds {QUERY} of shape \(32, 15\), expected \(32, 16\)"),
        (lambda s: s.update({QUERY: torch.zeros(32, 16, dtype=torch.int8)}), f"holds {QUERY} of type torch.int8"),
        (lambda s: [s.pop(n) for n in list(s) if n.startswith("pali")], "in no known pi-0.5 layout"),
    ],
    ids=["missing", "no embedding", "unconsumed", "shape", "type", "layout"],
)
def test_strict(tmp_path: Path, change: Any, message: str) -> None:
    state = random_state()
    change(state)
    with pytest.raises(InputError, match=message):
        Pi05.from_pretrained(write_lerobot(tmp_path, state), spec=TINY)


def test_another_size(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks .*layers.2.* and 5 more|lacks"):
        Pi05.from_pretrained(write_lerobot(tmp_path), spec=Pi05Spec(**SIZES | {"depth": 3}))


@pytest.mark.parametrize("damage", ["truncated", "missing", "garbage"])
def test_damaged_shard(tmp_path: Path, damage: Any) -> None:
    path = shard(write_lerobot(tmp_path))
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9] if damage == "truncated" else b"weights" * 99)
    with pytest.raises(InputError, match="model-2.safetensors.* (is missing|is damaged)"):
        Pi05.from_pretrained(tmp_path, spec=TINY)


def test_no_weights(tmp_path: Path) -> None:
    folder = write_lerobot(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no weights in"):
        Pi05.from_pretrained(folder, spec=TINY)
    (folder / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(InputError, match="is damaged"):
        Pi05.from_pretrained(folder, spec=TINY)
    with pytest.raises(InputError, match="no pi-0.5 weights at 'nowhere': give a checkpoint's folder"):
        locate("nowhere")


def test_too_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimated before anything is read."""
    monkeypatch.setattr(memory, "free_memory", lambda device: 100_000)
    folder = write_lerobot(tmp_path)
    monkeypatch.setattr("safetensors.torch.load_file", None)
    with pytest.raises(InputError, match=r"needs about 0.0 GiB more on cpu .* and 0.0 GiB are free; use bfloat16"):
        Pi05.from_pretrained(folder, spec=TINY)
    monkeypatch.undo()
    model = Pi05.from_pretrained(folder, spec=TINY)
    monkeypatch.setattr(memory, "free_memory", lambda device: 100_000)
    with pytest.raises(InputError, match="for 64 x 2 images and 24 tokens"):
        model.sample_actions(*random_inputs(64))


def test_precision() -> None:
    with pytest.raises(InputError, match="dtype is torch.float16; use one of torch.float32, torch.bfloat16"):
        Pi05.from_state_dict(random_state(), TINY, dtype=torch.float16)


def test_sizes_from_the_configuration(tmp_path: Path) -> None:
    public = {"paligemma_variant": "gemma_2b", "action_expert_variant": "gemma_300m"}
    lerobot = public | {"type": "pi05", "max_action_dim": 32, "chunk_size": 50, "image_resolution": [224, 224]}
    lerobot |= {"num_inference_steps": 5, "min_period": 4e-3, "max_period": 4.0}
    write_json(tmp_path / "config.json", lerobot)
    assert read_spec(tmp_path) == Pi05Spec(steps=5)
    write_json(tmp_path / "config.json", public | {"action_dim": 32, "action_horizon": 10})
    assert read_spec(tmp_path) == Pi05Spec(chunk=10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "smolvla"}, "is of type 'smolvla', expected a pi-0.5 checkpoint"),
        ({"use_relative_actions": True}, "use_relative_actions, which is not supported"),
        ({}, "damaged .*'image_resolution'"),
        ({"paligemma_variant": "gemma_9b"}, r"variants \['gemma_9b', 'gemma_300m'\]; known ones: gemma_2b, gemma_300m"),
    ],
)
def test_unusable_configuration(tmp_path: Path, change: Any, message: str) -> None:
    config = {"type": "pi05", "chunk_size": 50, "paligemma_variant": "gemma_2b", "action_expert_variant": "gemma_300m"}
    write_json(tmp_path / "config.json", config | change)
    with pytest.raises(InputError, match=message):
        read_spec(tmp_path)


def test_missing_configuration(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a pi-0.5 checkpoint: config.json is missing"):
        read_spec(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config.json' cannot be read"):
        read_spec(tmp_path)


@pytest.mark.parametrize("write", [write_lerobot, write_openpi])
def test_recipe(tmp_path: Path, write: Callable[..., Path]) -> None:
    recipe = read_recipe(write(tmp_path))
    assert recipe.state.size == 5 and recipe.action.size == 3 and recipe.discrete_state
    state = torch.tensor([[1.0, 1.0, -2.0, 0.75, 0.0]])
    torch.testing.assert_close(
        recipe.state.forward(state), torch.tensor([[1.0, 0.0, -1.0, -0.5, -1.0]]), atol=3e-6, rtol=0
    )
    torch.testing.assert_close(
        recipe.action.inverse(torch.ones(1, 3)), torch.tensor([[0.5, 1.0, 0.1]]), atol=3e-6, rtol=0
    )


def test_incomplete_recipe(tmp_path: Path) -> None:
    folder = write_lerobot(tmp_path)
    write_json(folder / "policy_preprocessor.json", {"steps": []})
    with pytest.raises(InputError, match="damaged .*'normalizer_processor'"):
        read_recipe(folder)


def test_missing_statistics(tmp_path: Path) -> None:
    folder = write_lerobot(tmp_path / "a")
    statistics = load_file(folder / "statistics.safetensors")
    del statistics["action.q99"]
    save_file(statistics, folder / "statistics.safetensors")
    with pytest.raises(InputError, match="statistics of action in .* lack q99, which QUANTILES needs"):
        read_recipe(folder)
    (folder / "statistics.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match="statistics.safetensors' is damaged"):
        read_recipe(folder)
    folder = write_openpi(tmp_path / "b")
    stats = folder / "assets" / "robot" / "norm_stats.json"
    stats.write_text(json.dumps({"norm_stats": {"state": {"q01": [0.0]}}}))
    with pytest.raises(InputError, match="statistics of state in .* lack q99"):
        read_recipe(folder)
    stats.unlink()
    with pytest.raises(InputError, match="holds 0 files norm_stats.json"):
        read_recipe(folder)
