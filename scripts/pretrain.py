# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Train the base policy of a task on demonstrations.

Example::

    python scripts/pretrain.py --task Cohoff-Square-Franka --demos outputs/demos.hdf5 --output outputs/base.safetensors
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cohoff.cli import ArgumentParser, run
from cohoff.data.demonstrations import load_demonstrations
from cohoff.errors import InputError
from cohoff.files import check_target
from cohoff.isaac.launch import check_device, check_task
from cohoff.policies.flow.policy import FlowPolicySpec
from cohoff.policies.flow.training import FlowTrainingCfg, FlowTrainingReport, train_flow
from cohoff.provenance import command_line, git_revision, versions


def parse_arguments() -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    defaults = FlowTrainingCfg()
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="task id, the one that was demonstrated")
    parser.add_argument("--demos", required=True, help="file written by scripts/collect_demos.py")
    parser.add_argument("--output", required=True, help="file for the policy, conventionally .safetensors")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--steps", type=int, default=defaults.steps, help="optimiser steps")
    parser.add_argument("--num_demos", type=int, help="use the first so many demonstrations; all by default")
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    args = parser.parse_args()
    if args.seed < 0:
        raise InputError(f"--seed is {args.seed}; give 0 or more")
    check_task(args.task)
    args.device = check_device(args.device)
    check_target(args.output)
    return args


def describe(report: FlowTrainingReport) -> str:
    """The losses in words."""
    holdout = "-" if report.holdout_loss is None else f"{report.holdout_loss:.4f}"
    return f"loss {report.loss:.4f}, held out {holdout}"


@contextmanager
def show_progress(console: Console, steps: int) -> Iterator[Callable[[FlowTrainingReport], None]]:
    """A progress bar on a terminal, a line for each tenth of the steps elsewhere."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps, {task.fields[losses]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        row = bar.add_task("", total=steps, losses="")
        tenths = 0

        def update(report: FlowTrainingReport) -> None:
            nonlocal tenths
            losses = describe(report)
            bar.update(row, completed=report.step, losses=losses)
            if not console.is_terminal and 10 * report.step // steps > tenths:
                tenths = 10 * report.step // steps
                console.print(f"{report.step}/{steps} steps, {losses}", highlight=False)

        yield update


def main() -> None:
    """Train and save."""
    args = parse_arguments()
    console = Console()
    cfg = FlowTrainingCfg(seed=args.seed, steps=args.steps)
    demos = load_demonstrations(args.demos, task=args.task, device=args.device, limit=args.num_demos)
    spec = FlowPolicySpec(obs_dim=demos.obs.shape[1], action_dim=demos.actions.shape[1])
    reports: list[FlowTrainingReport] = []
    start = time.perf_counter()
    with show_progress(console, cfg.steps) as update:

        def record(report: FlowTrainingReport) -> None:
            reports.append(report)
            update(report)

        policy = train_flow(demos, spec, cfg, record)
    seconds = time.perf_counter() - start
    extra: dict[str, Any] = {
        "demos": Path(args.demos).name,
        "num_demos": demos.num_episodes,
        "seed": cfg.seed,
        "steps": cfg.steps,
        "training": asdict(cfg),
        "loss": reports[-1].loss,
        "holdout_loss": reports[-1].holdout_loss,
        "seconds": round(seconds, 3),
        "git_revision": git_revision(),
        "versions": versions(),
        "command": command_line(),
    }
    policy.save(args.output, args.task, extra)
    console.print(
        f"{args.output}: {demos.num_episodes} demonstrations, {demos.num_transitions} transitions, {cfg.steps} steps, "
        f"{describe(reports[-1])}, {seconds:.0f} s",
        highlight=False,
    )


if __name__ == "__main__":
    run(main)
