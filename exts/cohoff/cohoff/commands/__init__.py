# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The programs behind ``cohoff <command>`` and ``scripts/<command>.py``; each module has a ``main(argv)``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from cohoff import __version__
from cohoff.cli import run
from cohoff.errors import InputError

COMMANDS = {
    "collect_demos": "record demonstrations of a task's scripted expert, or all episodes of a policy",
    "inspect": "say what files of recorded episodes contain",
    "replay_demos": "replay demonstrations and count how many succeed again",
    "export_lerobot": "write demonstrations as a LeRobotDataset",
    "import_lerobot": "read a LeRobotDataset as demonstrations",
    "pretrain": "train a base policy on demonstrations",
    "export_replay": "write the replay of a run as a file of recorded episodes",
    "offline": "learn from recorded episodes alone, without a simulator",
    "evaluate": "measure the success rate of a policy",
    "record_video": "record a video of a policy",
    "demo": "demonstrations, base policy, training, evaluations and video in one go",
    "status": "show how training runs are doing",
    "benchmark": "run a suite: tasks, settings and seeds, one small result for each run",
    "plot": "draw learning curves from results of evaluate",
    "table": "write the tables of README and docs from the files in results",
    "benchmark_env": "measure the speed and soundness of a task's simulation",
    "benchmark_loop": "measure what the learner adds to a simulation step",
    "stress": "kill runs, feed malformed files and values that are not finite, and watch the memory",
    "gpu_check": "measure everything that runs on a GPU, and compare it with the CPU",
}
"""Help line of each command; its module has the same name and is imported only when it runs."""


def main() -> NoReturn:
    """Run the command that is the first argument of this process."""
    run(lambda: dispatch(sys.argv[1:]))


def run_command(name: str) -> NoReturn:
    """Run the command ``name`` with the arguments of this process."""
    run(lambda: dispatch([name, *sys.argv[1:]]))


def dispatch(argv: Sequence[str]) -> int | None:
    """Import and run the command ``argv[0]``; return its exit status.

    Raises:
        InputError: There is no such command, or its arguments cannot be used.
    """
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help"):
        width = max(map(len, COMMANDS))
        print("usage: cohoff COMMAND ...\n\ncommands:")
        print("\n".join(f"  {command:{width}}  {line}" for command, line in COMMANDS.items()))
        print(
            "\n`cohoff COMMAND --help` shows a command's options; `isaaclab train` and `isaaclab play` run a learner."
        )
        return 0
    if name == "--version":
        print(__version__)
        return 0
    if name not in COMMANDS:
        raise InputError(f"unknown command {name!r}; available: {', '.join(COMMANDS)}")
    return import_module(f"cohoff.commands.{name}").main(argv[1:])
