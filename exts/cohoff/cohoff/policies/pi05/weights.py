# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Loading of weights from memory-mapped files to the device, one tensor at a time, in their final precision."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from cohoff.errors import InputError
from cohoff.files import reading
from cohoff.policies.pi05.layers import Linear, NormedLinear
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.tensor_names import Shape, resolve

CURE = "download it again"
"""What to do about a damaged file."""

DTYPES = (torch.float32, torch.bfloat16)
"""Precisions of the network."""


@dataclass(frozen=True)
class Source:
    """Stored tensors, read on demand."""

    origin: str
    """Name of the checkpoint in error messages."""
    shapes: Mapping[str, Shape]
    """Shape of each tensor by name."""
    read: Callable[[str], Tensor]
    """Return one tensor by name, on any device."""


class Weights:
    """Tensors of a checked checkpoint by openpi's names, on the device."""

    def __init__(self, source: Source, spec: Pi05Spec, device: torch.device, dtype: torch.dtype) -> None:
        """Check names and shapes; nothing is read yet.

        Raises:
            InputError: A tensor is missing, unknown or of a wrong shape, or ``dtype`` is not one of :data:`DTYPES`.
        """
        if dtype not in DTYPES:
            raise InputError(f"pi-0.5 dtype is {dtype}; use one of {', '.join(map(str, DTYPES))}")
        self._names = resolve(source.shapes, spec, source.origin)
        self._source = source
        self.device = device
        self.dtype = dtype

    def __call__(self, name: str, dtype: torch.dtype | None = None) -> Tensor:
        """Return a copy of the tensor ``name``, in the network's precision if ``dtype`` is None."""
        shape = self._source.shapes[self._names[name]]
        return torch.empty(shape, dtype=dtype or self.dtype, device=self.device).copy_(self._read(name))

    def stack(self, names: Sequence[str], norm: str | None = None, dtype: torch.dtype | None = None) -> Tensor:
        """Stack tensors along their rows, for one matrix product instead of several.

        Args:
            names: Weights [R_i, C] or biases [R_i].
            norm: RMS-norm weight w [C] of their input, whose factor 1 + w is multiplied into the columns.
            dtype: Precision; None is the network's.
        """
        shapes = [self._source.shapes[self._names[name]] for name in names]
        rows = sum(shape[0] for shape in shapes)
        out = torch.empty(rows, *shapes[0][1:], dtype=dtype or self.dtype, device=self.device)
        factor = None if norm is None else 1.0 + Weights.__call__(self, norm, torch.float32)
        for part, name in zip(out.split([shape[0] for shape in shapes]), names, strict=True):
            tensor = self._read(name)
            part.copy_(tensor if factor is None else tensor.to(self.device, torch.float32) * factor)
        return out

    def linear(self, *modules: str, dtype: torch.dtype | None = None) -> Callable[[Tensor], Tensor]:
        """Return the map to the outputs of all ``modules``, one after another, with biases if they have some."""
        biases = [f"{name}.bias" for name in modules if f"{name}.bias" in self._names]
        weight = self.stack([f"{name}.weight" for name in modules], dtype=dtype)
        return Linear(weight, self.stack(biases, dtype=dtype) if biases else None)

    def normed_linear(self, *modules: str, norm: str) -> NormedLinear:
        """Return :meth:`linear` behind the RMS norm with the weight ``norm``, here multiplied into the map."""
        weight = self.stack([f"{name}.weight" for name in modules], norm)
        return NormedLinear(Linear(weight), None, self.dtype)

    def _read(self, name: str) -> Tensor:
        tensor = self._source.read(self._names[name])
        if not tensor.is_floating_point():
            raise InputError(
                f"{self._source.origin} holds {name} of type {tensor.dtype}, expected a floating-point one"
            )
        return tensor


def from_state(state: Mapping[str, Tensor]) -> Source:
    """Return weights that are in memory."""
    return Source("the state dictionary", {name: tuple(t.shape) for name, t in state.items()}, state.__getitem__)


def from_folder(folder: Path) -> Source:
    """Return the weights in ``model.safetensors``, or in the shards listed in ``model.safetensors.index.json``.

    Only headers are read here; each tensor is read from its memory-mapped file on demand.

    Raises:
        InputError: A file is missing, truncated or not a safetensors file.
    """
    files: dict[str, Path] = {}
    shapes: dict[str, Shape] = {}
    for path in _shards(folder):
        with reading(path, CURE), safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                files[name] = path
                shapes[name] = tuple(file.get_slice(name).get_shape())

    def read(name: str) -> Tensor:
        # Opened for each tensor, because an open file keeps what has been read in memory.
        with reading(files[name], CURE), safe_open(files[name], framework="pt") as file:
            return file.get_tensor(name)

    return Source(f"checkpoint {str(folder)!r}", shapes, read)


def _shards(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        if not (folder / "model.safetensors").is_file():
            raise InputError(f"no weights in {str(folder)!r}: neither model.safetensors nor {index.name}")
        return [folder / "model.safetensors"]
    with reading(index, CURE):
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"shard {name!r} of {str(index)!r} is missing; download it again")
    return [folder / name for name in names]
