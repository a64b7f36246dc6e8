# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Replay recorded demonstrations from where they began, and count how many succeed again.

Example::

    python scripts/replay_demos.py --task Cohoff-Square-Franka --demos outputs/demos.hdf5 --json outputs/replay.json
"""

from __future__ import annotations

import argparse

from rich.console import Console

from cohoff.cli import ArgumentParser, run
from cohoff.data.demonstrations import load_demonstrations
from cohoff.errors import InputError
from cohoff.experiments.intervals import wilson_interval
from cohoff.files import check_target, write_json
from cohoff.isaac.launch import check_device, check_task, make_env
from cohoff.isaac.overrides import parse_with_overrides
from cohoff.isaac.replaying import read_episodes, replay
from cohoff.provenance import command_line, git_revision, versions


def parse_arguments() -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="task id, the one that was demonstrated")
    parser.add_argument("--demos", required=True, help="file written by scripts/collect_demos.py")
    parser.add_argument("--num_envs", type=int, default=32)
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    parser.add_argument("--json", help="file for the result")
    args = parse_with_overrides(parser)
    if args.num_envs < 1:
        raise InputError(f"--num_envs is {args.num_envs}; give at least 1")
    check_task(args.task)
    args.device = check_device(args.device)
    if args.json:
        check_target(args.json)
    return args


def main() -> None:
    """Replay and report."""
    args = parse_arguments()
    console = Console()
    load_demonstrations(args.demos, task=args.task)  # a bad file ends here, in one line
    episodes = read_episodes(args.demos, args.device)

    def report(done: int, planned: int) -> None:
        console.print(f"{done}/{planned} demonstrations", highlight=False)

    with make_env(args.task, args.num_envs, args.device, overrides=args.overrides) as env:
        success = replay(env, episodes, report)
    successes, total = int(success.sum()), len(success)
    low, high = wilson_interval(successes, total)
    result = {
        "task": args.task,
        "success": successes / total,
        "low": low,
        "high": high,
        "episodes": total,
        "successes": successes,
        "failed": (~success).nonzero().squeeze(1).tolist(),
        "num_envs": args.num_envs,
        "overrides": args.overrides,
        "device": args.device,
        "git_revision": git_revision(),
        "versions": versions(),
        "command": command_line(),
    }
    if args.json:
        write_json(args.json, result)
    console.print(
        f"{args.task}: {successes} of {total} demonstrations succeed when replayed, {result['success']:.3f} "
        f"[{low:.3f}, {high:.3f}]",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    run(main)
