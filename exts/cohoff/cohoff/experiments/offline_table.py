# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tables of offline learning: every method of a suite on every kind of data, and the comparison with d3rlpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from cohoff.experiments.benchmark_results import SUITE_FILE, Benchmark, joined_outcomes, read_benchmark
from cohoff.experiments.results import read_json, task_folder
from cohoff.experiments.statistics import paired_outcomes

CLONING = "bc"
"""Method that the others are held against."""


def offline(suite: Path) -> list[Sequence[str]]:
    """A row for every task and method, those of the base and of the online agents above them; a column for each data.

    Cells have the success, mean over seeds, and the episodes that only this method or only cloning the same data won.
    """
    definition = read_json(suite / SUITE_FILE)
    kinds, methods = definition["data"], definition["methods"]
    rows: list[Sequence[str]] = [["task", "method", "seeds", *kinds, "minutes of training"]]
    has_online = any(suite.glob("*/*/seed_*.json"))
    online = read_benchmark(suite) if has_online else Benchmark([], [], [], [])
    for task in definition["tasks"]:
        found = {(kind, name): _read(suite / task_folder(task) / kind / name) for kind in kinds for name in methods}
        bases = {seed: run["base"] for runs in found.values() for seed, run in runs.items()}
        finals = {name: [run.final for run in online.select(task, name)] for name in online.settings}
        for name, results in {
            "base": list(bases.values()),
            **{f"{key}, online": one for key, one in finals.items()},
        }.items():
            if results:
                rate = f"{fmean(result['success'] for result in results):.3f}"
                rows.append([task, name, str(len(results)), *[rate] * len(kinds), "-"])
        for name in methods:
            runs = [found[kind, name] for kind in kinds]
            if not any(runs):
                continue
            cells = [_cell(one, found.get((kind, CLONING), {})) for kind, one in zip(kinds, runs, strict=True)]
            minutes = fmean(run["seconds"]["train"] for one in runs for run in one.values()) / 60
            rows.append([task, name, str(max(map(len, runs))), *cells, f"{minutes:.1f}"])
    return rows


def oracle(suite: Path) -> list[Sequence[str]]:
    """Methods of d3rlpy and ours that is held against each: success of every seed, and whether ours is in the interval.

    The interval is the 95% t-interval of d3rlpy's mean over seeds.
    """
    rows: list[Sequence[str]] = [["d3rlpy", "success", "interval of the mean", "ours", "success", "mean within"]]
    for name, found in read_json(suite / "oracle.json")["methods"].items():
        theirs, ours = (", ".join(f"{rate:.3f}" for rate in found[side]) for side in ("d3rlpy", "ours"))
        low, high = found["interval"]
        rows.append(
            [name, theirs, f"{low:.2f} to {high:.2f}", found["method"], ours, "yes" if found["within"] else "no"]
        )
    return rows


def _read(folder: Path) -> dict[int, Any]:
    """Completed runs by seed."""
    runs = [read_json(path) for path in sorted(folder.glob("seed_*.json"))]
    return {run["seed"]: run for run in runs if "failed" not in run}


def _cell(runs: dict[int, Any], cloning: dict[int, Any]) -> str:
    if not runs:
        return "-"
    success = f"{fmean(run['final']['success'] for run in runs.values()):.3f}"
    if not runs.keys() <= cloning.keys() or runs is cloning:
        return success
    won, lost, _ = paired_outcomes(*(joined_outcomes(one[seed]["final"] for seed in runs) for one in (runs, cloning)))
    return f"{success} (+{won} -{lost})"
