# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tiny pi-0.5 networks, checkpoints and vocabularies for the tests."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from cohoff.policies.pi05.random_weights import random_source
from cohoff.policies.pi05.small_vocabulary import train_vocabulary
from cohoff.policies.pi05.spec import Pi05Spec

TINY = Pi05Spec(
    vlm_width=32,
    vlm_mlp=48,
    exp_width=16,
    exp_mlp=24,
    depth=2,
    heads=4,
    head_dim=8,
    vis_width=24,
    vis_depth=1,
    vis_heads=2,
    vis_mlp=32,
    image=28,
    vocab=400,
    chunk=12,
    steps=4,
)
"""Four image tokens per camera, chunks of twelve actions."""

SIZES = {name: getattr(TINY, name) for name in TINY.__dataclass_fields__}


def random_state(spec: Pi05Spec = TINY, seed: int = 0) -> dict[str, Tensor]:
    """Weights in openpi's layout."""
    source = random_source(spec, seed)
    return {name: source.read(name) for name in source.shapes}


def random_inputs(
    batch: int, spec: Pi05Spec = TINY, cameras: int = 2, length: int = 24, seed: int = 1
) -> tuple[Tensor, ...]:
    """Images, image masks, prompts of different lengths, their masks, and noise."""
    generator = torch.Generator().manual_seed(seed)
    images = 2.0 * torch.rand(batch, cameras, 3, spec.image, spec.image, generator=generator) - 1.0
    tokens = torch.randint(2, spec.vocab, (batch, length), generator=generator)
    lengths = torch.randint(length // 3, 3 * length // 4, (batch, 1), generator=generator)
    token_mask = torch.arange(length) < lengths
    noise = torch.randn(batch, spec.chunk, spec.action_dim, generator=generator)
    return images, torch.ones(batch, cameras, dtype=torch.bool), tokens * token_mask, token_mask, noise


def write_lerobot(folder: Path, weights: dict[str, Tensor] | None = None, **settings: object) -> Path:
    """A checkpoint in lerobot's layout: two cameras, five state and three action dimensions."""
    folder.mkdir(parents=True, exist_ok=True)
    state = random_state() if weights is None else weights
    save_file({f"model.{name}": tensor for name, tensor in state.items()}, folder / "model.safetensors")
    images = {f"observation.images.{i}": {"type": "VISUAL", "shape": [3, 28, 28]} for i in range(2)}
    modes = {"VISUAL": "IDENTITY", "STATE": "QUANTILES", "ACTION": "QUANTILES"}
    config = {
        "type": "pi05",
        "chunk_size": 12,
        "input_features": images | {"observation.state": {"type": "STATE", "shape": [5]}},
        "output_features": {"action": {"type": "ACTION", "shape": [3]}},
        "tokenizer_max_length": 120,
        "normalization_mapping": modes,
    }
    steps = [
        {
            "registry_name": "normalizer_processor",
            "config": {"norm_map": modes},
            "state_file": "statistics.safetensors",
        },
        {"registry_name": "pi05_prepare_state_tokenizer_processor_step", "config": {}},
    ]
    statistics = {
        "observation.state.q01": torch.tensor([-1.0, 0.0, -2.0, 0.5, 0.0]),
        "observation.state.q99": torch.tensor([1.0, 2.0, 2.0, 1.5, 0.0]),
        "action.q01": torch.tensor([-0.5, -1.0, 0.0]),
        "action.q99": torch.tensor([0.5, 1.0, 0.1]),
    }
    save_file(statistics, folder / "statistics.safetensors")
    write_json(folder / "config.json", config)
    write_json(folder / "policy_preprocessor.json", {"steps": steps})
    write_json(folder / "cohoff.json", {"instructions": ["put the nut on the peg"], "spec": SIZES} | settings)
    train_vocabulary(folder / "tokenizer.model")
    return folder


def write_openpi(folder: Path, weights: dict[str, Tensor] | None = None, **settings: object) -> Path:
    """The same checkpoint in openpi's layout, the token embedding stored as the language head."""
    write_lerobot(folder, weights, **settings)
    for name in ("statistics.safetensors", "policy_preprocessor.json"):
        (folder / name).unlink()
    state = random_state() if weights is None else dict(weights)
    head = "paligemma_with_expert.paligemma"
    state[f"{head}.lm_head.weight"] = state.pop(f"{head}.model.language_model.embed_tokens.weight")
    save_file(state, folder / "model.safetensors")
    variants = {"paligemma_variant": "gemma_2b", "action_expert_variant": "gemma_300m", "precision": "float32"}
    write_json(folder / "config.json", {"action_dim": 32, "action_horizon": 12, **variants})
    stats = {
        "state": {"q01": [-1.0, 0.0, -2.0, 0.5, 0.0], "q99": [1.0, 2.0, 2.0, 1.5, 0.0]},
        "actions": {"q01": [-0.5, -1.0, 0.0], "q99": [0.5, 1.0, 0.1]},
    }
    (folder / "assets" / "robot").mkdir(parents=True)
    write_json(folder / "assets" / "robot" / "norm_stats.json", {"norm_stats": stats})
    return folder


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))
