# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The result as a checkpoint in lerobot's layout, with the settings that opening it here takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from cohoff.files import atomic_path, write_json
from cohoff.policies.pi05.finetuning.statistics import ACTION, STATE, Statistics
from cohoff.policies.pi05.finetuning.trained_weights import TrainedWeights
from cohoff.policies.pi05.policy_cfg import FILE, Pi05PolicyCfg
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import EMBEDDING, HEAD, expected, openpi_name, unused
from cohoff.policies.pi05.weights import Source

_MODES = {"VISUAL": "IDENTITY", "STATE": "QUANTILES", "ACTION": "QUANTILES"}
_PALIGEMMA = "google/paligemma-3b-pt-224"
_TOKENIZER = "tokenizer.model"


def merged(
    weights: TrainedWeights, result: Sequence[Tensor], source: Source, spec: Pi05Spec
) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of a complete checkpoint by openpi's name: trained, adapted or as in ``source``.

    Args:
        weights: What was trained.
        result: Values of its leaves.
        source: What training started from.
        spec: Sizes.
    """
    stored = {openpi_name(name): name for name in source.shapes}
    trained = dict(weights.named(result))
    for name in expected(spec):
        if name in trained:
            yield name, trained[name]
        elif f"{name}.lora_a" in trained:
            change = trained[f"{name}.lora_b"] @ trained[f"{name}.lora_a"]
            yield name, source.read(stored[name]).to(change.device, torch.float32) + change
        else:
            yield name, source.read(stored[name if name in stored else HEAD])
    for name, shape in unused(spec).items():
        # They change no plan, but lerobot refuses a checkpoint without them.
        yield name, source.read(stored[name]) if name in stored else torch.zeros(shape)


def write_folder(
    folder: Path,
    tensors: Iterator[tuple[str, Tensor]],
    spec: Pi05Spec,
    cfg: Pi05PolicyCfg,
    statistics: Statistics,
    tokenizer: Path,
    max_tokens: int,
    dtype: torch.dtype,
    origin: Mapping[str, Any],
) -> None:
    """Write a checkpoint that :func:`~cohoff.policies.loading.load_base` and lerobot open.

    Args:
        folder: Destination; created if it is missing. Its ``config.json``, by which it is recognized, comes last.
        tensors: All tensors by openpi's names.
        spec: Sizes.
        cfg: Settings of the policy.
        statistics: Quantiles of state and action.
        tokenizer: SentencePiece model, which is copied.
        max_tokens: Maximum prompt length [token].
        dtype: Precision of the weights in the file.
        origin: How it was trained, JSON values, for ``training.json``.
    """
    state = {}
    for name, tensor in tensors:
        # lerobot ties the embedding to the language head, and takes either.
        state[f"model.{HEAD if name == EMBEDDING else name}"] = tensor.detach().to("cpu", dtype, copy=True).contiguous()
    with atomic_path(folder / "model.safetensors") as temporary:
        save_file(state, temporary, metadata={"format": "pt"})
    if not (folder / _TOKENIZER).exists() or not (folder / _TOKENIZER).samefile(tokenizer):
        with atomic_path(folder / _TOKENIZER) as temporary:
            shutil.copyfile(tokenizer, temporary)
    images = {f"observation.images.{name}": _feature("VISUAL", 3, spec.image, spec.image) for name in cfg.cameras}
    inputs = images | {STATE: _feature("STATE", len(statistics[f"{STATE}.q01"]))}
    outputs = {ACTION: _feature("ACTION", len(statistics[f"{ACTION}.q01"]))}
    discrete = cfg.discrete_state is not False
    for kind, steps in (
        ("preprocessor", _input_steps(inputs | outputs, discrete, max_tokens)),
        ("postprocessor", _output_steps(outputs)),
    ):
        for step in steps:
            if "state_file" in step:
                with atomic_path(folder / step["state_file"]) as temporary:
                    save_file(statistics, temporary)
        write_json(folder / f"policy_{kind}.json", {"name": f"policy_{kind}", "steps": steps})
    settings = {name: value for name, value in asdict(cfg).items() if value is not None}
    write_json(folder / FILE, settings | {"tokenizer": _TOKENIZER})
    write_json(folder / "training.json", dict(origin))
    write_json(folder / "config.json", _config(spec, inputs, outputs, max_tokens, dtype))


def _feature(kind: str, *shape: int) -> dict[str, Any]:
    return {"type": kind, "shape": list(shape)}


def _config(
    spec: Pi05Spec, inputs: dict[str, Any], outputs: dict[str, Any], max_tokens: int, dtype: torch.dtype
) -> dict[str, Any]:
    return {
        "type": "pi05",
        "input_features": inputs,
        "output_features": outputs,
        "paligemma_variant": "gemma_2b",
        "action_expert_variant": "gemma_300m",
        "dtype": str(dtype).removeprefix("torch."),
        "chunk_size": spec.chunk,
        "n_action_steps": spec.chunk,
        "max_action_dim": spec.action_dim,
        "num_inference_steps": spec.steps,
        "min_period": spec.min_period,
        "max_period": spec.max_period,
        "image_resolution": [spec.image, spec.image],
        "tokenizer_max_length": max_tokens,
        "normalization_mapping": _MODES,
    }


def _input_steps(features: dict[str, Any], discrete: bool, max_tokens: int) -> list[dict[str, Any]]:
    """Return lerobot's processing steps before the network."""
    tokens = {"max_length": max_tokens, "task_key": "task", "padding_side": "right", "padding": "max_length"}
    state = [{"registry_name": "pi05_prepare_state_tokenizer_processor_step", "config": {}}]
    return [
        {"registry_name": "rename_observations_processor", "config": {"rename_map": {}}},
        {"registry_name": "to_batch_processor", "config": {}},
        _normalizer("normalizer_processor", features, "policy_preprocessor_step_2"),
        *(state if discrete else []),
        {
            "registry_name": "tokenizer_processor",
            "config": tokens | {"truncation": True, "tokenizer_name": _PALIGEMMA},
        },
        {"registry_name": "device_processor", "config": {"device": "cpu", "float_dtype": None}},
    ]


def _output_steps(features: dict[str, Any]) -> list[dict[str, Any]]:
    """Return lerobot's processing steps behind the network."""
    return [
        _normalizer("unnormalizer_processor", features, "policy_postprocessor_step_0"),
        {"registry_name": "device_processor", "config": {"device": "cpu", "float_dtype": None}},
    ]


def _normalizer(name: str, features: dict[str, Any], prefix: str) -> dict[str, Any]:
    config = {"eps": 1e-8, "features": features, "norm_map": _MODES}
    return {"registry_name": name, "config": config, "state_file": f"{prefix}_{name}.safetensors"}
