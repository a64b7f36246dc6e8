# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Write the replay buffer of a training run as a file of recorded episodes.

Example::

    cohoff export_replay logs/rsl_rl/cohoff_square/RUN --output outputs/replay.hdf5
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from isaaclab.utils.datasets import EpisodeData

from cohoff.cli import command_parser
from cohoff.errors import InputError
from cohoff.isaac.recording import check_demonstration_target, write_demonstrations
from cohoff.offpolicy.replay_episodes import ReplayEpisode, replay_episodes


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = command_parser("export_replay", __doc__)
    parser.add_argument("run", help="folder of a training run, or one of its checkpoints")
    parser.add_argument("--output", required=True, help="HDF5 file to write, ending in .hdf5")
    args = parser.parse_args(argv)
    check_demonstration_target(args.output)
    return args


def as_recorded(episode: ReplayEpisode) -> EpisodeData:
    """The episode as :func:`cohoff.isaac.recording.collect` returns it, with a reward of 1 at success."""
    ends = torch.zeros(len(episode.action), dtype=torch.bool)
    ends[-1] = True
    recorded = EpisodeData()
    recorded.data = {
        "obs": {"policy": episode.obs}, "next_obs": {"policy": episode.next_obs}, "actions": episode.action,
        "rewards": ends.float() * episode.success, "dones": ends,
    }  # fmt: skip
    recorded.success = episode.success
    return recorded


def main(argv: Sequence[str]) -> None:
    """Read and write."""
    args = parse_arguments(argv)
    found, task = replay_episodes(args.run)
    if not found:
        raise InputError(f"no episode in the replay of {args.run!r} has ended; train it for longer")
    write_demonstrations(args.output, [as_recorded(episode) for episode in found], task, 0, 0.0, policy="replay")
    won = sum(episode.success for episode in found)
    print(f"{args.output}: {len(found)} episodes of {task}, {won} successful")
