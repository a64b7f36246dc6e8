# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Learning from the demonstrations alone, before the first step."""

from __future__ import annotations

from pathlib import Path

from cohoff.cli import show_progress
from cohoff.errors import InputError
from cohoff.files import write_json
from cohoff.offpolicy.learner import Learner
from cohoff.offpolicy.transitions import Corrections, Transitions
from cohoff.run_folder import PRETRAINING_FILE


def prepare(
    learner: Learner, transitions: Transitions, corrections: Corrections | None, discount: float, folder: Path | None
) -> None:
    """Let a learner learn from demonstrations; print what was measured, and write it to the ``folder`` of the run.

    Raises:
        InputError: It diverged.
    """
    measured = learner.prepare(transitions, corrections, discount, show_progress)
    if not all(value.isfinite().all() for value in learner.modules.state_dict().values()):
        raise InputError("learning from the demonstrations diverged; lower the learning rates under agent.algorithm")
    for phase, values in measured.items():
        print(f"[cohoff] {phase}: " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()))
    if folder is not None:
        write_json(folder / PRETRAINING_FILE, measured)
