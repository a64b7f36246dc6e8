# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Film a policy: one episode in each of a few environments, side by side.

Example::

    python scripts/record_video.py --task Cohoff-Square-Franka --policy expert --output outputs/expert.gif outputs/expert.png

A name that ends in .gif or .webp makes an animation, one in .png a strip of pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from cohoff.cli import ArgumentParser, run
from cohoff.errors import InputError
from cohoff.files import check_target
from cohoff.isaac.filming import CAMERA, film, film_camera_cfg, save_animation, save_strip
from cohoff.isaac.launch import check_device, check_task, make_env
from cohoff.isaac.overrides import parse_with_overrides
from cohoff.isaac.policies import add_policy_arguments, bind_policy, check_policy_arguments, open_policy

STRIDE = 2  # control steps per picture


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="task id")
    add_policy_arguments(parser)
    parser.add_argument("--num_envs", type=int, default=3, help="environments side by side")
    parser.add_argument("--max_steps", type=int, default=400, help="longest film [control steps]")
    parser.add_argument(
        "--width", type=int, default=320, help="of each environment's picture [pixels]; height is 3/4 of it"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    parser.add_argument("--output", nargs="+", required=True, help="files to write: .gif, .webp, .png")
    args = parse_with_overrides(parser)
    for name in ("num_envs", "max_steps", "width"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name} is {getattr(args, name)}; give at least 1")
    for output in args.output:
        if Path(output).suffix not in (".gif", ".webp", ".png"):
            raise InputError(f"cannot write a film to {output!r}; give a name that ends in .gif, .webp or .png")
        check_target(output)
    check_policy_arguments(args)
    check_task(args.task)
    args.device = check_device(args.device)
    return args


def main() -> None:
    """Film and write."""
    args = parse_arguments()
    torch.manual_seed(args.seed)
    policy = open_policy(args)
    cameras = {CAMERA: film_camera_cfg(args.width, args.width * 3 // 4)}
    with make_env(args.task, args.num_envs, args.device, args.seed, args.overrides, cameras=cameras) as env:
        print(f"filming up to {args.max_steps} steps", flush=True)
        frames, successes = film(env, bind_policy(policy, args, env), args.max_steps, STRIDE)
        frames_per_second = 1 / (STRIDE * env.step_dt)
    for output in args.output:
        if Path(output).suffix == ".png":
            save_strip(output, frames)
        else:
            save_animation(output, frames, frames_per_second)
    print(f"{successes} of {args.num_envs} episodes succeeded: {', '.join(args.output)}")


if __name__ == "__main__":
    run(main)
