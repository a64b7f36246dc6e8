# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Errors that a user can cause, and how a script ends on one."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class InputError(ValueError):
    """A value given by the user cannot be used: one line that names the value and what to do."""


class ArgumentParser(argparse.ArgumentParser):
    """Parser whose complaints are :class:`InputError`, so that they end in one line like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise :class:`InputError`."""
        raise InputError(f"{message}; see --help")


@contextmanager
def exit_on_input_error() -> Iterator[None]:
    """End the process with the single line ``error: ...`` and status 2 on an :class:`InputError`."""
    try:
        yield
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        raise SystemExit(2) from None


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a script's ``main`` and end the process with its exit status.

    An :class:`InputError` ends in one line and status 2, Ctrl-C in status 130 and SIGTERM in 143, all by unwinding the stack, so
    that files being written are removed. Other exceptions keep their traceback.
    """
    signal.signal(signal.SIGTERM, _raise_exit)
    try:
        with exit_on_input_error():
            status = main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    sys.exit(status)


def _raise_exit(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
