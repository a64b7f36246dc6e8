# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Success rate of the expert, a base policy, a cloned policy or a trained policy on a task.

Example::

    python scripts/evaluate.py --task Cohoff-Square-Franka --policy csil --checkpoint logs/rsl_rl/square_csil/RUN \\
        --episodes 256 --num_envs 64 --seed 100 --json outputs/csil.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cohoff.cli import ArgumentParser, run
from cohoff.errors import InputError, exit_on_input_error
from cohoff.files import check_target, write_json
from cohoff.isaac.evaluation import EvaluationProgress, evaluate
from cohoff.isaac.launch import check_device, check_task, make_env
from cohoff.isaac.overrides import parse_with_overrides
from cohoff.isaac.policies import add_policy_arguments, bind_policy, check_policy_arguments, open_policy
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.provenance import command_line, git_revision, versions


def parse_arguments() -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="task id")
    add_policy_arguments(parser)
    parser.add_argument("--episodes", type=int, default=256, help="rounded up to the same number in each environment")
    parser.add_argument("--num_envs", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0, help="of the initial states and of sampling policies")
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    parser.add_argument("--json", help="file for the result")
    args = parse_with_overrides(parser)
    for name in ("episodes", "num_envs"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name} is {getattr(args, name)}; give at least 1")
    check_policy_arguments(args)
    check_task(args.task)
    args.device = check_device(args.device)
    if args.json:
        check_target(args.json)
    return args


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[EvaluationProgress], None]]:
    """A progress bar on a terminal, a line for each tenth of the episodes elsewhere."""
    columns = (
        TextColumn("evaluating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("episodes, success {task.fields[success]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        row = bar.add_task("", total=None, success="-")
        tenths = -1

        def update(now: EvaluationProgress) -> None:
            nonlocal tenths
            success = f"{now.successes / now.finished:.3f}" if now.finished else "-"
            bar.update(row, total=now.episodes, completed=now.finished, success=success)
            if not console.is_terminal and 10 * now.finished // now.episodes > tenths:
                tenths = 10 * now.finished // now.episodes
                console.print(f"{now.finished}/{now.episodes} episodes, success {success}", highlight=False)

        yield update


def training_counters(args: argparse.Namespace) -> dict[str, int] | None:
    """Iterations, environment steps and updates behind the evaluated policy; None where it was not trained online."""
    if args.policy not in ("csil", "csil_step0"):
        return None
    counters = read_checkpoint(args.checkpoint)["counters"]
    return counters if args.policy == "csil" else dict.fromkeys(counters, 0)


def main() -> None:
    """Evaluate and report."""
    args = parse_arguments()
    console = Console()
    torch.manual_seed(args.seed)
    policy = open_policy(args)
    with (
        make_env(args.task, args.num_envs, args.device, args.seed, args.overrides) as env,
        exit_on_input_error(),  # inside, where the launcher would print a traceback
        show_progress(console) as update,
    ):
        result = evaluate(env, bind_policy(policy, args, env), args.episodes, update).summary()
    if result["episodes"] != args.episodes:
        console.print(f"{result['episodes']} episodes instead of {args.episodes}: the same number in each environment")
    result |= {
        "task": args.task,
        "policy": args.policy,
        "checkpoint": args.checkpoint,
        "base": args.base,
        "training": training_counters(args),
        "num_envs": args.num_envs,
        "seeds": [args.seed],
        "overrides": args.overrides,
        "device": args.device,
        "git_revision": git_revision(),
        "versions": versions(),
        "command": command_line(),
    }
    if args.json:
        write_json(args.json, result)
    lengths = result["lengths"]["success"] or result["lengths"]["all"]
    console.print(
        f"{args.task} {args.policy}: success {result['success']:.3f} [{result['low']:.3f}, {result['high']:.3f}] of "
        f"{result['episodes']} episodes, {lengths['mean']:.0f} steps, {result['non_finite']} non-finite, "
        f"{result['env_steps_per_second']:.0f} environment steps/s",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    run(main)
