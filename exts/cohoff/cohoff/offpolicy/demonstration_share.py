# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How many rows of a batch are demonstrations, over a run."""

from __future__ import annotations

NUM_SIZES = 9
"""Sizes that the demonstrated part of a batch takes in a run. A captured update has fixed shapes, so that each size is
captured by itself."""


def demonstrated_rows(batch_size: int, first: float, final: float | None, over: float) -> int:
    """Rows of a batch that are demonstrations: a share that goes from ``first`` to ``final`` in even steps.

    Args:
        batch_size: Rows of the batch.
        first: Share at the start of the run.
        final: Share at its end; None is ``first``.
        over: Share of the run that is over, 0 to 1.
    """
    last = first if final is None else final
    step = min(int(over * NUM_SIZES), NUM_SIZES - 1) / (NUM_SIZES - 1)
    return round(batch_size * (first + step * (last - first)))
