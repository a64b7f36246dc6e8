# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The images of ``docs/tasks`` and its table of initial states.

Each image shows an episode of the expert: its start, its middle and its success. The tables of measurements are written
by ``cohoff table``. A new task needs a section in ``docs/tasks/README.md``, which is written by hand.

Example::

    python scripts/gallery.py                                  # everything
    python scripts/gallery.py --render Cohoff-Square-Franka    # one image, and the table
    python scripts/gallery.py --render                         # the table alone
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from cohoff.cli import ArgumentParser, run
from cohoff.experiments.results import task_folder
from cohoff.experiments.tables import fill
from cohoff.files import atomic_path
from cohoff.isaac.launch import check_task, make_env, make_expert, task_names
from cohoff.isaac.overrides import parse_task_cfg

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "tasks"

SIZE = (440, 400)
"""Width and height of each of an image's three parts [pixels]."""

GAP = 6
"""Width of the lines between the parts [pixels]."""

EYE, TARGET = (0.55, 0.74, 0.46), (0.44, -0.04, 0.09)
"""Where the camera is, from where drawers are seen into, and what it looks at, in the environment's frame [m]."""

SHARPNESS = 2
"""Each pixel is the mean of a square with so many rendered pixels a side."""

STRIDE = 5
"""Control steps between rendered frames; success is held for longer."""


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--render", nargs="*", metavar="TASK", help="tasks to make images of; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of the initial state")
    args = parser.parse_args()
    for task in args.render or []:
        check_task(task)
    return args


def gallery_tasks() -> list[str]:
    """The tasks, without their camera variants."""
    return [task for task in task_names() if "-Camera-" not in task]


def render(task: str, seed: int, path: Path) -> None:
    """Write the image of ``task``: its initial state, the middle of the episode and the success, from left to right."""
    from cohoff.isaac.video import CAMERA, record_video, video_camera_cfg

    width, height = SIZE
    camera = video_camera_cfg(SHARPNESS * width, SHARPNESS * height, EYE, TARGET)
    with make_env(task, 1, "cpu", seed, cameras={CAMERA: camera}) as env:
        frames, successes = record_video(env, make_expert(task, env), env.max_episode_length, STRIDE)
    if successes == 0:
        raise RuntimeError(f"the expert of {task} fails with seed {seed}; choose another with --seed")
    # The last frame is the one before it with a mark.
    image = Image.new("RGB", (3 * width + 2 * GAP, height), "white")
    for i, frame in enumerate((frames[0], frames[len(frames) // 2], frames[-2])):
        part = Image.fromarray(frame[0]).resize(SIZE, Image.Resampling.BOX)
        image.paste(part, (i * (width + GAP), 0))
    with atomic_path(path) as temporary:
        image.save(temporary, optimize=True)


def initial_states(tasks: list[str]) -> list[str]:
    """Lines of the table of initial states: every object that is drawn anew at a reset, for the presets d0 and d1."""
    lines = ["| task | object | D0 | D1 |", "| --- | --- | --- | --- |"]
    for task in tasks:
        default, wide = (placements(parse_task_cfg(task, 1, "cpu", [f"presets={name}"])) for name in ("d0", "d1"))
        lines += [f"| `{task}` | {name} | {default[name]} | {wide[name]} |" for name in default]
    return lines


def placements(cfg: Any) -> dict[str, str]:
    """Box [cm] and heading [degrees] of every object that is drawn anew at a reset, by its name."""
    drawn = {}
    for term in vars(cfg.events).values():
        if "half_range" in getattr(term, "params", ()):
            x, y = (200.0 * half for half in term.params["half_range"])
            yaw = round(math.degrees(term.params["half_yaw"]))
            heading = "any heading" if yaw == 180 else f"± {yaw}°"
            drawn[term.params["name"].replace("_", " ")] = f"{x:g} x {y:g} cm, {heading}" if x or yaw else "fixed"
    return drawn


def main() -> None:
    """Render in a process per task, then write the table."""
    args = parse_arguments()
    tasks = gallery_tasks()
    chosen = tasks if args.render is None else args.render
    for task in chosen:
        path = FOLDER / f"{task_folder(task)}.png"
        if len(chosen) == 1:
            render(task, args.seed, path)
        else:
            command = [sys.executable, __file__, "--render", task, "--seed", str(args.seed)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(path.relative_to(ROOT), flush=True)
    page = FOLDER / "README.md"
    text = fill(page.read_text(encoding="utf-8"), "gallery", lambda _: initial_states(tasks))
    with atomic_path(page) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
