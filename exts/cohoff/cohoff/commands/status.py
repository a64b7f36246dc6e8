# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Show how training runs are doing: steps, success, last checkpoint, and whether they are still running.

Example::

    cohoff status                               # all runs in logs/rsl_rl
    cohoff status logs/rsl_rl/cohoff_square     # those of one experiment
    watch --color cohoff status --running       # again every two seconds

Everything is read from the folders of the runs, also while they are written, by any machine that sees them. Success is
that of the training and of the evaluation environments, ``saved`` the age of the last checkpoint, ``left`` the time to
the planned number of iterations.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cohoff.cli import command_parser
from cohoff.experiments.run_status import RunStatus, find_runs, read_status

UNITS = {"d": 86400, "h": 3600, "min": 60, "s": 1}
COLORS = {"finished": "green", "running": "cyan", "stopped": "red"}


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("status", __doc__)
    parser.add_argument(
        "runs", nargs="*", type=Path, default=[Path("logs/rsl_rl")], help="folders of runs (default: logs/rsl_rl)"
    )
    parser.add_argument("--running", action="store_true", help="leave out runs that are finished or stopped")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Read and print."""
    args = parse_arguments(argv)
    width = None if sys.stdout.isatty() else 120
    runs = [read_status(folder) for folder in find_runs(args.runs)]
    print_runs([run for run in runs if run.state == "running" or not args.running], Console(width=width))


def print_runs(runs: Sequence[RunStatus], console: Console) -> None:
    """Print a row for each run, in a table for each folder of runs."""
    for folder, group in groupby(runs, lambda run: run.folder.absolute().parent):
        title = Text(os.path.relpath(folder), overflow="fold")
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=title, title_justify="left")
        table.add_column("run", overflow="fold", min_width=20)
        table.add_column("state", no_wrap=True)
        for column in ("iteration", "steps", "steps/s", "train", "eval", "saved", "left"):
            table.add_column(column, justify="right", no_wrap=True)
        for run in group:
            table.add_row(
                Text(run.folder.absolute().name),
                f"[{COLORS[run.state]}]{run.state}[/]",
                f"{run.iteration}/{'?' if run.planned is None else run.planned}",
                _number(run.env_steps, "d"),
                _number(run.steps_per_second, ".0f"),
                _number(run.train_success, ".2f"),
                _number(run.eval_success, ".2f"),
                _time(run.saved),
                _time(run.left),
            )
        console.print(table)


def _number(value: float | None, spec: str) -> str:
    return "-" if value is None else format(value, spec)


def _time(seconds: float | None) -> str:
    """The time in its largest unit, ``5 h``."""
    if seconds is None:
        return "-"
    unit, size = next((pair for pair in UNITS.items() if seconds >= 2 * pair[1]), ("s", 1))
    return f"{seconds / size:.0f} {unit}"
