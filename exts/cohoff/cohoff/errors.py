# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Errors caused by the user's input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """A value given by the user cannot be used; the message is one line that names it and says what to do."""


@contextmanager
def exit_on_input_error() -> Iterator[None]:
    """End the process with the single line ``error: ...`` and status 2 on an :class:`InputError`."""
    try:
        yield
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        raise SystemExit(2) from None
