# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The command line of programs that simulate a task."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cohoff.cli import add_device, check_device
from cohoff.files import check_target

from .launch import check_task
from .overrides import check_form


def add_task_and_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--task`` and ``--device``."""
    add_task(parser)
    add_device(parser)


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add ``--task``."""
    parser.add_argument("--task", required=True, help="task id, for example Cohoff-Square-Franka")


def parse_and_check(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse and check ``--task``, ``--device`` and, where the parser has it, ``--json``.

    Raises:
        InputError: A bad command line, task, device or target.
    """
    return _check(parser.parse_args(argv))


def parse_with_overrides(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """:func:`parse_and_check`; what follows the options goes into ``overrides``, a list of KEY=VALUE.

    Raises:
        InputError: As :func:`parse_and_check`, or a word is no change of a task.
    """
    parser.epilog = (
        "Changes of the task follow as KEY=VALUE: presets=NAME[,NAME...], physics=NAME, env.<field>...=VALUE; "
        "for example presets=d1 env.sim.dt=0.005."
    )
    args, args.overrides = parser.parse_known_args(argv)
    for token in args.overrides:
        check_form(token)
    return _check(args)


def _check(args: argparse.Namespace) -> argparse.Namespace:
    check_task(args.task)
    args.device = check_device(args.device)
    if getattr(args, "json", None):
        check_target(args.json)
    return args
