# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""N processes with batches of B make the updates of one with batches of N·B."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from batch_cases import EXACT, update_on_parts
from processes import results, run


def largest_difference(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    return max(float((value - b[name]).abs().max()) for name, value in a.items())


@pytest.mark.parametrize("size", [2, 4])
def test_parts_of_a_batch_make_the_update_of_the_whole(tmp_path: Path, size: int) -> None:
    alone = update_on_parts()
    first, *others = results(run(update_on_parts, size, tmp_path))
    for name in alone:
        distance = largest_difference(alone[name], first[name])
        print(f"{name}: {size} ranks differ from one by {distance:.2g}")
        assert all(largest_difference(first[name], other[name]) == 0.0 for other in others)
        assert (distance < 1e-5) == (name in EXACT), (name, distance)
    # Means of parts of the same size are the mean of the whole, whatever they are used for.
    for name in ("csil", "xqc"):
        mean = "critic.input_norm.mean"
        torch.testing.assert_close(first[name][mean], alone[name][mean], atol=1e-5, rtol=0.0)
