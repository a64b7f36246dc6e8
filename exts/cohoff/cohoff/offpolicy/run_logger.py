# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""rsl_rl's logger with one line on the console for each iteration."""

from __future__ import annotations

import contextlib
import datetime
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rsl_rl.utils.logger import Logger
from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from torch.utils.tensorboard import SummaryWriter

from cohoff.offpolicy.resources import resources

PRINT_EVERY = 2.0
"""Least time between two lines on the console [s]."""

SHOWN = {
    "Train/success_rate": "train success",
    "Eval/success_rate": "eval success",
    "Learner/critic_loss": "critic loss",
    "Learner/kl": "KL",
}
"""What the console shows of the log, with its name there."""


class RunLogger(Logger):
    """Writes what rsl_rl's logger writes; the console gets a line for an iteration instead of thirty.

    Args:
        logger: The logger that this one replaces.
        report: Returns the learner's entries in the log.
        first_iteration: Iteration that the run starts with. Later points of an earlier, interrupted run are hidden.
        check: Called after each iteration; it may raise an exception to end the run.
    """

    def __init__(
        self,
        logger: Logger,
        report: Callable[[], dict[str, float]],
        first_iteration: int,
        check: Callable[[], None],
    ) -> None:
        self.__dict__.update(logger.__dict__)
        self._report, self._first_iteration, self._check = report, first_iteration, check
        self._videos: set[Path] = set()
        self._started = self._printed = time.monotonic()

    def init_logging_writer(self) -> None:
        """Open TensorBoard or W&B, and save the state of the code."""
        with contextlib.redirect_stdout(io.StringIO()):  # which repositories have no git
            super().init_logging_writer()
        if isinstance(self.writer, SummaryWriter) and self._first_iteration > 0:
            restart = Event(step=self._first_iteration, session_log=SessionLog(status=SessionLog.START))
            self.writer._get_file_writer().add_event(restart)  # pyright: ignore[reportOptionalMemberAccess]

    def log(self, it: int, start_it: int, total_it: int, *args: Any, **kwargs: Any) -> None:
        """Log iteration ``it``; see :meth:`rsl_rl.utils.logger.Logger.log`."""
        with contextlib.redirect_stdout(io.StringIO()):
            super().log(it, start_it, total_it, *args, **kwargs)
        if self.writer is not None:
            for name, value in resources(torch.device(self.device)).items():
                self.writer.add_scalar(f"Perf/{name}", value, it)
        self._add_videos(it)
        now = time.monotonic()
        is_due = now - self._printed >= PRINT_EVERY or it + 1 in (start_it + 1, total_it)
        if is_due and not self.disable_logs:
            self._printed = now
            print(self._line(it + 1, total_it, (now - self._started) / (it + 1 - start_it)), flush=True)
        self._check()

    def _add_videos(self, it: int) -> None:
        """Add new videos of the run to TensorBoard; rsl_rl's logger sends them to W&B."""
        if self.log_dir is None or not isinstance(self.writer, SummaryWriter):
            return
        new = set(Path(self.log_dir, "videos").rglob("*.mp4")) - self._videos
        self._videos |= new
        for path in sorted(new):
            from moviepy.editor import VideoFileClip  # pyright: ignore[reportMissingImports]  # wrote the video

            with VideoFileClip(str(path)) as clip, contextlib.redirect_stdout(io.StringIO()):
                frames = torch.stack([torch.from_numpy(frame.copy()) for frame in clip.iter_frames()])
                self.writer.add_video(f"Video/{path.stem}", frames.permute(0, 3, 1, 2)[None], it, clip.fps)

    def _line(self, iteration: int, total: int, seconds: float) -> str:
        log = self._report()
        known = [f"{name} {log[key]:.3g}" for key, name in SHOWN.items() if key in log]
        left = datetime.timedelta(seconds=round(seconds * (total - iteration)))
        steps = f"{log['Learner/env_steps']:,.0f} environment steps"
        return ", ".join([f"iteration {iteration}/{total}", steps, *known, f"{left} left"])


def copy_curves(source: Path, target: Path) -> None:
    """Copy the TensorBoard files of the run in ``source`` to the folder of the run that goes on with it."""
    for events in source.glob("events.out.tfevents.*"):
        (target / events.name).write_bytes(events.read_bytes())
