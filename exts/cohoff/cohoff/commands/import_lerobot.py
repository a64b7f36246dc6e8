# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Import a LeRobotDataset that was recorded on a task as a file of demonstrations.

Example::

    cohoff import_lerobot --task Cohoff-Square-Camera-Franka --dataset outputs/square --output outputs/demos.hdf5
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, cast

import h5py
import torch
from isaaclab.utils.datasets import EpisodeData

from cohoff.cli import command_parser, show_progress
from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.formats.lerobot_import import open_dataset
from cohoff.errors import InputError
from cohoff.files import atomic_path
from cohoff.isaac.arguments import add_task
from cohoff.isaac.launch import check_task
from cohoff.isaac.recording import check_demonstration_target, write_demonstrations


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = command_parser("import_lerobot", __doc__)
    add_task(parser)
    parser.add_argument("--dataset", required=True, help="folder of the dataset")
    parser.add_argument("--output", required=True, help="HDF5 file to write, ending in .hdf5")
    args = parser.parse_args(argv)
    check_task(args.task)
    check_demonstration_target(args.output)
    return args


def main(argv: Sequence[str]) -> None:
    """Import and report."""
    args = parse_arguments(argv)
    dataset = open_dataset(args.dataset, args.task)
    successes: list[EpisodeData] = []
    with show_progress("importing", dataset.num_episodes, "episodes") as advance:
        for number, values in enumerate(dataset.episodes()):
            if values is not None:
                successes.append(_episode(values))
            advance(number + 1, "")
    if not successes:
        raise InputError(f"no episode of {args.dataset!r} ended in success; only successful ones can be learned from")
    with atomic_path(args.output) as temporary:
        seed = dataset.origin.get("seed", 0)
        write_demonstrations(temporary, successes, args.task, seed, noise=0.0, policy="imported")
        with h5py.File(temporary, "r+") as file:
            restore_origin(cast(h5py.Group, file["data"]), dataset.origin)
        try:
            demos = load_demonstrations(temporary, task=args.task)
        except InputError as error:
            raise InputError(str(error).replace(str(temporary), args.dataset)) from error
    failed = dataset.num_episodes - len(successes)
    print(
        f"{args.output}: {demos.num_episodes} demonstrations, {demos.num_transitions} transitions"
        + (f"; {failed} episodes without success left out" if failed else "")
    )


def restore_origin(data: h5py.Group, origin: Mapping[str, Any]) -> None:
    """Give ``/data`` the attributes of the file that a dataset was exported from; nothing where there was none."""
    if origin:
        for name in set(map(str, data.attrs)) - {"env_args", "total"}:
            del data.attrs[name]
    data.attrs.update(origin)


def _episode(values: dict) -> EpisodeData:
    """An episode of nested arrays."""
    episode = EpisodeData()
    episode.data, episode.success = _tensors(values), True
    return episode


def _tensors(values: dict) -> dict:
    return {
        key: _tensors(value) if isinstance(value, dict) else torch.from_numpy(value.copy())
        for key, value in values.items()
    }
