# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tables of a suite of ``cohoff benchmark``: each setting on each task, and the settings against the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from cohoff.experiments.benchmark_results import Benchmark, BenchmarkRun, joined_outcomes, read_benchmark
from cohoff.experiments.results import Result
from cohoff.experiments.statistics import (
    interquartile_mean,
    paired_interval,
    paired_outcomes,
    probability_of_improvement,
)

Row = Sequence[str]

THRESHOLD = 0.9
"""Success rate that the steps are counted to."""


def benchmark(suite: Path) -> list[Row]:
    """Every setting on every task: rates as means over seeds, steps, area, and what was lost on the way."""
    rows: list[Row] = [
        [
            *("task", "setting", "seeds", "failed", "base", "step 0", "final", "step 0 against base", "worst - base"),
            *("worst - step 0", f"steps to {THRESHOLD:g}", "area under curve"),
        ]
    ]
    results = read_benchmark(suite)
    for task in results.tasks:
        for setting in results.settings:
            runs, failed = results.select(task, setting), results.failed.count((task, setting))
            cells = _one_setting(runs) if runs else ["-"] * 8
            rows.append([task, setting, str(len(runs)), str(failed), *cells])
    return rows


def comparison(suite: Path) -> list[Row]:
    """Every setting over all tasks, against the first one of the suite.

    Only those tasks and seeds count that all settings have completed, without settings that have completed none.
    """
    rows: list[Row] = [["setting", "runs", "final", "area under curve", "better final", "better area", "finals"]]
    results = read_benchmark(suite)
    groups = _common_runs(results)
    first = groups.get(results.settings[0], {})
    for setting in results.settings:
        group = groups.get(setting, {})
        runs = [run for task in group.values() for run in task]
        cells = [_mean_and_interval(_by_task(group, score)) if runs else "-" for score in (_final, _area)]
        if runs and first and setting != results.settings[0]:
            for score in (_final, _area):
                cells.append(f"{probability_of_improvement(_by_task(group, score), _by_task(first, score)):.2f}")
            cells.append(_against(runs, [run for task in first.values() for run in task]))
        else:
            cells += ["-"] * 3
        rows.append([setting, str(len(runs)), *cells])
    return rows


def _one_setting(runs: Sequence[BenchmarkRun]) -> list[str]:
    """Cells from the base policy on."""
    bases, starts, finals = ([getattr(run, name) for run in runs] for name in ("base", "step0", "final"))
    below_base = min(runs, key=lambda run: run.worst["success"] - run.base["success"])
    below_start = min(run.worst["success"] - run.step0["success"] for run in runs)
    steps = [found for run in runs if (found := run.steps_to(THRESHOLD)) is not None]
    return [
        *(f"{fmean(one['success'] for one in results):.3f}" for results in (bases, starts, finals)),
        _paired(starts, bases),
        _difference(below_base.worst, below_base.base),
        f"{below_start:+.3f}",
        f"{fmean(steps):,.0f}" if len(steps) == len(runs) else "-",
        _mean_and_interval([[run.area for run in runs]]),
    ]


def _common_runs(results: Benchmark) -> dict[str, dict[str, list[BenchmarkRun]]]:
    """By setting and task, the runs whose task and seed all settings have, without settings that have no runs."""
    done = {
        name: {(run.task, run.seed): run for run in results.runs if run.setting == name} for name in results.settings
    }
    done = {setting: runs for setting, runs in done.items() if runs}
    common = set.intersection(*(set(runs) for runs in done.values())) if done else set()
    return {
        setting: {
            task: [run for key, run in runs.items() if key in common and key[0] == task]
            for task in results.tasks
            if any(key[0] == task for key in common)
        }
        for setting, runs in done.items()
    }


def _by_task(group: dict[str, list[BenchmarkRun]], score: Callable[[BenchmarkRun], float]) -> list[list[float]]:
    return [[score(run) for run in runs] for runs in group.values()]


def _final(run: BenchmarkRun) -> float:
    return run.final["success"]


def _area(run: BenchmarkRun) -> float:
    return run.area


def _against(runs: Sequence[BenchmarkRun], others: Sequence[BenchmarkRun]) -> str:
    """Finals of two settings episode by episode; a dash where the task differs, and with it the initial states."""
    if any(run.overrides != other.overrides for run, other in zip(runs, others, strict=True)):
        return "-"
    return _paired([run.final for run in runs], [other.final for other in others])


def _paired(results: Sequence[Result], others: Sequence[Result]) -> str:
    """Episodes won and lost against ``others``, with the p-value of McNemar's test."""
    won, lost, p_value = paired_outcomes(joined_outcomes(results), joined_outcomes(others))
    return f"+{won} -{lost} (p {p_value:.2g})"


def _difference(result: Result, other: Result) -> str:
    """Difference of two success rates with its paired interval."""
    low, high = paired_interval(result["outcomes"], other["outcomes"])
    return f"{result['success'] - other['success']:+.3f} ({low:+.2f} to {high:+.2f})"


def _mean_and_interval(scores: Sequence[Sequence[float]]) -> str:
    """Interquartile mean; the interval only where every task has two seeds."""
    mean, low, high = interquartile_mean(scores)
    return f"{mean:.3f}" if low != low else f"{mean:.3f} ({low:.2f} to {high:.2f})"
