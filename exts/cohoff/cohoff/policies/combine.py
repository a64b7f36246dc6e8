# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ways to combine the base policy's action and the learned policy's action into the executed one.

All actions are float tensors in [-1, 1], shape [..., A], and gradients flow through to both arguments.
Sources: ensemble, CSIL++ (arXiv 2606.02194); residual, ResiP (arXiv 2407.16677).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch

from cohoff.errors import InputError


class Combination(Protocol):
    """Executed action as a function of the base action and the learned policy's action."""

    uses_base: ClassVar[bool]
    """Whether the executed action depends on the base action."""

    uses_policy: ClassVar[bool]
    """Whether the executed action depends on the learned policy's action."""

    def __call__(self, base_action: torch.Tensor, policy_action: torch.Tensor) -> torch.Tensor:
        """Return the executed action, shape [..., A]."""
        ...


@dataclass(frozen=True)
class Ensemble:
    """Mean of the two actions."""

    uses_base: ClassVar[bool] = True
    uses_policy: ClassVar[bool] = True

    def __call__(self, base_action: torch.Tensor, policy_action: torch.Tensor) -> torch.Tensor:
        """Return ``(base_action + policy_action) / 2``."""
        return 0.5 * (base_action + policy_action)


@dataclass(frozen=True)
class Residual:
    """Base action corrected by a small multiple of the policy's action."""

    uses_base: ClassVar[bool] = True
    uses_policy: ClassVar[bool] = True

    scale: float
    """Largest correction of one action dimension, as a share of the action range [-1, 1]."""

    def __call__(self, base_action: torch.Tensor, policy_action: torch.Tensor) -> torch.Tensor:
        """Return ``clip(base_action + scale * policy_action, -1, 1)``; no gradient passes where the clip acts."""
        return (base_action + self.scale * policy_action).clamp(-1.0, 1.0)


@dataclass(frozen=True)
class PolicyOnly:
    """The learned policy's action (plain CSIL, arXiv 2305.16498)."""

    uses_base: ClassVar[bool] = False
    uses_policy: ClassVar[bool] = True

    def __call__(self, base_action: torch.Tensor, policy_action: torch.Tensor) -> torch.Tensor:
        """Return ``policy_action``."""
        return policy_action


@dataclass(frozen=True)
class BaseOnly:
    """The base policy's action, for evaluating the base."""

    uses_base: ClassVar[bool] = True
    uses_policy: ClassVar[bool] = False

    def __call__(self, base_action: torch.Tensor, policy_action: torch.Tensor) -> torch.Tensor:
        """Return ``base_action``."""
        return base_action


COMBINATIONS = ("ensemble", "residual", "policy", "base")
"""Names that :func:`make_combination` knows."""


def make_combination(name: str, scale: float = 0.1) -> Combination:
    """Return the combination called ``name``; ``scale`` in (0, 1] affects the residual only.

    Raises:
        InputError: Unknown name, or a residual scale outside (0, 1].
    """
    match name:
        case "ensemble":
            return Ensemble()
        case "residual":
            if not (math.isfinite(scale) and 0.0 < scale <= 1.0):
                raise InputError(f"residual scale {scale!r} is outside (0, 1]; the usual value is 0.1")
            return Residual(scale)
        case "policy":
            return PolicyOnly()
        case "base":
            return BaseOnly()
    raise InputError(f"unknown combination {name!r}; choose one of: {', '.join(COMBINATIONS)}")
