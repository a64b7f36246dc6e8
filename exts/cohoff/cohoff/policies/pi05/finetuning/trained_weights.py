# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Weights with gradients: float32 masters, and copies in the precision that the network computes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.policies.pi05.finetuning.scope import Scope
from cohoff.policies.pi05.layers import Linear, NormedLinear
from cohoff.policies.pi05.spec import Pi05Spec
from cohoff.policies.pi05.weights import Source, Weights


@dataclass(frozen=True)
class Leaf:
    """One trained tensor: one or more tensors of a checkpoint, stacked along their rows, or a part of an adapter."""

    names: tuple[str, ...]
    """Names of the stacked tensors; of an adapter, its matrix's with the suffix ``.lora_a`` or ``.lora_b``."""
    rows: tuple[int, ...]
    """Rows of each of them."""
    master: Tensor
    """Values, float32; the optimizer changes them, and their gradients are summed in float32."""
    weight: Tensor
    """What the network computes with: the master itself, or a copy in another precision."""

    def split(self, tensor: Tensor) -> dict[str, Tensor]:
        """Return views of a tensor of the master's shape by name."""
        return dict(zip(self.names, tensor.split(self.rows), strict=True))


@dataclass(frozen=True)
class Adapted:
    """Frozen map with low-rank adapters of the parts of its output (arXiv 2106.09685), scaled by 1."""

    frozen: Callable[[Tensor], Tensor]
    down: Tensor
    """Matrices A of all parts, stacked, [parts * rank, C]."""
    up: tuple[Tensor, ...]
    """Matrix B of each part, [R_i, rank]."""

    def __call__(self, x: Tensor) -> Tensor:
        """Map [..., C] to [..., R]."""
        low = F.linear(x, self.down).chunk(len(self.up), -1)
        return self.frozen(x) + torch.cat([F.linear(part, up) for part, up in zip(low, self.up, strict=True)], -1)


class TrainedWeights(Weights):
    """Weights of which those within a scope require gradients; the others are as in inference."""

    def __init__(
        self, source: Source, spec: Pi05Spec, device: torch.device, dtype: torch.dtype, scope: Scope, seed: int = 0
    ) -> None:
        """Check names and shapes; nothing is read yet. ``seed`` is that of the adapters."""
        super().__init__(source, spec, device, dtype)
        self.scope = scope
        self.leaves: list[Leaf] = []
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, name: str, dtype: torch.dtype | None = None) -> Tensor:
        """Return the tensor ``name``, trained or frozen."""
        return self.stack([name], dtype=dtype) if self.scope.trains(name) else super().__call__(name, dtype)

    def stack(self, names: Sequence[str], norm: str | None = None, dtype: torch.dtype | None = None) -> Tensor:
        """Stack tensors that are all trained or all frozen; the weight of the ``norm`` of trained ones is not in it."""
        if not self.scope.trains(names[0]):
            return super().stack(names, norm, dtype)
        rows = tuple(self._source.shapes[self._names[name]][0] for name in names)
        return self._add(tuple(names), rows, super().stack(names, dtype=torch.float32), dtype or self.dtype)

    def linear(self, *modules: str, dtype: torch.dtype | None = None) -> Callable[[Tensor], Tensor]:
        """Return the map to the outputs of all ``modules``, with adapters if they are adapted."""
        frozen = super().linear(*modules, dtype=dtype)
        rank = self.scope.rank(f"{modules[0]}.weight")
        return self._adapt(frozen, modules, rank) if rank else frozen

    def normed_linear(self, *modules: str, norm: str) -> NormedLinear:
        """Return :meth:`linear` behind an RMS norm; its weight is multiplied into frozen maps only."""
        name = f"{modules[0]}.weight"
        if self.scope.trains(name) or self.scope.rank(name):
            return NormedLinear(self.linear(*modules), self(norm, torch.float32), self.dtype)
        return super().normed_linear(*modules, norm=norm)

    def named(self, tensors: Sequence[Tensor]) -> Iterator[tuple[str, Tensor]]:
        """Yield views of ``tensors``, one for each leaf, by the names of checkpoint and adapters."""
        for leaf, tensor in zip(self.leaves, tensors, strict=True):
            yield from leaf.split(tensor).items()

    def _adapt(self, frozen: Callable[[Tensor], Tensor], modules: Sequence[str], rank: int) -> Adapted:
        assert isinstance(frozen, Linear)
        width = frozen.weight.shape[1]
        names = [f"{module}.weight" for module in modules]
        start = torch.randn(rank * len(modules), width, generator=self._generator) / width**0.5
        down = self._add(tuple(f"{n}.lora_a" for n in names), (rank,) * len(names), start.to(self.device), self.dtype)
        up = []
        for name in names:
            rows = self._source.shapes[self._names[name]][0]
            zeros = torch.zeros(rows, rank, device=self.device)
            up.append(self._add((f"{name}.lora_b",), (rows,), zeros, self.dtype))
        return Adapted(frozen, down, tuple(up))

    def _add(self, names: tuple[str, ...], rows: tuple[int, ...], values: Tensor, dtype: torch.dtype) -> Tensor:
        weight = values if dtype == torch.float32 else values.to(dtype)
        self.leaves.append(Leaf(names, rows, values, weight.requires_grad_()))
        return weight
