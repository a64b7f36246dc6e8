# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Statistics of a LeRobotDataset, by which trainers normalize.

Those of the whole dataset are of all frames, also the quantiles by which pi-0.5 normalizes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
"""Names and values of the quantiles that lerobot 0.6.1 writes."""

LEVELS = 256
"""Values of a pixel."""


def vector_statistics(values: np.ndarray) -> dict[str, Any]:
    """Statistics of each entry of M vectors [M, D], or of M numbers [M], as lists of D numbers or one."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    found = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0)}
    quantiles = np.quantile(rows, list(QUANTILES.values()), axis=0)
    found |= dict(zip(QUANTILES, quantiles, strict=True))
    return {name: value.tolist() for name, value in found.items()} | {"count": [len(rows)]}


def count_levels(pictures: np.ndarray) -> np.ndarray:
    """How many pixels of T pictures [T, height, width, C], uint8, have each of the 256 values, [C, 256]."""
    return np.stack([np.bincount(channel.ravel(), minlength=LEVELS) for channel in np.moveaxis(pictures, -1, 0)])


def picture_statistics(levels: np.ndarray, count: int) -> dict[str, Any]:
    """Statistics of each channel of ``count`` pictures in [0, 1], shape [C, 1, 1], from :func:`count_levels` [C, 256].

    A quantile is the smallest value that is reached by such a share of the pixels.
    """
    values, total = np.arange(LEVELS) / (LEVELS - 1), levels.sum(1)
    mean = levels @ values / total
    cumulative = levels.cumsum(1)
    found = {
        "min": values[(levels > 0).argmax(1)],
        "max": values[LEVELS - 1 - (levels[:, ::-1] > 0).argmax(1)],
        "mean": mean,
        "std": np.sqrt((levels * (values - mean[:, None]) ** 2).sum(1) / total),
    }
    for name, share in QUANTILES.items():
        found[name] = values[(cumulative >= share * total[:, None]).argmax(1)]
    return {name: value[:, None, None].tolist() for name, value in found.items()} | {"count": [count]}
