# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What training starts from: a checkpoint, or random weights of a size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cohoff.errors import InputError
from cohoff.policies.pi05.checkpoint_folder import locate, read_recipe, read_spec
from cohoff.policies.pi05.finetuning.statistics import ACTION, STATE, Statistics
from cohoff.policies.pi05.policy_cfg import FILE, Pi05PolicyCfg, read_cfg
from cohoff.policies.pi05.preprocess import Normalizer
from cohoff.policies.pi05.random_weights import random_source
from cohoff.policies.pi05.sizes import SIZES
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.weights import Source, from_folder

MAX_TOKENS = 200
"""Maximum prompt length [token] that is written to checkpoints."""


@dataclass(frozen=True)
class Start:
    """Weights and settings that training starts from."""

    source: Source
    """Weights."""
    spec: Pi05Spec
    """Sizes."""
    cfg: Pi05PolicyCfg
    """Settings of the policy."""
    tokenizer: Path
    """SentencePiece model."""
    folder: Path | None
    """Folder of the checkpoint; None for random weights."""

    def kept_normalizers(self) -> tuple[Normalizer, Normalizer]:
        """Return the checkpoint's normalization of state and action.

        Raises:
            InputError: There is no checkpoint, or it lacks statistics.
        """
        if self.folder is None:
            raise InputError("random weights have no statistics; leave out --keep_statistics")
        recipe = read_recipe(self.folder)
        return recipe.state, recipe.action


def start_from_checkpoint(path_or_hub_id: str, settings: Mapping[str, Any]) -> Start:
    """Start from a checkpoint; ``settings`` of the policy replace those in its ``cohoff.json``, if it has one.

    Raises:
        InputError: Checkpoint or tokenizer is missing, or settings are lacking or unusable.
    """
    folder = locate(path_or_hub_id)
    cfg = replace(read_cfg(folder), **settings) if (folder / FILE).is_file() else _make_cfg(settings)
    try:
        spec = read_spec(folder) if cfg.spec is None else Pi05Spec(**cfg.spec)
    except TypeError as error:
        raise InputError(f"spec in the settings of {str(folder)!r} is unusable: {error}") from error
    return Start(from_folder(folder), spec, cfg, folder / cfg.tokenizer, folder)


def start_from_size(size: str, settings: Mapping[str, Any], seed: int) -> Start:
    """Start from random weights of a size in :data:`~cohoff.policies.pi05.sizes.SIZES`.

    Raises:
        InputError: Settings are lacking or unusable.
    """
    if "tokenizer" not in settings:
        raise InputError("random weights come without a tokenizer; give PaliGemma's SentencePiece model by --tokenizer")
    spec = SIZES[size]
    cfg = replace(_make_cfg(settings), spec=asdict(spec))
    return Start(random_source(spec, seed), spec, cfg, Path(cfg.tokenizer), None)


def _make_cfg(settings: Mapping[str, Any]) -> Pi05PolicyCfg:
    if "instructions" not in settings:
        raise InputError("pi-0.5 needs to be told what the demonstrations show; give --instruction 'put ...'")
    return Pi05PolicyCfg(**settings)


def kept_statistics(normalizers: tuple[Normalizer, Normalizer], origin: str) -> Statistics:
    """Return a checkpoint's statistics as quantiles.

    Raises:
        InputError: It normalizes in another way.
    """
    statistics = {}
    for name, normalizer in zip((STATE, ACTION), normalizers, strict=True):
        if normalizer.shift != 1.0:
            raise InputError(f"{origin} does not normalize {name} by quantiles; leave out --keep_statistics")
        statistics[f"{name}.q01"] = normalizer.offset.clone()
        statistics[f"{name}.q99"] = normalizer.offset + normalizer.inverse_span
    return statistics
