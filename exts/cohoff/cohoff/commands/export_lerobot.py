# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Export demonstrations as a LeRobotDataset, which the trainers of other libraries read.

Example::

    cohoff export_lerobot --task Cohoff-Square-Camera-Franka --demos outputs/demos.hdf5 --output outputs/square
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cohoff.cli import add_demos, at_least, command_parser, show_progress
from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.formats.lerobot import require_pyarrow
from cohoff.data.formats.lerobot_export import WRITERS, export_dataset, stored_overrides
from cohoff.errors import InputError
from cohoff.files import check_new_folder
from cohoff.isaac.arguments import add_task
from cohoff.isaac.launch import check_task
from cohoff.isaac.overrides import parse_task_cfg


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = command_parser("export_lerobot", __doc__)
    add_task(parser)
    add_demos(parser)
    parser.add_argument("--output", required=True, help="folder to write the dataset to; it must not exist")
    parser.add_argument("--instruction", help="the task in words (default: that of the task's configuration)")
    parser.add_argument(
        "--state_columns",
        type=at_least(0),
        nargs="+",
        help="entries of the observations `policy` that become observation.state, as in cohoff.json (default: all)",
    )
    parser.add_argument("--no_pictures", action="store_true", help="leave pictures out")
    parser.add_argument(
        "--version",
        choices=list(WRITERS),
        default=next(iter(WRITERS)),
        help="layout of the dataset; openpi reads v2.1 (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    check_task(args.task)
    require_pyarrow()
    check_new_folder(args.output)
    return args


def main(argv: Sequence[str]) -> None:
    """Export and report."""
    args = parse_arguments(argv)
    demos = load_demonstrations(args.demos, task=args.task)
    cfg = parse_task_cfg(args.task, 1, "cpu", stored_overrides(demos))
    rate = 1.0 / (cfg.sim.dt * cfg.decimation)
    if abs(rate - round(rate)) > 1e-6:
        raise InputError(f"{args.demos!r} was recorded at {rate:.3f} steps a second; a LeRobotDataset needs whole ones")
    with show_progress("exporting", demos.num_episodes, "demonstrations") as advance:
        export_dataset(
            demos,
            args.output,
            args.instruction or cfg.instruction,
            round(rate),
            args.state_columns,
            not args.no_pictures,
            args.version,
            lambda done: advance(done, ""),
        )
    print(f"{args.output}: {demos.num_episodes} demonstrations, {demos.num_transitions} frames, {round(rate)} a second")
