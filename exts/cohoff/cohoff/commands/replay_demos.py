# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Replay demonstrations from their initial states and count how many succeed again.

They may be files of Isaac Lab's recorder, such as a teleoperation writes; what `--record` writes can be learned from.

Example::

    cohoff replay_demos --task Cohoff-Square-Franka --demos outputs/demos.hdf5 --json outputs/replay.json
    cohoff replay_demos --task Cohoff-Square-Franka --demos teleoperation.hdf5 --record outputs/demos.hdf5
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cohoff.cli import add_demos, add_json, add_num_envs, add_seed, at_least, command_parser, show_progress
from cohoff.data.formats.isaaclab import check_recording
from cohoff.experiments.intervals import wilson_interval
from cohoff.files import write_json
from cohoff.isaac.arguments import add_task_and_device, parse_with_overrides
from cohoff.isaac.launch import make_env
from cohoff.isaac.overrides import refuse_base
from cohoff.isaac.recording import check_demonstration_target, write_demonstrations
from cohoff.isaac.replaying import Disturbance, check_episodes, read_episodes, replay
from cohoff.provenance import provenance


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = command_parser("replay_demos", __doc__)
    add_task_and_device(parser)
    add_demos(parser)
    add_num_envs(parser, 32)
    add_json(parser)
    parser.add_argument(
        "--disturbance",
        type=at_least(0.0),
        default=0.0,
        help="standard deviation of noise on the actions, which are steered back to the recorded path (default: 0)",
    )
    add_seed(parser, "the noise")
    parser.add_argument(
        "--output",
        "--record",
        help="HDF5 file for the replays that succeed: demonstrations, or with --disturbance corrections",
    )
    args = parse_with_overrides(parser, argv)
    refuse_base(args.overrides, "recorded actions")
    if args.output:
        check_demonstration_target(args.output)
    return args


def main(argv: Sequence[str]) -> None:
    """Replay and report."""
    args = parse_arguments(argv)
    check_recording(args.demos, args.task)  # a bad file is reported here, before the simulation starts
    episodes = read_episodes(args.demos, args.device)
    with (
        make_env(args.task, args.num_envs, args.device, overrides=args.overrides) as env,
        show_progress("replaying", len(episodes), "demonstrations") as advance,
    ):
        check_episodes(env, episodes, args.demos)
        disturbance = Disturbance(args.disturbance, args.seed) if args.disturbance else None
        record = args.output is not None
        success, replays = replay(env, episodes, lambda done, _: advance(done, ""), disturbance, record)
    if replays:
        write_demonstrations(args.output, replays, args.task, args.seed, 0.0, args.disturbance, args.overrides)
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
        "disturbance": args.disturbance,
        "seed": args.seed,
        "num_envs": args.num_envs,
        "overrides": args.overrides,
        "device": args.device,
        **provenance(),
    }
    if args.json:
        write_json(args.json, result)
    print(
        f"{args.task}: {successes} of {total} demonstrations succeed when replayed, {result['success']:.3f} "
        f"[{low:.3f}, {high:.3f}]"
    )
