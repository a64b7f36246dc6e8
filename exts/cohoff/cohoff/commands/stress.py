# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Try to break training: kill it, feed it malformed files and values that are not finite, and watch its memory.

A small learner on a point mass stands for the tasks: no simulator is started. The exit status is 1 if anything was
lost, accepted that should not be, or not contained.

Example::

    cohoff stress --quick
    cohoff stress --json results/reliability/stress.json
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cohoff.cli import add_json, add_seed, at_least, command_parser, show_progress
from cohoff.errors import InputError
from cohoff.files import check_target, write_json
from cohoff.provenance import provenance
from cohoff.stress.kills import compare, run_kills, start
from cohoff.stress.long_run import run_long
from cohoff.stress.malformed import run_malformed
from cohoff.stress.non_finite import VALUES, run_non_finite

RUN_LENGTH = 12
"""Iterations of a run that is killed."""

GROWTH_AT_MOST = 0.05
"""Share by which memory may grow between a tenth of a long run and its end."""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("stress", __doc__)
    parser.add_argument("--kills", type=at_least(1), default=36, help="(default: %(default)s)")
    parser.add_argument(
        "--iterations", type=at_least(20), default=17_000, help="of the long run; the default is 10 hours of the demo's"
    )
    parser.add_argument("--quick", action="store_true", help="3 kills, NaN alone, and 100 iterations")
    add_seed(parser, "the moments of the kills")
    add_json(parser)
    args = parser.parse_args(argv)
    if args.quick:
        args.kills, args.iterations = 3, 100
    if args.json is not None:
        check_target(args.json)
    return args


def main(argv: Sequence[str]) -> int:
    """Run all sections; return the exit status."""
    args = parse_arguments(argv)
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "kills": measure_kills(Path(folder, "kills"), args.kills, args.seed),
            "malformed": measure_malformed(Path(folder, "malformed")),
            "non_finite": measure_non_finite(Path(folder, "non_finite"), ["NaN"] if args.quick else list(VALUES)),
            "memory": measure_memory(Path(folder, "memory"), args.iterations),
        }
    if args.json is not None:
        write_json(args.json, {**result, **provenance()})
    show(result)
    return int(not all(section["passed"] for section in result.values()))


def measure_kills(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Kill runs and compare those that finished nevertheless with one that was left alone."""
    if start(folder, "reference", None, RUN_LENGTH).wait(timeout=600) != 0:
        raise InputError(f"a run that is left alone fails: {(folder / 'reference.log').read_text(encoding='utf-8')}")
    found = []
    with show_progress("kills", kills, "kills") as advance:
        for kill in run_kills(folder, kills, RUN_LENGTH, seed):
            found.append(kill)
            advance(len(found), kill.how)
    finished = [compare(folder / "reference", run) for run in sorted(folder.glob("finished_*"))]
    equal = {title: all(run[title] for run in finished) for title in finished[0]}
    # A checkpoint is written after the line of progress, so that one iteration may have to be repeated.
    repeated = [kill.iteration - kill.resumed_at for kill in found]
    lost = sum(number > 1 for number in repeated)
    return {
        "tried": dict(Counter(kill.how for kill in found)),
        "lost": lost,
        "torn_checkpoints": sum(kill.torn for kill in found),
        "iterations_repeated_at_most": max(repeated),
        "runs_finished": len(finished),
        "equal_to_a_run_left_alone": equal,
        "passed": not lost and all(equal.values()) and not any(kill.torn for kill in found),
    }


def measure_malformed(folder: Path) -> dict[str, Any]:
    """Read all malformed files."""
    outcomes = []
    with quiet():
        outcomes.extend(run_malformed(folder))
    by_kind: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        counts = by_kind.setdefault(outcome.kind, {})
        counts[outcome.result] = counts.get(outcome.result, 0) + 1
    faults = [asdict(outcome) for outcome in outcomes if outcome.is_fault]
    return {"tried": len(outcomes), "outcomes": by_kind, "faults": faults, "passed": not faults}


def measure_non_finite(folder: Path, values: list[str]) -> dict[str, Any]:
    """Put values that are not finite into runs."""
    with quiet():
        injections = list(run_non_finite(folder, values))
    missed = [asdict(one) for one in injections if not (one.contained and one.counted)]
    places = list(dict.fromkeys(one.place for one in injections))
    return {"tried": len(injections), "places": places, "missed": missed, "passed": not missed}


def measure_memory(folder: Path, iterations: int) -> dict[str, Any]:
    """Train for long."""
    with quiet():
        points = run_long(folder, iterations)
    early = next(memory for iteration, memory in points if iteration >= iterations / 10)
    growth = points[-1][1] / early - 1.0
    return {
        "iterations": iterations,
        "points": [[iteration, round(memory, 1)] for iteration, memory in points],
        "growth": growth,
        "passed": growth <= GROWTH_AT_MOST,
    }


@contextlib.contextmanager
def quiet() -> Any:
    """Keep what a run prints to itself."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def show(result: dict[str, Any]) -> None:
    """Print a table."""
    kills, memory = result["kills"], result["memory"]
    table = Table("tried", "", "outcome")
    for how, number in kills["tried"].items():
        table.add_row(f"kills: {how}", str(number), "")
    table.add_row("", "", f"{kills['lost']} lost, {kills['torn_checkpoints']} checkpoints torn")
    for title, equal in kills["equal_to_a_run_left_alone"].items():
        table.add_row(f"resumed exactly: {title}", str(kills["runs_finished"]), "yes" if equal else "no")
    for kind, counts in result["malformed"]["outcomes"].items():
        row = ", ".join(f"{name} {number}" for name, number in counts.items())
        table.add_row(f"malformed: {kind}", str(sum(counts.values())), row)
    missed = len(result["non_finite"]["missed"])
    table.add_row("values not finite", str(result["non_finite"]["tried"]), f"{missed} not contained")
    table.add_row("iterations in one process", f"{memory['iterations']:,}", f"memory {memory['growth']:+.1%}")
    Console().print(table)
