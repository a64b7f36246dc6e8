# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Record demonstrations of a task's scripted expert.

Example::

    cohoff collect_demos --task Cohoff-Square-Franka --num_demonstrations 200 --num_envs 64 --output outputs/demos.hdf5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from cohoff.cli import add_num_envs, add_seed, at_least, command_parser, show_progress
from cohoff.isaac.arguments import add_task_and_device, parse_with_overrides
from cohoff.isaac.launch import make_env, make_expert
from cohoff.isaac.overrides import refuse_base
from cohoff.isaac.recording import CollectionProgress, check_demonstration_target, collect, write_demonstrations


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked before anything is started."""
    parser = command_parser("collect_demos", __doc__)
    add_task_and_device(parser)
    parser.add_argument("--num_demonstrations", type=at_least(1), required=True, help="successful episodes to record")
    add_num_envs(parser, 64)
    add_seed(parser, "the initial states, the noise and the choice of episodes")
    parser.add_argument("--output", required=True, help="HDF5 file to write, ending in .hdf5")
    parser.add_argument(
        "--noise",
        type=at_least(0.0),
        default=0.05,
        help="standard deviation of the noise on the expert's actions (default: %(default)s)",
    )
    parser.add_argument(
        "--disturbance",
        type=at_least(0.0),
        default=0.0,
        help="standard deviation of further noise with which they are executed: shows how to come back (default: 0)",
    )
    args = parse_with_overrides(parser, argv)
    refuse_base(args.overrides, "an expert's")
    check_demonstration_target(args.output)
    return args


def main(argv: Sequence[str]) -> None:
    """Collect and write."""
    args = parse_arguments(argv)
    count = args.num_demonstrations
    with (
        make_env(args.task, args.num_envs, args.device, args.seed, args.overrides) as env,
        show_progress("collecting", count, "demonstrations") as advance,
    ):

        def report(now: CollectionProgress) -> None:
            advance(min(now.collected, count), f"{now.collected} of {now.attempted} episodes succeeded")

        start = time.perf_counter()
        expert = make_expert(args.task, env)
        episodes = collect(env, expert, count, args.noise, args.disturbance, args.seed, report)
        seconds = time.perf_counter() - start
        write_demonstrations(args.output, episodes, args.task, args.seed, args.noise, args.disturbance, args.overrides)
    steps = sum(len(episode.data["actions"]) for episode in episodes)
    print(
        f"{args.output}: {len(episodes)} demonstrations, {steps / len(episodes):.0f} steps on average, "
        f"{60 * len(episodes) / seconds:.0f} a minute"
    )
