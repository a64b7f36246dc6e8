# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Say what files of recorded episodes contain: success, lengths, returns, ranges and coverage.

Example::

    cohoff inspect outputs/demos.hdf5 outputs/base_episodes.hdf5 --picture outputs/data.png
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from rich.console import Console
from rich.table import Table

from cohoff.cli import add_json, command_parser
from cohoff.data.recording import Recording, load_recording
from cohoff.data.statistics import describe, plane
from cohoff.errors import InputError
from cohoff.files import atomic_path, check_target, write_json

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

WON, LOST = "#0072B2", "#D55E00"


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = command_parser("inspect", __doc__)
    parser.add_argument("files", nargs="+", help="HDF5 files of collect_demos, taken together")
    parser.add_argument("--picture", help="file to draw lengths, states and actions to, for example data.png")
    add_json(parser)
    args = parser.parse_args(argv)
    for target in (args.picture, args.json):
        if target:
            check_target(target)
    if args.picture and Path(args.picture).suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"--picture is {args.picture!r}; give a file name that ends in .png, .svg or .pdf")
    return args


def show(found: dict[str, Any]) -> None:
    """Print what :func:`~cohoff.data.statistics.describe` returned."""
    table = Table("", "mean", "std", "min", "max", title=f"{found['task']}: {found['transitions']} transitions")
    rows = {
        "length of a success": found["lengths"]["success"],
        "length of a failure": found["lengths"]["failure"],
        "return": found["returns"],
    } | {f"action {i}": one for i, one in enumerate(found["actions"])}
    for name, values in rows.items():
        if values is not None:
            table.add_row(name, *(f"{values[key]:.3g}" for key in ("mean", "std", "min", "max")))
    console = Console(width=120)
    console.print(table)
    observations, covered = found["observations"], found["coverage"]
    bound = ", ".join(f"{one['at_bound']:.2f}" for one in found["actions"])
    print(f"{found['successes']} of {found['episodes']} episodes succeeded")
    print("returns: " + ("in the data" if found["returns"] else "not in the data"))
    print(f"share of actions at their bound: {bound}")
    print(
        f"observation: {observations['size']} entries, {observations['constant']} constant, "
        f"{observations['min']:.3g} to {observations['max']:.3g}"
    )
    print("coverage: " + ", ".join(f"{name} {'-' if v is None else f'{v:.3g}'}" for name, v in covered.items()))


def draw(recording: Recording) -> Figure:
    """Lengths, states on their two principal axes, and actions; successes and failures in their own color."""
    figure, (lengths, states, actions) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    won = recording.success.cpu()
    both = ((~won, LOST, "failures"), (won, WON, "successes"))
    bins = range(0, int(recording.lengths.max()) + 10, max(1, int(recording.lengths.max()) // 30))
    points, point_won = plane(recording.obs).cpu(), won[recording.episode_of.cpu()]
    for mask, color, label in both:
        lengths.hist(recording.lengths.cpu()[mask].numpy(), bins=list(bins), color=color, alpha=0.7, label=label)
        rows = (point_won == (label == "successes")).nonzero()[:, 0]
        states.scatter(*points[rows].T.numpy(), s=2, lw=0, alpha=0.4, color=color)
    lengths.set(xlabel="control steps", ylabel="episodes")
    lengths.legend(frameon=False)
    states.set(xlabel="first principal axis", ylabel="second")
    actions.violinplot(list(recording.actions.T.cpu().numpy()), positions=range(recording.actions.shape[1]))
    actions.set(xlabel="entry of the action", xticks=range(recording.actions.shape[1]), ylabel="value")
    return figure


def main(argv: Sequence[str]) -> None:
    """Read, print and draw."""
    args = parse_arguments(argv)
    recording = load_recording(args.files)
    found = describe(recording)
    show(found)
    if args.json:
        write_json(args.json, found)
    if args.picture:
        figure = draw(recording)
        with atomic_path(args.picture) as temporary:
            figure.savefig(temporary, dpi=120)
        print(f"wrote {args.picture}")
