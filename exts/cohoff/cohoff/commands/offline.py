# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Learn from recorded episodes alone, without a simulator.

Example::

    cohoff offline --task Cohoff-Square-Franka --method iql --data outputs/demos.hdf5 outputs/base_episodes.hdf5 \\
        --output outputs/iql
    cohoff evaluate --task Cohoff-Square-Franka --policy trained --checkpoint outputs/iql
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cohoff.algorithms.offline.configure import configure
from cohoff.algorithms.offline.methods import METHODS
from cohoff.algorithms.offline.training import OfflineTraining
from cohoff.cli import add_device, add_seed, at_least, check_device, command_parser, show_progress
from cohoff.data.recording import load_recording
from cohoff.errors import InputError
from cohoff.files import check_target
from cohoff.run_folder import PROGRESS_FILE, checkpoints


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = command_parser("offline", __doc__)
    parser.add_argument("--task", help="task id that the data must be of (default: that of the data)")
    parser.add_argument("--data", nargs="+", required=True, help="HDF5 files of collect_demos, taken together")
    parser.add_argument(
        "--failures",
        type=at_least(0.0, 1.0),
        help="leave out the last episodes of the more frequent kind, so that this share are failures (default: none)",
    )
    parser.add_argument("--method", required=True, choices=METHODS, help="preset of the choices")
    parser.add_argument("--output", required=True, help="folder for checkpoints and progress")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --output")
    add_seed(parser, "networks and batches")
    add_device(parser)
    parser.epilog = "Changes of the preset follow as SETTING=VALUE, for example updates=50000 sampler=return."
    args, args.changes = parser.parse_known_args(argv)
    if args.failures in (0.0, 1.0):
        raise InputError(f"--failures {args.failures:g} leaves one kind of episodes alone; give a share in between")
    args.device = check_device(args.device)
    return args


def main(argv: Sequence[str]) -> None:
    """Train and save."""
    args = parse_arguments(argv)
    method, settings, loop = configure(args.method, args.changes)
    recording = load_recording(args.data, args.task, device=args.device)
    if args.failures is not None:
        recording = recording.with_failures(args.failures)
    folder = Path(args.output)
    if (found := checkpoints(folder)) and not args.resume:
        raise InputError(f"{args.output!r} already holds a run ({found[-1].name}); add --resume or give another folder")
    training = OfflineTraining(args.method, method.learner, settings, loop, recording, folder, args.device, args.seed)
    check_target(folder / PROGRESS_FILE)
    if args.resume:
        training.resume()
    training.run(show_progress)
    print(
        f"{args.output}: {args.method} on {recording.num_episodes} episodes, {int(recording.success.sum())} of them "
        f"successful, {training.num_updates} updates, {training.seconds:.0f} s"
    )
