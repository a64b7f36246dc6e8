# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Learning curves from the results of ``cohoff evaluate`` or ``cohoff benchmark``: success over environment steps.

Example, two methods with three seeds each::

    cohoff plot --base outputs/s0/base.json --output curves.png \\
        --curve "CSIL++" outputs/s0 outputs/s1 outputs/s2 --curve "sparse reward" outputs/p0 outputs/p1 outputs/p2

A run is a folder: its results <algorithm>_*.json are the points, each with its 95% interval; <algorithm>_step0 is the
point at 0. Several runs are drawn thin, with their mean and their range.

Example, a suite of benchmarks, one panel for each task and one color for each setting::

    cohoff plot --suite results/never_below --output never_below.png
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from cohoff.cli import command_parser
from cohoff.errors import InputError
from cohoff.experiments.benchmark_results import read_benchmark
from cohoff.experiments.results import Result, read_result, read_run
from cohoff.files import atomic_path

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Okabe and Ito: distinguishable with every kind of color vision.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GRAY = "#555555"

STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRAY,
    "axes.grid": True,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Curve:
    """Success of one run over its training."""

    env_steps: np.ndarray
    """Environment steps, ascending, shape [P]."""
    success: np.ndarray
    """Success rates, shape [P]."""
    interval: np.ndarray
    """Lower and upper ends of the 95% intervals, shape [2, P]."""


def read_curve(folder: str) -> Curve:
    """The results of the run in ``folder``."""
    return _curve(read_run(Path(folder)).curve)


def _curve(results: Mapping[int, Result]) -> Curve:
    success, low, high = (np.array([one[key] for one in results.values()]) for key in ("success", "low", "high"))
    return Curve(np.array(list(results)), success, np.stack((low, high)))


def draw_line(axes: Axes, result: Result, label: str, style: str) -> None:
    """A result without training as a horizontal line, its interval as a band."""
    axes.axhspan(result["low"], result["high"], color=GRAY, alpha=0.12, lw=0)
    axes.axhline(result["success"], color=GRAY, ls=style, lw=1.6, label=f"{label} {result['success']:.2f}")


def draw_curves(axes: Axes, curves: list[Curve], label: str, color: str) -> None:
    """One run with intervals, or several with their mean and range."""
    if len(curves) == 1:
        curve = curves[0]
        error = np.abs(curve.interval - curve.success)
        axes.errorbar(
            curve.env_steps, curve.success, error, color=color, lw=2, marker="o", ms=5, capsize=3, elinewidth=1
        )
        axes.plot([], [], color=color, lw=2, marker="o", ms=5, label=f"{label} {curve.success[-1]:.2f}")
        return
    for curve in curves:
        axes.plot(curve.env_steps, curve.success, color=color, lw=0.8, alpha=0.6)
    # Runs that were evaluated at other steps are read off their lines, as far as all of them reach.
    end = min(curve.env_steps[-1] for curve in curves)
    steps = np.unique(np.concatenate([curve.env_steps for curve in curves]))
    steps = steps[steps <= end]
    success = np.stack([np.interp(steps, curve.env_steps, curve.success) for curve in curves])
    axes.fill_between(steps, success.min(0), success.max(0), color=color, alpha=0.15, lw=0)
    mean = success.mean(0)
    axes.plot(steps, mean, color=color, lw=2.2, marker="o", ms=4, label=f"{label} {mean[-1]:.2f} ({len(curves)} seeds)")


def draw_comparison(args: argparse.Namespace) -> Figure:
    """One panel with all of ``--curve``."""
    curves = {label: [read_curve(folder) for folder in folders] for label, *folders in args.curve}
    figure, axes = plt.subplots(figsize=(7.2, 4.4), layout="constrained")
    for path, label, style in ((args.base, "base policy", "--"), (args.bc, "clone alone", ":")):
        if path is not None:
            draw_line(axes, read_result(Path(path)), label, style)
    for (label, runs), color in zip(curves.items(), COLORS * 2, strict=False):
        draw_curves(axes, runs, label, color)
    axes.set(xlabel="environment steps", ylabel="success rate", title=args.title)
    finish(axes)
    axes.legend(loc="lower right")
    return figure


def draw_suite(suite: Path, title: str) -> Figure:
    """One panel for each task of a suite, one color for each setting."""
    results = read_benchmark(suite)
    tasks = [task for task in results.tasks if any(run.task == task for run in results.runs)]
    if not tasks:
        raise InputError(f"no run in {str(suite)!r} has completed; see `cohoff table`")
    rows = math.ceil(len(tasks) / 3)
    columns = math.ceil(len(tasks) / rows)
    size = (4.2 * columns, 3.4 * rows) if len(tasks) > 1 else (7.2, 4.4)
    figure, grid = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False, layout="constrained")
    colors = dict(zip(results.settings, COLORS * len(results.settings), strict=False))
    for axes, task in zip(grid.flat, tasks, strict=False):
        bases: dict[tuple[str, ...], dict[int, float]] = {}  # by what changes the task, then by seed
        for setting, color in colors.items():
            runs = results.select(task, setting)
            for run in runs:
                bases.setdefault(run.overrides, {})[run.seed] = run.base["success"]
            if runs:
                draw_curves(axes, [_curve(run.curve) for run in runs], setting, color)
        for rates in bases.values():
            axes.axhline(np.mean(list(rates.values())), color=GRAY, ls="--", lw=1.6)
        axes.set(xlabel="environment steps", title=task)
        finish(axes)
    for axes in grid[:, 0]:
        axes.set_ylabel("success rate")
    for axes in grid.flat[len(tasks) :]:
        axes.set_visible(False)
    # Below the panels: inside, it would hide the curves of hard tasks, which begin at the bottom.
    lines = [Line2D([], [], color=color, lw=2.2, marker="o", ms=4, label=name) for name, color in colors.items()]
    lines.append(Line2D([], [], color=GRAY, ls="--", lw=1.6, label="base policy"))
    figure.legend(handles=lines, loc="outside lower center", ncols=4)
    figure.suptitle(title)
    return figure


def finish(axes: Axes) -> None:
    """Limits and ticks."""
    axes.set_ylim(0.0, 1.02)
    axes.margins(x=0.02)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:.0f}k" if value else "0")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("plot", __doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--curve", nargs="+", action="append", metavar=("LABEL", "RUN"), help="runs of a method")
    what.add_argument("--suite", type=Path, help="folder of a suite in the results of benchmark")
    parser.add_argument("--base", help="result of the base policy")
    parser.add_argument("--bc", help="result of the cloned policy")
    parser.add_argument("--title", default="")
    parser.add_argument("--output", required=True, help="image to write: .png, .svg, .pdf")
    args = parser.parse_args(argv)
    if any(len(curve) < 2 for curve in args.curve or ()):
        raise InputError("--curve takes a label and the folders of one or more runs")
    if args.suite is not None and (args.base or args.bc):
        raise InputError("--base and --bc belong to --curve; a suite has its own base policies")
    if Path(args.output).suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"cannot draw {args.output!r}; give a name that ends in .png, .svg or .pdf")
    return args


def main(argv: Sequence[str]) -> None:
    """Read, draw, write."""
    args = parse_arguments(argv)
    with mpl.rc_context(STYLE):
        figure = draw_suite(args.suite, args.title) if args.suite is not None else draw_comparison(args)
        with atomic_path(args.output) as temporary:
            figure.savefig(temporary, dpi=160)
