# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Films of the environments that are reserved for evaluation, recorded during training."""

from __future__ import annotations

from typing import Any

import numpy as np
from isaaclab.envs.utils.video_recorder import VideoRecorder

from cohoff.isaac.video import camera_images

SIDE_BY_SIDE = 4
"""Most environments in a film."""


class EvaluationFilm(VideoRecorder):
    """Isaac Lab's recorder, which shows environment 0, for those that act with the mean policy.

    The environment's ``reserved_envs`` tells how many of the last ones these are. Where there are none, as when a
    policy is played, environment 0 is shown.
    """

    def _get_frame(self) -> np.ndarray:
        env: Any = self._env
        shown = min(env.reserved_envs, SIDE_BY_SIDE)
        rows = slice(env.num_envs - shown, env.num_envs) if shown else slice(0, 1)
        return np.concatenate(list(camera_images(env, rows)), axis=1)
