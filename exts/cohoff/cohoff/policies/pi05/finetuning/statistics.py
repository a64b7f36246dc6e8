# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Normalization of state and action by quantiles of the demonstrations."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.pi05.preprocess import Normalizer

STATE, ACTION = "observation.state", "action"
"""lerobot's names of the two."""

Statistics = dict[str, Tensor]
"""Quantiles 0.01 and 0.99, ``q01`` and ``q99`` behind the names of state and action, each [D]."""

_FAR = 2.0
"""Distance from zero, in normalized units, that most values of the same robot do not reach."""


def compute_statistics(state: Tensor, actions: Tensor) -> Statistics:
    """Return the quantiles of states [M, D] and actions [M, A]."""
    statistics = {}
    for name, values in ((STATE, state), (ACTION, actions)):
        low, high = torch.from_numpy(np.quantile(values.cpu().double().numpy(), (0.01, 0.99), axis=0))
        # A dimension that hardly ever changes is scaled by its whole range; zero fills the end of an episode.
        padded = torch.cat([values.cpu().double(), torch.zeros(1, values.shape[1])])
        still = high - low < 1e-6
        statistics[f"{name}.q01"] = torch.where(still, padded.amin(0), low).float()
        statistics[f"{name}.q99"] = torch.where(still, padded.amax(0), high).float()
    return statistics


def normalizers(statistics: Statistics) -> tuple[Normalizer, Normalizer]:
    """Return the maps of state and action."""
    state, action = (
        Normalizer.from_statistics("QUANTILES", {q: statistics[f"{name}.{q}"] for q in ("q01", "q99")}, name)
        for name in (STATE, ACTION)
    )
    return state, action


def check_statistics(state: Tensor, actions: Tensor, kept: tuple[Normalizer, Normalizer], origin: str) -> None:
    """Check that a checkpoint's statistics are those of the robot that states [M, D] and actions [M, A] are from.

    Raises:
        InputError: They are of other sizes, or most values of a dimension are far outside of them.
    """
    cure = "leave out --keep_statistics to compute them from the demonstrations"
    for kind, values, normalizer in zip(("state", "action"), (state, actions), kept, strict=True):
        if normalizer.size != values.shape[1]:
            raise InputError(
                f"{origin} has statistics of {normalizer.size} {kind} dimensions, the demonstrations have "
                f"{values.shape[1]}: another robot's; {cure}"
            )
        outside = (normalizer.to(values.device).forward(values).abs() > _FAR).float().mean(0)
        if outside.max() > 0.5:
            worst = int(outside.argmax())
            raise InputError(
                f"{outside.max():.0%} of the demonstrations' {kind} dimension {worst} are far outside the statistics "
                f"of {origin}: another robot's; {cure}"
            )
