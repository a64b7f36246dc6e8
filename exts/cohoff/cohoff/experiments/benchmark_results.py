# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What ``cohoff benchmark`` leaves: ``<suite>/suite.json`` and ``<suite>/<task>/<setting>/seed_<n>.json``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohoff.errors import InputError
from cohoff.experiments.pipeline_cfg import task_overrides
from cohoff.experiments.results import Result, read_json, short_name
from cohoff.experiments.statistics import area_under_curve, steps_to

SUITE_FILE = "suite.json"
"""Name of the file with the suite that the results belong to."""


@dataclass(frozen=True)
class BenchmarkRun:
    """One completed run of a suite; all its evaluations begin in the same initial states."""

    task: str
    """Name of the task, ``Square`` for ``Cohoff-Square-Franka``."""
    setting: str
    """Name of the setting."""
    seed: int
    """Seed of demonstrations, base policy, training and initial states."""
    overrides: tuple[str, ...]
    """Settings of the task; others mean other initial states and another base policy."""
    base: Result
    """Base policy alone."""
    curve: dict[int, Result]
    """Trained policy by environment steps, ascending; 0 is the policy before training."""

    @property
    def step0(self) -> Result:
        """Policy before training."""
        return self.curve[0]

    @property
    def final(self) -> Result:
        """Policy after training."""
        return next(reversed(self.curve.values()))

    @property
    def worst(self) -> Result:
        """The trained policy's worst evaluation, without that before training."""
        return min((one for steps, one in self.curve.items() if steps > 0), key=lambda one: one["success"])

    @property
    def area(self) -> float:
        """Mean success over training."""
        return area_under_curve(list(self.curve), self.successes)

    @property
    def successes(self) -> list[float]:
        """Success rates of the curve."""
        return [one["success"] for one in self.curve.values()]

    def steps_to(self, threshold: float) -> int | None:
        """Environment steps of the first evaluation with at least ``threshold``; None if there is none."""
        return steps_to(threshold, list(self.curve), self.successes)


@dataclass(frozen=True)
class Benchmark:
    """The results of a suite, complete or not."""

    tasks: list[str]
    """Names of the tasks, in the order of the suite."""
    settings: list[str]
    """Names of the settings, in the order of the suite; the others are compared with the first."""
    runs: list[BenchmarkRun]
    """Completed runs, by task, setting and seed."""
    failed: list[tuple[str, str]]
    """Task and setting of every run that failed."""

    def select(self, task: str, setting: str) -> list[BenchmarkRun]:
        """Completed runs of ``task`` with ``setting``, by seed."""
        return [run for run in self.runs if (run.task, run.setting) == (task, setting)]


def read_benchmark(suite: Path) -> Benchmark:
    """The results in the folder ``suite``; those of tasks and settings that the suite no longer has are left out.

    Raises:
        InputError: There is none, a file cannot be used, or seeds of one setting were run with different recipes.
    """
    definition = read_json(suite / SUITE_FILE)
    tasks, settings = list(definition["tasks"]), list(definition["settings"])
    runs: list[BenchmarkRun] = []
    failed: list[tuple[str, str]] = []
    recipes: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(suite.glob("*/*/seed_*.json")):
        content = read_json(path)
        try:
            task, setting = short_name(content), path.parent.name
            if task not in tasks or setting not in settings:
                continue
            if "failed" in content:
                failed.append((task, setting))
                continue
            runs.append(_completed(content, task, setting))
            recipe = content["settings"] | {"seed": None, "label": None}
        except (KeyError, TypeError) as error:
            raise InputError(f"{str(path)!r} is not a result of `cohoff benchmark`: it lacks {error}") from error
        before = recipes.setdefault((task, setting), recipe)
        if changed := [name for name in recipe if recipe[name] != before.get(name)]:
            raise InputError(
                f"{str(path)!r} has another {', '.join(changed)} than the seeds before; delete the older files and run "
                "`cohoff benchmark` again"
            )
    if not runs and not failed:
        raise InputError(f"no results <task>/<setting>/seed_<n>.json in {str(suite)!r}; `cohoff benchmark` writes them")
    runs.sort(key=lambda run: (tasks.index(run.task), settings.index(run.setting), run.seed))
    return Benchmark(tasks, settings, runs, failed)


def joined_outcomes(results: Iterable[Result]) -> str:
    """Outcomes of the episodes of several results, one after the other."""
    return "".join(result["outcomes"] for result in results)


def _completed(content: Any, task: str, setting: str) -> BenchmarkRun:
    settings = content["settings"]
    curve = {point["env_steps"]: point for point in content[settings["agent"]]["curve"]}
    return BenchmarkRun(task, setting, settings["seed"], task_overrides(settings["overrides"]), content["base"], curve)
