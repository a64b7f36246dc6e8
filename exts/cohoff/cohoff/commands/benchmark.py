# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run a suite of scripts/benchmarks: every task with every setting and every seed, one small file for each run.

Example::

    cohoff benchmark never_below                   # one run at a time on every core
    cohoff benchmark never_below --workers 1       # on one core; start more of them anywhere on the same folder

A suite with ``methods`` also learns from recorded data alone: each method on each kind of data.

A run whose file is in results/<suite>/ is not made again, so that a suite can be interrupted, and go on with another
machine. What a run was interrupted in is in outputs/benchmarks/; finished stages are kept. A run that fails is written
down as such and tried again with --retry.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from cohoff.algorithms.offline.methods import METHODS
from cohoff.cli import at_least, command_parser
from cohoff.errors import InputError
from cohoff.experiments.agent_kinds import agent_kind
from cohoff.experiments.benchmark_results import SUITE_FILE
from cohoff.experiments.offline import OfflinePipeline
from cohoff.experiments.pipeline import Pipeline, prepare_output
from cohoff.experiments.pipeline_cfg import PipelineCfg
from cohoff.experiments.results import read_json
from cohoff.experiments.suite import PlannedRun, planned_runs, read_suite
from cohoff.experiments.workflow import StageFailed, Workflow
from cohoff.files import write_json
from cohoff.isaac.launch import agent_settings, load_entry_point
from cohoff.provenance import versions

SUITES = Path("scripts/benchmarks")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("benchmark", __doc__)
    parser.add_argument("suite", help="name of a file in scripts/benchmarks, or a path to another .yaml")
    parser.add_argument("--workers", type=at_least(1), help="runs at a time, one on each core (default: all cores)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results (default: results)")
    parser.add_argument("--outputs", type=Path, default=Path("outputs/benchmarks"), help="folder for everything else")
    parser.add_argument("--retry", action="store_true", help="try runs again that failed")
    parser.add_argument("--list", action="store_true", help="show what is there and what is missing, and end")
    args = parser.parse_args(argv)
    args.suite = Path(args.suite) if args.suite.endswith(".yaml") else SUITES / f"{args.suite}.yaml"
    if not args.suite.is_file():
        known = ", ".join(sorted(path.stem for path in SUITES.glob("*.yaml")))
        raise InputError(f"no suite at {str(args.suite)!r}; in {SUITES}: {known or 'none'}")
    return args


def main(argv: Sequence[str]) -> int:
    """Run what is missing."""
    args = parse_arguments(argv)
    suite, name = read_suite(args.suite), args.suite.stem
    if unknown := set(suite.methods) - set(METHODS):
        raise InputError(f"unknown methods {', '.join(sorted(unknown))}; available: {', '.join(METHODS)}")
    runs = list(planned_runs(suite, name, args.results, args.outputs, recipe_of))
    if args.list:
        for run in runs:
            print(f"{state_of(run):8} {run.result}")
        return 0
    write_json(args.results / name / SUITE_FILE, asdict(suite))
    cores = sorted(os.sched_getaffinity(0))
    workers = args.workers or len(cores)
    if workers > 1:
        return _start_workers(argv, cores[:workers])
    return work(runs, args.retry, Console())


def recipe_of(task: str) -> Any:
    """The recipe that a task registers."""
    return load_entry_point(task, "recipe_entry_point")


def state_of(run: PlannedRun) -> str:
    """``done``, ``failed``, ``missing``; ``other`` for a result of other settings, which is left alone."""
    if not run.result.is_file():
        return "missing"
    content = read_json(run.result)
    if content["recipe_hash"] != run.recipe_hash:
        return "other"
    return "failed" if "failed" in content else "done"


def work(runs: Sequence[PlannedRun], retry: bool, console: Console) -> int:
    """Make one run after the other that no other worker makes; return the number of failed ones."""
    wanted = ("missing", "failed") if retry else ("missing",)
    failed = 0
    for run in runs:
        if state_of(run) not in wanted:
            continue
        with _claim(run) as is_mine:
            if not is_mine or state_of(run) not in wanted:
                continue
            console.print(f"== {run.result}", highlight=False, markup=False)
            result = make(run, console)
            write_json(run.result, result | {"recipe_hash": run.recipe_hash, "versions": versions()})
            failed += "failed" in result
    return failed


def make(run: PlannedRun, console: Console) -> dict[str, Any]:
    """Make one run; return its summary, or ``failed`` with the reason."""
    try:
        agent = agent_kind(agent_settings(run.cfg.task, run.cfg.agent))
        with _alone(run.data), _workflow(run.data_cfg, run.data, console) as flow:
            base = Pipeline(run.data_cfg, agent, run.data, flow)
            base.make_base()
            base.measure_base()
        with _workflow(run.cfg, run.work, console) as flow:
            if run.offline is not None:
                pipeline = OfflinePipeline(run.offline, run.cfg, agent, run.work, flow, run.data)
                with _alone(pipeline.recorded):
                    pipeline.record()
                return pipeline.run()
            return Pipeline(run.cfg, agent, run.work, flow, base_from=run.data, with_pictures=False).run()
    except StageFailed as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return {"task": run.cfg.task, "failed": str(error).splitlines()[0]}


def _workflow(cfg: PipelineCfg, folder: Path, console: Console) -> Workflow:
    """A workflow on one core that goes on with what an interrupted one with the same settings left in ``folder``."""
    resume = True
    try:
        prepare_output(cfg, folder, resume)
    except InputError:
        resume = False
        prepare_output(cfg, folder, resume)
    return Workflow(folder, console, num_lanes=1, resume=resume)


@contextmanager
def _claim(run: PlannedRun) -> Iterator[bool]:
    """Whether this process alone may make ``run`` while the context lasts."""
    with _locked(run.work.parent / f"{run.work.name}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB) as locked:
        yield locked


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process fills ``folder``."""
    with _locked(folder.parent / f"{folder.name}.lock", fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(path: Path, operation: int) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, operation)
        except BlockingIOError:
            yield False
        else:
            yield True


def _start_workers(argv: Sequence[str], cores: Sequence[int]) -> int:
    """One worker on each core; their number of failed runs."""
    processes = []
    for core in cores:
        command = ["taskset", "-c", str(core), sys.executable, "-m", "cohoff", "benchmark", *argv, "--workers", "1"]
        processes.append(subprocess.Popen(command))
    try:
        return sum(process.wait() for process in processes)
    except BaseException:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()
        raise
