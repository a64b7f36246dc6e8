# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Base-policy checkpoints: one safetensors file, its metadata as JSON under the key ``cohoff``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from cohoff.errors import InputError
from cohoff.files import atomic_path, reading

_KEY = "cohoff"

CURE = "make it again with scripts/pretrain.py"
"""What to do about a damaged file."""


def write_checkpoint(path: str | os.PathLike[str], tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    """Write ``tensors`` and ``metadata`` (JSON values, ``kind`` among them) to ``path``, atomically."""
    text = json.dumps(metadata, allow_nan=False)
    on_host = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        # save_file would make the file readable by its owner only.
        temporary.write_bytes(save(on_host, metadata={_KEY: text}))


def is_checkpoint(path: str | os.PathLike[str], kind: str) -> bool:
    """Return whether ``path`` is a readable checkpoint of :func:`write_checkpoint` whose metadata name ``kind``."""
    try:
        return read_metadata(path)["kind"] == kind
    except InputError:
        return False


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the metadata of the checkpoint at ``path`` without reading its tensors.

    Raises:
        InputError: The file is missing, truncated, not a safetensors file, or not written by :func:`write_checkpoint`.
    """
    return _read(path, device=None)[1]


def read_checkpoint(
    path: str | os.PathLike[str], device: torch.device | str = "cpu"
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors, on ``device``, and the metadata of the checkpoint at ``path``.

    Raises:
        InputError: As :func:`read_metadata`.
    """
    return _read(path, device=torch.device(device))


def _read(path: str | os.PathLike[str], device: torch.device | None) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    name = str(path)
    if not Path(path).is_file():
        raise InputError(f"no base checkpoint at {name!r}; make one with scripts/pretrain.py")
    with reading(path, CURE):
        with safe_open(path, framework="pt", device=str(device or "cpu")) as file:
            texts = file.metadata() or {}
            tensors = {} if device is None else {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        metadata = json.loads(texts.get(_KEY, "null"))
    if not isinstance(metadata, dict) or "kind" not in metadata:
        raise InputError(f"{name!r} is not a cohoff base checkpoint; make one with scripts/pretrain.py")
    for key, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise InputError(f"base checkpoint {name!r} has values in {key} that are not finite; {CURE}")
    return tensors, metadata
