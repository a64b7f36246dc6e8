# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Record demonstrations of a task's scripted expert.

Example::

    python scripts/collect_demos.py --task Cohoff-Square-Franka --num_demos 200 --num_envs 64 --seed 0 --output outputs/demos.hdf5
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cohoff.cli import ArgumentParser, run
from cohoff.errors import InputError
from cohoff.files import check_target
from cohoff.isaac.launch import check_device, check_task, make_env, make_expert
from cohoff.isaac.overrides import parse_with_overrides
from cohoff.isaac.recording import CollectionProgress, collect, write_demonstrations


def parse_arguments() -> argparse.Namespace:
    """The command line, checked before anything is started."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="task id")
    parser.add_argument("--num_demos", type=int, required=True, help="successful episodes to record")
    parser.add_argument("--num_envs", type=int, default=64)
    parser.add_argument(
        "--seed", type=int, default=0, help="of the initial states, the noise and the choice of episodes"
    )
    parser.add_argument("--output", required=True, help="HDF5 file to write, ending in .hdf5")
    parser.add_argument("--noise", type=float, default=0.05, help="standard deviation of the noise on executed actions")
    parser.add_argument("--device", help="cpu, cuda or cuda:<index>; the first GPU if there is one, by default")
    args = parse_with_overrides(parser)
    for name in ("num_demos", "num_envs"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name} is {getattr(args, name)}; give at least 1")
    if args.seed < 0:
        raise InputError(f"--seed is {args.seed}; give at least 0")
    if not (math.isfinite(args.noise) and args.noise >= 0.0):
        raise InputError(f"--noise is {args.noise}; give a finite number of at least 0")
    if Path(args.output).suffix != ".hdf5":
        raise InputError(f"--output is {args.output!r}; give a file name that ends in .hdf5")
    check_task(args.task)
    args.device = check_device(args.device)
    check_target(args.output)
    return args


@contextmanager
def show_progress(console: Console, num_demos: int) -> Iterator[Callable[[CollectionProgress], None]]:
    """A progress bar on a terminal, a line for each tenth of the demonstrations elsewhere."""
    columns = (
        TextColumn("collecting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("demonstrations of {task.fields[attempted]} episodes"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        row = bar.add_task("", total=num_demos, attempted=0)
        tenths = 0

        def update(now: CollectionProgress) -> None:
            nonlocal tenths
            bar.update(row, completed=min(now.collected, num_demos), attempted=now.attempted)
            if not console.is_terminal and 10 * now.collected // num_demos > tenths:
                tenths = 10 * now.collected // num_demos
                console.print(f"{now.collected} demonstrations of {now.attempted} episodes", highlight=False)

        yield update


def main() -> None:
    """Collect and write."""
    args = parse_arguments()
    console = Console()
    with (
        make_env(args.task, args.num_envs, args.device, args.seed, args.overrides) as env,
        show_progress(console, args.num_demos) as update,
    ):
        start = time.perf_counter()
        episodes = collect(env, make_expert(args.task, env), args.num_demos, args.noise, args.seed, update)
        seconds = time.perf_counter() - start
        write_demonstrations(args.output, episodes, args.task, args.seed, args.noise, args.overrides)
    steps = sum(len(episode.data["actions"]) for episode in episodes)
    console.print(
        f"{args.output}: {len(episodes)} demonstrations, {steps / len(episodes):.0f} steps on average, "
        f"{60 * len(episodes) / seconds:.0f} a minute",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    run(main)
