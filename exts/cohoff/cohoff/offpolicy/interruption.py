# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""An orderly end of a run that is interrupted: by a scheduler, by the user, or because it has diverged."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any, NoReturn

from cohoff.offpolicy.distributed import Ranks

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Ctrl-C, and what schedulers send before they end a job: SIGUSR1 is that of SLURM's ``--signal=USR1@120``."""


class Interrupted(Exception):
    """A run ends before its time, after the iteration that is under way.

    Args:
        reason: One line.
        status: Exit status of the process.
    """

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Interruption:
    """Context in which a signal of :data:`SIGNALS` asks for an end, and Ctrl-C after it enforces it.

    Other signals may come again: a scheduler sends them to every process of a job, and these pass them on.

    Args:
        ranks: The processes that train together. One that is asked ends all of them, after the same iteration.
    """

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks
        self._signal: signal.Signals | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # signals can be handled nowhere else
            self._handlers = {s: signal.signal(s, self._ask) for s in SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for name, handler in self._handlers.items():
            signal.signal(name, handler)

    def check(self) -> None:
        """Raise :class:`Interrupted` if an end was asked for, of this rank or another one."""
        if number := self._ranks.largest(self._signal or 0):
            raise Interrupted(signal.Signals(number).name, 128 + number)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._signal is None:
            self._signal = signal.Signals(number)
            print(f"[cohoff] {self._signal.name}: saving after this iteration; Ctrl-C ends at once", file=sys.stderr)
        elif number == signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


def end(interrupted: Interrupted, saved: str) -> NoReturn:
    """End the process, as Ctrl-C does or with the status of ``interrupted``."""
    print(f"[cohoff] {interrupted}; {saved}", file=sys.stderr, flush=True)
    if interrupted.status == 128 + signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(interrupted.status)
