# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Record demonstrations of a task's scripted expert, or all episodes of any policy.

Examples::

    cohoff collect_demos --task Cohoff-Square-Franka --num_demonstrations 200 --num_envs 64 --output outputs/demos.hdf5
    cohoff collect_demos --task Cohoff-Square-Franka --policy base --checkpoint outputs/base.safetensors --keep all \\
        --num_demonstrations 200 --output outputs/base_episodes.hdf5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import torch

from cohoff.cli import add_num_envs, add_seed, at_least, command_parser, show_progress
from cohoff.errors import InputError
from cohoff.isaac.arguments import add_task_and_device, parse_with_overrides
from cohoff.isaac.launch import make_env
from cohoff.isaac.policies import add_policy_arguments, bind_policy, check_policy_arguments, open_policy
from cohoff.isaac.recording import CollectionProgress, check_demonstration_target, collect, write_demonstrations

NOISE = 0.05
"""Standard deviation of the noise on an expert's actions where none is given."""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked before anything is started."""
    parser = command_parser("collect_demos", __doc__)
    add_task_and_device(parser)
    add_policy_arguments(parser, default="expert")
    parser.add_argument(
        "--keep",
        choices=("successes", "all"),
        default="successes",
        help="episodes to record; policies other than the expert are recorded with all (default: %(default)s)",
    )
    parser.add_argument("--num_demonstrations", type=at_least(1), required=True, help="episodes to record")
    add_num_envs(parser, 64)
    add_seed(parser, "the initial states, the noise and the choice of episodes")
    parser.add_argument("--output", required=True, help="HDF5 file to write, ending in .hdf5")
    parser.add_argument(
        "--noise",
        type=at_least(0.0),
        help=f"standard deviation of the noise on the actions (default: {NOISE} for the expert, else 0)",
    )
    parser.add_argument(
        "--disturbance",
        type=at_least(0.0),
        default=0.0,
        help="standard deviation of further noise with which they are executed: shows how to come back (default: 0)",
    )
    args = parse_with_overrides(parser, argv)
    check_policy_arguments(args)
    if args.policy == "ppo":
        raise InputError("--policy ppo corrects a base inside of the environment; such actions cannot be recorded")
    if args.policy != "expert" and args.keep != "all":
        raise InputError(f"--policy {args.policy} is recorded with its failures; add --keep all")
    if args.noise is None:
        args.noise = NOISE if args.policy == "expert" else 0.0
    check_demonstration_target(args.output)
    return args


def main(argv: Sequence[str]) -> None:
    """Collect and write."""
    args = parse_arguments(argv)
    count = args.num_demonstrations
    keep_failures = args.keep == "all"
    torch.manual_seed(args.seed)
    policy = open_policy(args)
    with (
        make_env(args.task, args.num_envs, args.device, args.seed, args.overrides) as env,
        show_progress("collecting", count, "episodes") as advance,
    ):

        def report(now: CollectionProgress) -> None:
            done = "are valid" if keep_failures else "succeeded"
            advance(min(now.collected, count), f"{now.collected} of {now.attempted} episodes {done}")

        start = time.perf_counter()
        policy = bind_policy(policy, args, env)
        episodes = collect(env, policy, count, args.noise, args.disturbance, args.seed, report, keep_failures)
        seconds = time.perf_counter() - start
        write_demonstrations(
            args.output, episodes, args.task, args.seed, args.noise, args.disturbance, args.overrides, args.policy
        )
    steps = sum(len(episode.data["actions"]) for episode in episodes)
    successes = sum(bool(episode.success) for episode in episodes)
    print(
        f"{args.output}: {len(episodes)} episodes, {successes} successful, {steps / len(episodes):.0f} steps on "
        f"average, {60 * len(episodes) / seconds:.0f} a minute"
    )
