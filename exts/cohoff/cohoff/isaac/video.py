# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Videos of a policy at work, by Newton's Warp renderer, which needs neither a display nor a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from isaaclab.sensors import CameraCfg
from PIL import Image
from tensordict import TensorDict

from cohoff.files import atomic_path
from cohoff.isaac.cameras_cfg import fixed_camera_cfg
from cohoff.isaac.evaluation import Policy

CAMERA = "video_camera"
"""Name of the camera in the scene."""

_GREEN = (46, 160, 67)
_BORDER = 4  # width of the border that marks success [pixels]


def video_camera_cfg(
    width: int = 320,
    height: int = 240,
    eye: tuple[float, float, float] = (1.2, 0.3, 0.55),
    target: tuple[float, float, float] = (0.4, 0.0, 0.18),
) -> CameraCfg:
    """Camera at ``eye`` that looks at ``target``, both in the environment's frame [m]."""
    return fixed_camera_cfg("VideoCamera", width, height, eye, target)


@torch.no_grad()
def record_video(env: Any, policy: Policy, max_steps: int, stride: int = 1) -> tuple[list[np.ndarray], int]:
    """Record one episode in each of N environments until all have ended or ``max_steps`` steps are over.

    An environment that has ended keeps its last image, with a green border after a success. The scene needs
    :func:`video_camera_cfg` under the name :data:`CAMERA`.

    Returns:
        A frame for each ``stride``-th control step, uint8, shape [N, height, width, 3]; and the number of successes.
    """
    num_envs = env.unwrapped.num_envs
    obs, _ = env.reset()
    policy.reset(torch.ones(num_envs, dtype=torch.bool, device=env.unwrapped.device))
    ended = np.zeros(num_envs, dtype=bool)
    succeeded = np.zeros(num_envs, dtype=bool)
    shown = camera_images(env)
    frames = [shown.copy()]
    for step in range(1, max_steps + 1):
        obs, _, terminated, truncated, extras = env.step(policy(TensorDict(obs, batch_size=[num_envs])))
        dones = terminated | truncated
        policy.reset(dones)
        succeeded |= extras["success"].cpu().numpy() & ~ended
        # The image after an end already shows the next episode.
        ended |= dones.cpu().numpy()
        if step % stride == 0 or ended.all():
            shown[~ended] = camera_images(env)[~ended]
            for i in np.flatnonzero(succeeded):
                _mark(shown[i])
            frames.append(shown.copy())
        if ended.all():
            break
    return frames, int(succeeded.sum())


def save_animation(path: str | Path, frames: Sequence[np.ndarray], frames_per_second: float, hold: float = 1.5) -> None:
    """Write ``frames``, each [N, height, width, 3], as an endless GIF or WebP by the suffix, environments side by side.

    The last frame stays for ``hold`` seconds.
    """
    images = [Image.fromarray(np.concatenate(list(frame), axis=1)) for frame in frames]
    durations = [round(1000 / frames_per_second)] * (len(images) - 1) + [round(1000 * hold)]
    with atomic_path(path) as temporary:
        images[0].save(temporary, save_all=True, append_images=images[1:], duration=durations, loop=0)


def save_strip(path: str | Path, frames: Sequence[np.ndarray], count: int = 5) -> None:
    """Write ``count`` of ``frames``, each [N, height, width, 3], evenly spaced, side by side; a row per environment."""
    chosen = [frames[round(i * (len(frames) - 1) / (count - 1))] for i in range(count)]
    rows = np.concatenate([np.concatenate(list(frame), axis=0) for frame in chosen], axis=1)
    with atomic_path(path) as temporary:
        Image.fromarray(rows).save(temporary)


def camera_images(env: Any, rows: slice = slice(None)) -> np.ndarray:
    """Current view of each environment, or of those in ``rows``, uint8, shape [N, height, width, 3]."""
    rgb = env.unwrapped.scene[CAMERA].data.output["rgb"]
    return rgb.torch[rows, ..., :3].to(torch.uint8).cpu().numpy().copy()


def _mark(image: np.ndarray) -> None:
    for edge in (np.s_[:_BORDER], np.s_[-_BORDER:], np.s_[:, :_BORDER], np.s_[:, -_BORDER:]):
        image[edge] = _GREEN
