# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the benchmarks of pi-0.5 share: options, inputs, and what is written of a result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from cohoff.cli import ArgumentParser, at_least, check_device
from cohoff.experiments.timing import processor
from cohoff.files import check_target, write_json
from cohoff.policies.pi05.sizes import SIZES
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec
from cohoff.provenance import command_line, git_revision
from lerobot_process import check_lerobot

PADDED = (3, 200)
"""Cameras and prompt length that lerobot pads to."""

FILLED = (2, 64)
"""The part of them that is filled in comparisons with lerobot."""


def make_parser(description: str | None, timed: str) -> ArgumentParser:
    """The options that all benchmarks have; ``timed`` says what is timed once per round."""
    parser = ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    parser.add_argument(
        "--rounds", type=at_least(1), default=5, help=f"timed {timed} of each kind, after one that is not"
    )
    parser.add_argument("--compare", choices=("lerobot",), help="take turns with another implementation")
    parser.add_argument("--json", type=Path, help="file for the result")
    return parser


def parse_arguments(parser: ArgumentParser) -> argparse.Namespace:
    """Parse and check the command line; ``device`` becomes one that exists."""
    args = parser.parse_args()
    if args.compare:
        check_lerobot()
    args.device = check_device(args.device)
    if args.json is not None:
        check_target(args.json)
    return args


def make_inputs(
    spec: Pi05Spec, shapes: Pi05Shapes, device: str, filled: tuple[int, int] | None = None
) -> tuple[Tensor, ...]:
    """Make the inputs of a call with ``filled`` cameras and tokens (None: all); prompt lengths differ between rows."""
    generator = torch.Generator().manual_seed(0)
    cameras, length = filled or (shapes.cameras, shapes.tokens)
    images = 2.0 * torch.rand(shapes.batch, shapes.cameras, 3, spec.image, spec.image, generator=generator) - 1.0
    present = torch.arange(shapes.cameras) < cameras
    images = torch.where(present[:, None, None, None], images, -1.0)
    lengths = length - torch.arange(shapes.batch) % 8
    token_mask = torch.arange(shapes.tokens) < lengths[:, None]
    tokens = torch.randint(2, spec.vocab, token_mask.shape, generator=generator) * token_mask
    noise = torch.randn(shapes.batch, spec.chunk, spec.action_dim, generator=generator)
    tensors = (images, present.expand(shapes.batch, -1), tokens, token_mask, noise)
    return tuple(tensor.to(device).contiguous() for tensor in tensors)


def compared_shapes() -> dict[str, int]:
    """Shapes of comparisons with lerobot, for a result."""
    names = ("cameras", "tokens", "filled_cameras", "filled_tokens")
    return dict(zip(names, PADDED + FILLED, strict=True))


def report(
    args: argparse.Namespace, title: str, more: str, own: dict[str, Any], rows: list[dict[str, Any]], console: Console
) -> None:
    """Write ``rows`` and what else a benchmark has (``own``) to ``--json``, and print the rows as a table.

    The table's title begins with ``title`` and ends with ``more``.
    """
    name = processor(args.device)
    if args.json is not None:
        result = {
            "size": args.size,
            "dtype": args.dtype,
            "device": args.device,
            "processor": name,
            "threads": torch.get_num_threads(),
            **own,
            "rows": rows,
            "torch": torch.__version__,
            "git_revision": git_revision(),
            "command": command_line(),
        }
        write_json(args.json, result)
    show(rows, f"{title} {args.size}, {args.dtype}, {name}, {more}", console)


def show(rows: list[dict[str, Any]], title: str, console: Console) -> None:
    """Print the rows as a table."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)
