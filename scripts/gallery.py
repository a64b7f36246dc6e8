# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The gallery of tasks, ``docs/tasks``: a picture of each task, rendered here, and a table of what was measured.

Each picture shows an episode of the expert: its start, its middle and its success. The table is made of the files that
``evaluate.py``, ``benchmark_env.py`` and ``replay_demos.py`` have written to ``results/<task>/``: ``expert.json``, ``expert_d1.json``,
``environment.json`` and ``replay.json``.

Example::

    python scripts/gallery.py                                  # everything
    python scripts/gallery.py --render Cohoff-Square-Franka    # one picture, and the table
    python scripts/gallery.py --render                         # the table alone
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
from PIL import Image

from cohoff.cli import ArgumentParser, run
from cohoff.files import atomic_path
from cohoff.isaac.launch import check_task, make_env, make_expert, task_names
from cohoff.isaac.overrides import parse_task_cfg

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "tasks"
RESULTS = ROOT / "results"

SIZE = (440, 400)
"""Width and height of each of a picture's three parts [pixels]."""

GAP = 6
"""Width of the lines between the parts [pixels]."""

EYE, TARGET = (0.55, 0.74, 0.46), (0.44, -0.04, 0.09)
"""Where the camera is, from where drawers are seen into, and what it looks at, in the environment's frame [m]."""

SHARPNESS = 2
"""Each pixel is the mean of a square with so many rendered pixels a side."""

STRIDE = 5
"""Control steps between rendered pictures; success is held for longer."""


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--render", nargs="*", metavar="TASK", help="tasks to make pictures of; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of the initial state")
    args = parser.parse_args()
    for task in args.render or []:
        check_task(task)
    return args


def gallery_tasks() -> list[str]:
    """The tasks, without their camera variants."""
    return [task for task in task_names() if "-Camera-" not in task]


def folder_name(task: str) -> str:
    """Name of the task's package, ``mug_cleanup``, which is that of its results as well."""
    return gym.spec(task).kwargs["env_cfg_entry_point"].split(".")[1]


def render(task: str, seed: int, path: Path) -> None:
    """Write the picture of ``task``: the initial state, the middle of the episode and the success, from left to right."""
    from cohoff.isaac.video import CAMERA, record_video, video_camera_cfg

    width, height = SIZE
    camera = video_camera_cfg(SHARPNESS * width, SHARPNESS * height, EYE, TARGET)
    with make_env(task, 1, "cpu", seed, cameras={CAMERA: camera}) as env:
        frames, successes = record_video(env, make_expert(task, env), env.max_episode_length, STRIDE)
    if successes == 0:
        raise RuntimeError(f"the expert of {task} fails with seed {seed}; choose another with --seed")
    # The last frame is the one before it with a mark.
    picture = Image.new("RGB", (3 * width + 2 * GAP, height), "white")
    for i, frame in enumerate((frames[0], frames[len(frames) // 2], frames[-2])):
        part = Image.fromarray(frame[0]).resize(SIZE, Image.Resampling.BOX)
        picture.paste(part, (i * (width + GAP), 0))
    with atomic_path(path) as temporary:
        picture.save(temporary, optimize=True)


def page(tasks: list[str], results: Path) -> str:
    """Text of the gallery: a table of measurements, then each task's instruction and picture."""
    lines = [
        "# Tasks",
        "",
        "Success of the scripted expert with its 95% interval, over the initial states D0 and the wider D1 (`presets=d1`);",
        "control steps of its episodes; share of its demonstrations that succeed again when their actions are replayed without",
        "looking; environment steps per second of one CPU core, by number of environments; and the fullest that the buffers of one",
        "environment got, under the expert and under random actions.",
        "The speeds were measured on a machine with other work, differently loaded from task to task, so that they are lower",
        "bounds and do not compare the tasks: Square alone has reached 1270 steps/s with 64 environments.",
        "",
        "| task | expert, D0 | expert, D1 | steps | replayed | steps/s at 16, 64, 128 | contacts | constraints |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for task in tasks:
        folder = results / folder_name(task)
        expert, wide, replayed = (read(folder / f"{name}.json") for name in ("expert", "expert_d1", "replay"))
        cells = [f"[`{task}`](#{task.lower()})", rate(expert), rate(wide), steps(expert), rate(replayed)]
        cells += speed_and_budget(read(folder / "environment.json"))
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Initial states, drawn uniformly: box of the position and range of the heading. D0 is close to MimicGen's",
        "(arXiv 2310.17596): the same boxes for Coffee, Threading and HammerCleanup, wider ones for the nuts (there 0.5 x 11.5 cm),",
        "a smaller one for the mug (there 30 x 15 cm). Machine, cabinet and pegs stay where they are in D1 as well.",
        "",
        "| task | object | D0 | D1 |",
        "|---|---|---|---|",
    ]
    for task in tasks:
        default, wide = (placements(parse_task_cfg(task, 1, "cpu", [f"presets={name}"])) for name in ("d0", "d1"))
        lines += [f"| `{task}` | {name} | {default[name]} | {wide[name]} |" for name in default]
    for task in tasks:
        instruction = parse_task_cfg(task, 1, "cpu").instruction
        lines += [
            "",
            f"## {task}",
            "",
            f"“{instruction}”",
            "",
            f"![{task}: start, middle and success]({folder_name(task)}.png)",
        ]
    return "\n".join([*lines, ""])


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


def read(path: Path) -> dict[str, Any] | None:
    """Content of a JSON file, None where there is none."""
    return json.loads(path.read_text()) if path.is_file() else None


def rate(result: dict[str, Any] | None) -> str:
    """Success with its interval; a dash for what was not measured."""
    if result is None:
        return "-"
    return f"{result['success']:.3f} ({result['low']:.3f} to {result['high']:.3f}, {result['episodes']} episodes)"


def steps(result: dict[str, Any] | None) -> str:
    """Mean length of a success; a dash for what was not measured."""
    return f"{result['lengths']['success']['mean']:.0f}" if result and result["lengths"]["success"] else "-"


def speed_and_budget(result: dict[str, Any] | None) -> list[str]:
    """Speed, contacts and constraints; dashes for what was not measured."""
    if result is None:
        return ["-"] * 3
    runs = result["runs"]
    speed = ", ".join(f"{one['expert']['env_steps_per_second']:.0f}" for one in runs)
    used = [
        f"{max(one[agent][kind] for one in runs for agent in ('expert', 'random'))} of {runs[0][f'{kind}_available']}"
        for kind in ("contacts", "constraints")
    ]
    return [speed, *used]


def main() -> None:
    """Render in a process per task, then write the page."""
    args = parse_arguments()
    tasks = gallery_tasks()
    FOLDER.mkdir(parents=True, exist_ok=True)
    chosen = tasks if args.render is None else args.render
    for task in chosen:
        path = FOLDER / f"{folder_name(task)}.png"
        if len(chosen) == 1:
            render(task, args.seed, path)
        else:
            command = [sys.executable, __file__, "--render", task, "--seed", str(args.seed)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(path.relative_to(ROOT), flush=True)
    (FOLDER / "README.md").write_text(page(tasks, RESULTS), encoding="utf-8")


if __name__ == "__main__":
    run(main)
