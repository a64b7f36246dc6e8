# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whether memory grows over many iterations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cohoff.stress.point_mass import smallest_run
from cohoff.stress.training import make_runner

POINTS = 20
"""How often memory is read."""


def run_long(folder: Path, iterations: int) -> list[tuple[int, float]]:
    """Train for ``iterations`` in this process; return its memory [MiB] after some of them."""
    cfg: dict[str, Any] = smallest_run(folder) | {"save_interval": max(iterations // POINTS, 1)}
    cfg["algorithm"]["update_to_data"] = 1 / 16
    runner = make_runner(cfg | {"max_iterations": iterations}, folder / "run")
    points: list[tuple[int, float]] = []
    save = runner.save

    def measure(path: str, infos: dict | None = None) -> None:
        save(path, infos)
        points.append((runner.alg.iteration, resident_memory()))

    runner.save = measure
    runner.learn(iterations)
    return points


def resident_memory() -> float:
    """Memory that this process has in use [MiB]."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
