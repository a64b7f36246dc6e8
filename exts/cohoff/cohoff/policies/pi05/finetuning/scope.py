# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is trained: everything, the action expert alone, or low-rank adapters."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cohoff.errors import InputError
from cohoff.policies.pi05.tensor_names import EXPERT, LANGUAGE, PALIGEMMA, Shape

_ACTIONS = r"(action_(in|out)|time_mlp)_\w+"


@dataclass(frozen=True)
class Scope:
    """Which tensors of a checkpoint are trained; all others are frozen."""

    trained: str
    """Regular expression of the names that are trained in full."""

    adapted: Mapping[str, int]
    """Rank of the adapters by a regular expression of the names of adapted matrices."""

    def trains(self, name: str) -> bool:
        """Return whether the tensor ``name`` is trained in full."""
        return re.match(self.trained, name) is not None

    def rank(self, name: str) -> int:
        """Return the rank of the adapter of the matrix ``name``, 0 if it has none."""
        return next((rank for pattern, rank in self.adapted.items() if re.match(pattern, name)), 0)

    @property
    def prefix_is_frozen(self) -> bool:
        """Whether nothing before the action expert is trained, so that keys and values need no gradient."""
        return not self.adapted and not self.trains(LANGUAGE)

    def count(self, shapes: Mapping[str, Shape]) -> tuple[int, int]:
        """Return the number of trained values, adapters included, and of frozen ones."""
        trained = frozen = 0
        for name, shape in shapes.items():
            size, rank = math.prod(shape), self.rank(name)
            trained += size if self.trains(name) else rank * sum(shape)
            frozen += 0 if self.trains(name) else size
        return trained, frozen


SCOPES = ("everything", "expert", "lora")
"""Names of the scopes."""


def make_scope(name: str, rank: int = 16, expert_rank: int = 32) -> Scope:
    """Return the scope ``name``, one of :data:`SCOPES`.

    ``expert`` freezes vision tower and prefix. ``lora`` has adapters (arXiv 2106.09685) on all matrices of prefix and
    expert and trains vision tower, projections of actions and the time MLP in full, as openpi's LoRA variants do.

    Args:
        name: Name.
        rank: Rank of the prefix's adapters.
        expert_rank: Rank of the expert's adapters.

    Raises:
        InputError: Unknown name, or a rank below 1.
    """
    if name == "everything":
        return Scope("", {})
    if name == "expert":
        return Scope(rf"{re.escape(EXPERT)}|{_ACTIONS}", {})
    if name != "lora":
        raise InputError(f"pi-0.5 cannot train {name!r}; known: {', '.join(SCOPES)}")
    if min(rank, expert_rank) < 1:
        raise InputError(f"LoRA ranks are {rank} and {expert_rank}; give at least 1, as 16 and 32 by default")
    vision = rf"{re.escape(PALIGEMMA)}(vision_tower|multi_modal_projector)"
    matrices = r"layers\.\d+\.(self_attn|mlp)\.\w+_proj\.weight"
    parts = ((LANGUAGE, rank), (EXPERT, expert_rank))
    return Scope(rf"{vision}|{_ACTIONS}", {re.escape(part) + matrices: part_rank for part, part_rank in parts})
