# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Errors that a user can cause, and how a script ends on one."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn


class InputError(ValueError):
    """A value given by the user cannot be used: one line that names the value and what to do."""


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a script's ``main`` and end the process with its exit status.

    An :class:`InputError` becomes the single line ``error: ...`` on stderr and status 2. Ctrl-C ends with status 130 and
    SIGTERM with 143, both by unwinding the stack, so that files being written are removed. Other exceptions keep their traceback.
    """
    signal.signal(signal.SIGTERM, _raise_exit)
    try:
        status = main()
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    sys.exit(status or 0)


def _raise_exit(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
