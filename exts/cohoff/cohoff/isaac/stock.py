# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What Isaac Lab's own commands need of an environment that runs without a GPU and without Isaac Sim."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import torch

from cohoff.cli import check_device
from cohoff.errors import InputError
from cohoff.isaac.video import CAMERA, video_camera_cfg

RECORDED = f"sensor:{CAMERA}"
"""Source of the tasks' own video recorder."""


def usable_device(device: str) -> str:
    """``device``; or the CPU if nobody asked for a GPU and there is none, which is said. Isaac Lab's default is a GPU.

    Raises:
        InputError: ``--device`` names a device that this machine does not have.
    """
    named = any(argument.partition("=")[0] == "--device" for argument in sys.orig_argv)
    if named or not device.startswith("cuda") or torch.cuda.is_available():
        return check_device(device)
    print("[cohoff] no GPU here: the simulation runs on the CPU", flush=True)
    return "cpu"


def prepare_recorders(cfg: Any) -> None:
    """Keep the video recorders that are to record, and add the camera of the tasks' own one.

    Isaac Lab gives a recorder its folder if the command line has ``--video``.

    Raises:
        InputError: The package that writes videos is not installed.
    """
    cfg.video_recorders = [recorder for recorder in cfg.video_recorders if recorder.output_dir is not None]
    if not cfg.video_recorders:
        return
    if find_spec("moviepy") is None:
        raise InputError("--video needs moviepy; install it with pip install 'cohoff[video]'")
    if any(recorder.source == RECORDED for recorder in cfg.video_recorders):
        setattr(cfg.scene, CAMERA, video_camera_cfg())
