# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Made-up results of ``cohoff evaluate`` and ``cohoff benchmark``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cohoff.experiments.intervals import wilson_interval
from cohoff.experiments.results import run_folder
from cohoff.files import write_json


def make_result(
    successes: int, episodes: int, env_steps: int | None = None, task: str = "Cohoff-Square-Franka"
) -> dict[str, Any]:
    """Result of a policy that was trained for ``env_steps``, or not trained online."""
    low, high = wilson_interval(successes, episodes)
    return {
        "task": task,
        "success": successes / episodes,
        "low": low,
        "high": high,
        "episodes": episodes,
        "successes": successes,
        "lengths": {"success": {"mean": 104.6}},
        "training": None if env_steps is None else {"env_steps": env_steps},
        "git_revision": "0123",
        "command": "cohoff evaluate",
    }


def make_rate(outcomes: str) -> dict[str, Any]:
    """What a summary keeps of an evaluation with these outcomes."""
    successes, episodes = outcomes.count("1"), len(outcomes)
    low, high = wilson_interval(successes, episodes)
    return {
        "success": successes / episodes,
        "low": low,
        "high": high,
        "episodes": episodes,
        "outcomes": outcomes,
    }


def make_summary(
    task: str, seed: int, base: str, curve: Mapping[int, str], overrides: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Result of a benchmark's run, from the outcomes of its base policy and of its policy by environment steps."""
    points = [{"env_steps": steps, **make_rate(outcomes)} for steps, outcomes in curve.items()]
    return {
        "task": f"Cohoff-{task}-Franka",
        "base": make_rate(base),
        "csil": {"curve": points},
        "settings": {"agent": "csil", "seed": seed, "overrides": list(overrides)},
    }


def write_benchmark(suite: Path) -> None:
    """Two tasks, two settings and two seeds of ten episodes; one run of NutAssembly failed."""
    write_json(suite / "suite.json", {"tasks": {"Square": {}, "NutAssembly": {}}, "settings": {"csil": {}, "bc": {}}})
    curves: dict[tuple[str, str], list[Mapping[int, str]]] = {
        ("Square", "csil"): [
            {0: "1111100000", 1000: "1111100001", 2000: "1111111110"},
            {0: "1111110000", 1000: "1111111110", 2000: "1111111111"},
        ],
        ("Square", "bc"): [
            {0: "1111100000", 1000: "1110000000", 2000: "1111111100"},
            {0: "1111110000", 1000: "1111110000", 2000: "1111111100"},
        ],
        ("NutAssembly", "csil"): [{0: "1000000000", 1000: "1100000000", 2000: "1110000000"}],
        ("NutAssembly", "bc"): [{0: "1000000000", 1000: "1100000000", 2000: "1110000000"}] * 2,
    }
    bases = {"Square": ["0111100000", "1111100000"], "NutAssembly": ["1000000000", "1000000000"]}
    for (task, setting), runs in curves.items():
        for seed, curve in enumerate(runs):
            path = run_folder(suite, f"Cohoff-{task}-Franka", setting, seed).with_suffix(".json")
            write_json(path, make_summary(task, seed, bases[task][seed], curve))
    write_json(
        suite / "nut_assembly/csil/seed_1.json", {"task": "Cohoff-NutAssembly-Franka", "failed": "CSIL++: status 1"}
    )
