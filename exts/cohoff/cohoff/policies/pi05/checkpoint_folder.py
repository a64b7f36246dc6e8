# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Network sizes, normalization and prompt of a checkpoint folder, in lerobot's or openpi's layout."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from cohoff.errors import InputError
from cohoff.files import reading
from cohoff.policies.pi05.preprocess import Normalizer
from cohoff.policies.pi05.spec import Pi05Spec

_VLM = {"gemma_2b": {"vlm_width": 2048, "vlm_mlp": 16384}}
_EXPERT = {"gemma_300m": {"exp_width": 1024, "exp_mlp": 4096}}
_TOKENS = 200
"""Maximum prompt length [token] if the checkpoint states none."""


@dataclass(frozen=True)
class Recipe:
    """Inputs that a checkpoint expects, and the meaning of its outputs."""

    cameras: int
    """Number of camera images that the network was trained with."""
    state: Normalizer
    """Normalization of the robot's state."""
    action: Normalizer
    """Normalization of actions; its size is the number of action dimensions without padding."""
    discrete_state: bool
    """Whether the prompt contains the state."""
    max_tokens: int
    """Maximum prompt length [token]."""


def locate(path_or_hub_id: str | os.PathLike[str]) -> Path:
    """Return the folder of a checkpoint: the path itself, or a local copy of a hub repository, downloaded once.

    Raises:
        InputError: No such folder or repository exists, or the download fails.
    """
    path, name = Path(path_or_hub_id), str(path_or_hub_id)
    if path.is_dir():
        return path
    if not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name):
        raise InputError(
            f"no pi-0.5 weights at {name!r}: give a checkpoint's folder, or a hub name like lerobot/pi05_base"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.model"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"no pi-0.5 weights at {name!r}: no such folder, and the download from the hub failed ({reason})"
        ) from error


def is_checkpoint_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder whose config.json describes a pi-0.5 checkpoint, in either layout."""
    try:
        return path.is_dir() and _is_pi05(_read_json(path / "config.json"))
    except InputError:
        return False


def read_spec(folder: Path) -> Pi05Spec:
    """Return the sizes of the network in ``folder``.

    Raises:
        InputError: config.json is missing, unreadable or of another model.
    """
    config = _read_config(folder)
    variants = [config.get("paligemma_variant"), config.get("action_expert_variant")]
    if variants[0] not in _VLM or variants[1] not in _EXPERT:
        known = ", ".join([*_VLM, *_EXPERT])
        raise InputError(f"{str(folder / 'config.json')!r} has variants {variants}; known ones: {known}")
    sizes: dict[str, Any] = _VLM[variants[0]] | _EXPERT[variants[1]]
    with reading(folder, "download it again"):
        return _spec(config, sizes)


def _spec(config: dict[str, Any], sizes: dict[str, Any]) -> Pi05Spec:
    if "type" in config:
        image = config["image_resolution"][0]
        sizes |= {"action_dim": config["max_action_dim"], "chunk": config["chunk_size"], "image": image}
        sizes |= {"steps": config["num_inference_steps"]}
        sizes |= {name: config[name] for name in ("min_period", "max_period")}
    else:
        sizes |= {"action_dim": config["action_dim"], "chunk": config["action_horizon"]}
    return Pi05Spec(**sizes)


def read_recipe(folder: Path) -> Recipe:
    """Return normalization and prompt settings of the checkpoint in ``folder``.

    Raises:
        InputError: A file is missing or unreadable, or asks for something that is not supported.
    """
    config = _read_config(folder)
    with reading(folder, "download it again"):
        return _lerobot_recipe(folder, config) if "type" in config else _openpi_recipe(folder, config)


def _read_config(folder: Path) -> dict[str, Any]:
    config = _read_json(folder / "config.json")
    if not _is_pi05(config):
        kind = config.get("type", "unknown")
        raise InputError(f"{str(folder / 'config.json')!r} is of type {kind!r}, expected a pi-0.5 checkpoint")
    if config.get("use_relative_actions"):
        raise InputError(f"{str(folder / 'config.json')!r} has use_relative_actions, which is not supported")
    return config


def _is_pi05(config: dict[str, Any]) -> bool:
    return config.get("type", "pi05") == "pi05" and bool({"chunk_size", "action_horizon"} & set(config))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{str(path.parent)!r} is not a pi-0.5 checkpoint: {path.name} is missing") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read ({error}); download it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{str(path)!r} does not hold a JSON object; download it again")
    return content


def _lerobot_recipe(folder: Path, config: dict[str, Any]) -> Recipe:
    """Read lerobot's layout: processing steps in policy_preprocessor.json, their tensors in separate files."""
    steps = {step["registry_name"]: step for step in _read_json(folder / "policy_preprocessor.json")["steps"]}
    normalizer = steps["normalizer_processor"]
    modes = normalizer["config"].get("norm_map", config["normalization_mapping"])
    tensors = {}
    if "state_file" in normalizer:
        path = folder / normalizer["state_file"]
        with reading(path, "download it again"):
            tensors = load_file(path)

    def read_normalizer(key: str, mode: str, size: int) -> Normalizer:
        values = {name.removeprefix(f"{key}."): t for name, t in tensors.items() if name.startswith(f"{key}.")}
        return Normalizer.from_statistics(mode, values, f"{key} in {str(folder)!r}", size)

    features = config["input_features"]
    state_dim = features["observation.state"]["shape"][0]
    return Recipe(
        cameras=sum(feature["type"] == "VISUAL" for feature in features.values()),
        state=read_normalizer("observation.state", modes["STATE"], state_dim),
        action=read_normalizer("action", modes["ACTION"], config["output_features"]["action"]["shape"][0]),
        discrete_state="pi05_prepare_state_tokenizer_processor_step" in steps,
        max_tokens=config["tokenizer_max_length"],
    )


def _openpi_recipe(folder: Path, config: dict[str, Any]) -> Recipe:
    """Read openpi's layout: statistics, always quantiles for pi-0.5, in assets/<robot>/norm_stats.json."""
    found = sorted(folder.glob("assets/**/norm_stats.json"))
    if len(found) != 1:
        raise InputError(f"{str(folder / 'assets')!r} holds {len(found)} files norm_stats.json; exactly one is needed")
    stats = _read_json(found[0])
    stats = stats.get("norm_stats", stats)

    def read_normalizer(name: str) -> Normalizer:
        values = {key: torch.tensor(value) for key, value in stats.get(name, {}).items() if value is not None}
        return Normalizer.from_statistics("QUANTILES", values, f"{name} in {str(found[0])!r}", margin=1e-6)

    return Recipe(
        cameras=3,
        state=read_normalizer("state"),
        action=read_normalizer("actions"),
        discrete_state=config.get("discrete_state_input", True),
        max_tokens=config.get("max_token_len", _TOKENS),
    )
