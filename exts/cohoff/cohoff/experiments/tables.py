# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Markdown tables of results, and the places in pages where they stand.

A page says where a table goes and what it shows, ``<!-- table: KIND FOLDER -->`` up to ``<!-- end -->``; the folder is
one of the results, for example ``<!-- table: run demo/square/csil/seed_0 -->``. Kinds are the keys of :data:`KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from cohoff.errors import InputError
from cohoff.experiments import benchmark_tables, offline_table
from cohoff.experiments.results import Result, Run, read_json, read_result, read_run, read_runs, short_name

Row = Sequence[str]

AGENTS = ("expert", "random")
"""Who acts in ``cohoff benchmark_env``."""


def fill(text: str, kind: str, build: Callable[[str], Sequence[str]]) -> str:
    """``text`` with the lines between each ``<!-- kind: NAME -->`` and ``<!-- end -->`` replaced by ``build(NAME)``.

    Raises:
        InputError: A block has no end.
    """
    opening = rf"^<!-- {kind}: "
    block = re.compile(rf"({opening}([^\n]+?) -->\n)(?:(?!{opening}).)*?^(<!-- end -->)", re.DOTALL | re.MULTILINE)
    filled, count = block.subn(lambda found: "\n".join([found[1], *build(found[2]), "", found[3]]), text)
    if count != len(re.findall(opening, text, re.MULTILINE)):
        raise InputError(f"a block '<!-- {kind}: ... -->' has no '<!-- end -->'")
    return filled


def build_table(name: str, results: Path) -> list[str]:
    """Lines of the table ``name``, a kind and a folder in ``results``.

    Raises:
        InputError: There is no such kind, or the folder lacks results.
    """
    kind, _, folder = name.partition(" ")
    if kind not in KINDS:
        raise InputError(f"unknown table {name!r}; kinds: {', '.join(KINDS)}")
    header, *rows = KINDS[kind](results / folder)
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]


def overview(suite: Path) -> list[Row]:
    """One run per task: what it starts from and what it ends with."""
    rows: list[Row] = [["task", "demonstrations", "base policy", "clone alone", "before training", "after training"]]
    for run in read_runs(suite):
        points = list(run.curve.values())
        demonstrations = read_json(run.folder / "summary.json")["settings"]["num_demonstrations"]
        rates = [rate(result) for result in (run.base, run.bc, points[0], points[-1])]
        rows.append([short_name(points[0]), str(demonstrations), *rates])
    return rows


def one_run(folder: Path) -> list[Row]:
    """Base policy, clone, and the trained policy over environment steps."""
    run = read_run(folder)
    rows: list[Row] = [["policy", "environment steps", "success (95% interval)", "episodes"]]
    start = [("base policy", run.base), ("clone alone", run.bc)]
    rows += [[title, "0", rate(one), str(one["episodes"])] for title, one in start if one is not None]
    rows += [[run.algorithm, f"{steps:,}", rate(one), str(one["episodes"])] for steps, one in run.curve.items()]
    return rows


def seeds(folder: Path) -> list[Row]:
    """All algorithms and seeds of one task over environment steps, with the mean over the seeds of an algorithm."""
    runs = read_runs(folder)
    columns = sorted({steps for run in runs for steps in run.curve})
    rows: list[Row] = [["algorithm", "seed", *(f"{steps:,} steps" for steps in columns)]]
    for algorithm in dict.fromkeys(run.algorithm for run in runs):
        group = [run for run in runs if run.algorithm == algorithm]
        rows += [[algorithm, str(run.seed), *_curve_cells(run, columns)] for run in group]
        if len(group) > 1:
            rows.append([algorithm, "mean", *(_mean(group, steps) for steps in columns)])
    return rows


def experts(suite: Path) -> list[Row]:
    """The scripted expert of each task, and its demonstrations when they are replayed open loop."""
    rows: list[Row] = [["task", "expert, D0", "expert, D1", "replayed", "episodes of these", "control steps"]]
    for folder in _tasks(suite):
        found = [read_result(folder / "expert/seed_0" / f"{name}.json") for name in ("expert", "expert_d1", "replay")]
        episodes = ", ".join(str(one["episodes"]) for one in found)
        steps = f"{found[0]['lengths']['success']['mean']:.0f}"
        rows.append([short_name(found[0]), *(rate(one) for one in found), episodes, steps])
    return rows


def simulation(suite: Path) -> list[Row]:
    """Speed of each task's simulation, and the fullest that the buffers of one environment got."""
    rows: list[Row] = []
    for folder in _tasks(suite):
        result = read_json(folder / "environment.json")
        runs = result["runs"]
        if not rows:
            rows = [["task", *(f"steps/s, {run['num_envs']}" for run in runs), "contacts", "constraints"]]
        used = [
            f"{max(run[agent][kind] for run in runs for agent in AGENTS)} of {runs[0][f'{kind}_available']}"
            for kind in ("contacts", "constraints")
        ]
        speeds = (f"{run['expert']['env_steps_per_second']:.0f}" for run in runs)
        rows.append([short_name(result), *speeds, *used])
    return rows


def speeds(folder: Path) -> list[Row]:
    """What each agent adds to a control step of a task, and what an update costs."""
    result = read_json(folder / "loop.json")
    rows: list[Row] = [["agent", "loop beside a step", "update", "updates/s"]]
    for agent in result["agents"]:
        times = (f"{agent[name]:.1f} ms" for name in ("loop_ms", "update_ms"))
        rows.append([agent["agent"], *times, f"{agent['updates_per_second']:.0f}"])
    return rows


def scaling(suite: Path) -> list[Row]:
    """Each number of processes, as computed from times of one."""
    rows: list[Row] = [["times", "critics", "processes", "averaging an update", "iteration", "steps/s", "efficiency"]]
    for path in sorted(suite.glob("*.json")):
        content = read_json(path)
        for row in content["rows"]:
            rows.append([
                path.stem.removesuffix(f"_{content['critic']}"), content["critic"], str(row["processes"]),
                f"{row['averaging_ms']:.3f} ms", f"{row['iteration_ms']:,.0f} ms",
                f"{row['env_steps_per_second']:,.0f}", f"{row['efficiency']:.3f}",
            ])  # fmt: skip
    return rows


KINDS: dict[str, Callable[[Path], list[Row]]] = {
    "overview": overview,
    "run": one_run,
    "seeds": seeds,
    "experts": experts,
    "simulation": simulation,
    "speeds": speeds,
    "benchmark": benchmark_tables.benchmark,
    "comparison": benchmark_tables.comparison,
    "scaling": scaling,
    "offline": offline_table.offline,
    "oracle": offline_table.oracle,
}
"""Function of each kind of table: from its folder to the header and the rows."""


def rate(result: Result | None) -> str:
    """Success with its 95% interval; a dash for what was not measured."""
    return f"{result['success']:.3f} ({result['low']:.2f} to {result['high']:.2f})" if result else "-"


def _curve_cells(run: Run, columns: Sequence[int]) -> list[str]:
    """Success at each of ``columns``, with the interval at both ends."""
    cells = [f"{run.curve[steps]['success']:.3f}" if steps in run.curve else "-" for steps in columns]
    cells[0], cells[-1] = rate(run.curve.get(columns[0])), rate(run.curve.get(columns[-1]))
    return cells


def _mean(runs: Sequence[Run], steps: int) -> str:
    """Mean success after ``steps``; a dash unless all runs were evaluated there."""
    if not all(steps in run.curve for run in runs):
        return "-"
    return f"{fmean(run.curve[steps]['success'] for run in runs):.3f}"


def _tasks(suite: Path) -> list[Path]:
    """The folders of the tasks in ``suite``."""
    folders = sorted(path for path in suite.glob("*") if path.is_dir())
    if not folders:
        raise InputError(f"no tasks in {str(suite)!r}")
    return folders
