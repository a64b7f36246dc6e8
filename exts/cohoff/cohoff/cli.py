# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What all commands share: the parser, its common options, the progress display, and the way a command ends."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cohoff.errors import InputError, exit_on_input_error


class ArgumentParser(argparse.ArgumentParser):
    """Parser that raises :class:`InputError` for a bad command line, so that it ends in one line like all bad input."""

    def error(self, message: str) -> NoReturn:
        """Raise :class:`InputError`."""
        raise InputError(f"{message}; see --help")


def command_parser(command: str, description: str | None) -> ArgumentParser:
    """Parser of ``cohoff <command>`` that prints ``description`` as it is written."""
    return ArgumentParser(
        prog=f"cohoff {command}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


MAX_SEED = 2**32 - 1
"""Largest seed that NumPy, and so Isaac Lab, takes."""


def at_least[Number: (int, float)](minimum: Number, maximum: Number | None = None) -> Callable[[str], Number]:
    """Type of an option that takes a finite number of the type of ``minimum``, not below it nor above ``maximum``."""
    kind = type(minimum)

    def convert(text: str) -> Number:
        value = kind(text)
        if not minimum <= value < math.inf:
            raise argparse.ArgumentTypeError(f"give a number of at least {minimum}, not {text}")
        if maximum is not None and value > maximum:
            raise argparse.ArgumentTypeError(f"give a number of at most {maximum}, not {text}")
        return value

    convert.__name__ = kind.__name__  # argparse names it where the text is no number
    return convert


def add_num_envs(parser: argparse.ArgumentParser, default: int) -> None:
    """Add ``--num_envs``."""
    parser.add_argument(
        "--num_envs", type=at_least(1), default=default, help="parallel environments (default: %(default)s)"
    )


def add_seed(parser: argparse.ArgumentParser, seeded: str, default: int = 0) -> None:
    """Add ``--seed``; ``seeded`` says what depends on it."""
    parser.add_argument(
        "--seed", type=at_least(0, MAX_SEED), default=default, help=f"seed of {seeded} (default: %(default)s)"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``; :func:`check_device` turns its value into a device."""
    parser.add_argument("--device", help="cpu, cuda or cuda:<index> (default: the first GPU, or cpu without one)")


def add_demos(parser: argparse.ArgumentParser) -> None:
    """Add ``--demos``, a file to read."""
    parser.add_argument("--demos", required=True, help="demonstrations, a file written by collect_demos")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", help="file to write the result to")


def check_device(device: str | None) -> str:
    """The torch device to use: ``device``, or for None the first GPU (the CPU where there is none).

    Raises:
        InputError: ``device`` is not a device, or a GPU that this machine does not have.
    """
    import torch

    if device is None:
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        parsed = torch.device(device)
    except RuntimeError:
        parsed = None
    if parsed is None or parsed.type not in ("cpu", "cuda"):
        raise InputError(f"unknown device {device!r}; use cpu, cuda or cuda:N")
    if parsed.type == "cpu":
        return "cpu"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = parsed.index or 0
    if index >= count:
        raise InputError(f"device {device!r} asked for, but this machine has {count} usable GPUs; use cpu")
    return f"cuda:{index}"


@contextmanager
def show_progress(title: str, total: int, unit: str) -> Iterator[Callable[[int, str], None]]:
    """Show how far a loop is: a bar on a terminal, elsewhere a line for its first report and for each tenth.

    Args:
        title: What is being done, for example "training".
        total: Number of units at the end, at least 1.
        unit: What is counted, for example "steps".

    Yields:
        A function to call with the number of units done and a short status, which may be empty.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[status]}"),
    )
    terminal = sys.stdout.isatty()
    with Progress(*columns, disable=not terminal) as bar:
        row = bar.add_task(title, total=total, status="")
        shown = -1

        def advance(done: int, status: str) -> None:
            nonlocal shown
            bar.update(row, completed=done, status=status)
            if not terminal and 10 * done // total > shown:
                shown = 10 * done // total
                print(f"{title}: {done}/{total} {unit}" + (f", {status}" if status else ""), flush=True)

        yield advance


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run ``main`` and end the process with its exit status.

    An :class:`InputError` ends in one line and status 2, Ctrl-C in status 130, SIGTERM in 143, SIGUSR1, by which SLURM
    announces a time limit, in 138 and the end of the terminal in 129, all by unwinding the stack, so that files being
    written are removed and other programs are stopped. A reader of the output that has left, as ``| head`` does, ends
    in 141. Other exceptions keep their traceback.
    """
    for ending in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(ending, _raise_exit)
    try:
        with exit_on_input_error():
            status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + signal.SIGPIPE
    sys.exit(status)


def _raise_exit(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
