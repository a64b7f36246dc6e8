# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What all command-line programs share: the parser and the way a program ends."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from cohoff.errors import InputError, exit_on_input_error


class ArgumentParser(argparse.ArgumentParser):
    """Parser that raises :class:`InputError` for a bad command line, so that it ends in one line like all other bad input."""

    def error(self, message: str) -> NoReturn:
        """Raise :class:`InputError`."""
        raise InputError(f"{message}; see --help")


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run ``main`` and end the process with its exit status.

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
