# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded data: demonstrations and other episodes, in memory and in their files."""

from cohoff.data.demonstrations import Demonstrations, load_demonstrations
from cohoff.data.recording import Recording, load_recording
from cohoff.data.stored import load_pictures, stored_observations, stored_pictures

__all__ = [
    "Demonstrations",
    "Recording",
    "load_demonstrations",
    "load_pictures",
    "load_recording",
    "stored_observations",
    "stored_pictures",
]
