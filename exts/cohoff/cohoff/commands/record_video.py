# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Record a video of a policy: one episode in each of a few environments, side by side.

Example::

    cohoff record_video --task Cohoff-Square-Franka --policy expert --output outputs/expert.gif outputs/expert.png

A name that ends in .gif or .webp makes an animation, one in .png a strip of images.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from cohoff.cli import add_num_envs, add_seed, at_least, command_parser
from cohoff.errors import InputError
from cohoff.files import check_target
from cohoff.isaac.arguments import add_task_and_device, parse_with_overrides
from cohoff.isaac.launch import make_env
from cohoff.isaac.policies import add_policy_arguments, bind_policy, check_policy_arguments, open_policy
from cohoff.isaac.video import CAMERA, record_video, save_animation, save_strip, video_camera_cfg

STRIDE = 2
"""Control steps per frame."""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("record_video", __doc__)
    add_task_and_device(parser)
    add_policy_arguments(parser)
    add_num_envs(parser, 3)
    parser.add_argument(
        "--max_steps", type=at_least(1), default=400, help="longest video [control steps] (default: %(default)s)"
    )
    parser.add_argument(
        "--width",
        type=at_least(4),
        default=320,
        help="of each environment's image [pixels]; its height is 3/4 of it (default: %(default)s)",
    )
    add_seed(parser, "the initial states and of policies that sample")
    parser.add_argument("--output", nargs="+", required=True, help="files to write: .gif, .webp, .png")
    args = parse_with_overrides(parser, argv)
    for output in args.output:
        if Path(output).suffix not in (".gif", ".webp", ".png"):
            raise InputError(f"cannot write a video to {output!r}; give a name that ends in .gif, .webp or .png")
        check_target(output)
    check_policy_arguments(args)
    return args


def main(argv: Sequence[str]) -> None:
    """Record and write."""
    args = parse_arguments(argv)
    torch.manual_seed(args.seed)
    policy = open_policy(args)
    cameras = {CAMERA: video_camera_cfg(args.width, args.width * 3 // 4)}
    with make_env(args.task, args.num_envs, args.device, args.seed, args.overrides, cameras=cameras) as env:
        print(f"recording up to {args.max_steps} steps", flush=True)
        frames, successes = record_video(env, bind_policy(policy, args, env), args.max_steps, STRIDE)
        frames_per_second = 1 / (STRIDE * env.step_dt)
    for output in args.output:
        if Path(output).suffix == ".png":
            save_strip(output, frames)
        else:
            save_animation(output, frames, frames_per_second)
    print(f"{successes} of {args.num_envs} episodes succeeded: {', '.join(args.output)}")
