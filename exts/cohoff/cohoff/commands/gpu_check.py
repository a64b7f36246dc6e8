# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure everything that runs on a GPU, and compare it with the CPU. At most 8 minutes on one GPU.

Without Isaac Lab the simulation is left out, and torch, tensordict, h5py, safetensors, sentencepiece and rich are
enough. A section that fails reports its error, the others still run, and the exit status is 1.

Example::

    python scripts/gpu_check.py
    python scripts/gpu_check.py --quick --device cpu --sections learner replay flow pi05 correctness
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from cohoff.benchmarks.correctness import check_agreement
from cohoff.benchmarks.learner import measure_updates
from cohoff.benchmarks.planning import measure_flow, measure_pi05
from cohoff.benchmarks.replay import measure_replay
from cohoff.benchmarks.sizes import QUICK, Sizes
from cohoff.cli import add_device, at_least, check_device, command_parser
from cohoff.errors import InputError
from cohoff.experiments.timing import clock, processor
from cohoff.files import check_target, write_json
from cohoff.provenance import provenance

Rows = Iterator[dict[str, Any]]

FOLDER = Path("results/gpu")
"""Where the result goes by default, in a file named after the device."""

TASK = "Cohoff-Square-Franka"
"""What is simulated by default."""

REPORTED = ("env_steps_per_second", "ms_per_step", "non_finite_environments")
"""What is kept of a simulation under the scripted expert."""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("gpu_check", __doc__)
    add_device(parser)
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="all by default")
    parser.add_argument("--quick", action="store_true", help="the smallest sizes, to see that everything runs")
    parser.add_argument("--batch", type=at_least(2), nargs="+", help="transitions per update")
    parser.add_argument("--rows", type=at_least(1), help="transitions in the replay buffer")
    parser.add_argument("--task", nargs="+", default=[TASK], help="tasks to simulate (default: %(default)s)")
    parser.add_argument("--num_envs", type=at_least(1), nargs="+", help="environments to simulate")
    parser.add_argument("--json", type=Path, help=f"file for the result (default: {FOLDER}/<device>.json)")
    args = parser.parse_args(argv)
    args.device = check_device(args.device)
    given = {"batches": args.batch, "rows": args.rows, "simulated_envs": args.num_envs}
    changes = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items() if v is not None}
    args.sizes = dataclasses.replace(QUICK if args.quick else Sizes(), **changes)
    if args.sizes.rows < args.sizes.replay_envs:
        raise InputError(
            f"--rows is {args.sizes.rows}; give at least {args.sizes.replay_envs}, one for each environment"
        )
    args.json = check_target(args.json or FOLDER / f"{file_name(processor(args.device))}.json")
    return args


def file_name(name: str) -> str:
    """``name`` in lower case, with dashes between its words."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def measure_simulation(args: argparse.Namespace) -> Rows:
    """One row for each task and number of environments, from ``benchmark_env`` in a process of its own."""
    for task in args.task:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "result.json"
            steps = "2" if args.quick else "50"
            command = [sys.executable, "-m", "cohoff", "benchmark_env", "--task", task, "--device", args.device]
            command += ["--num_envs", *map(str, args.sizes.simulated_envs), "--json", str(target)]
            command += ["--expert_steps", steps, "--random_steps", steps]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            for run in json.loads(target.read_text())["runs"]:
                expert = {name: run["expert"][name] for name in REPORTED}
                yield {"task": task, "num_envs": run["num_envs"], **expert}


SECTIONS: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "correctness": lambda args: check_agreement(args.sizes, args.device),
    "learner": lambda args: measure_updates(args.sizes, args.device),
    "replay": lambda args: measure_replay(args.sizes, args.device),
    "flow": lambda args: measure_flow(args.sizes, args.device),
    "pi05": lambda args: measure_pi05(args.sizes, args.device),
    "simulation": measure_simulation,
}
"""What is measured, in this order."""


def run_section(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Rows and time of a section; with ``error`` if it failed, or ``skipped`` if it cannot run here."""
    if name == "simulation" and find_spec("isaaclab") is None:
        return {"skipped": "Isaac Lab is not installed"}
    rows: list[dict[str, Any]] = []
    result: dict[str, Any] = {"rows": rows}
    start = clock(args.device)
    try:
        for row in SECTIONS[name](args):
            rows.append(row)
            print(f"{name}: " + ", ".join(f"{key} {shown(value)}" for key, value in row.items()), flush=True)
        result["seconds"] = clock(args.device) - start
    except Exception as error:  # whatever is wrong in one section, the others have something to say
        traceback.print_exc()
        result["error"] = f"{type(error).__name__}: {error}"
    gc.collect()
    if args.device.startswith("cuda"):
        torch.cuda.empty_cache()
    return result


def shown(value: Any) -> str:
    """``value`` for a table."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def show(name: str, section: dict[str, Any], console: Console) -> None:
    """Print a section as a table."""
    state = section.get("error") or section.get("skipped")
    if rows := section.get("rows"):
        table = Table(*rows[0], title=name)
        for row in rows:
            table.add_row(*(shown(value) for value in row.values()))
        console.print(table)
    if state:
        console.print(f"{name}: {state}", markup=False)


def main(argv: Sequence[str]) -> int:
    """Run the sections, write the result and print it."""
    args = parse_arguments(argv)
    torch.manual_seed(0)
    result: dict[str, Any] = {
        "device": args.device,
        "processor": processor(args.device),
        "threads": torch.get_num_threads(),
        "sizes": dataclasses.asdict(args.sizes),
        "sections": {},
        **provenance(),
    }
    for name in args.sections:
        result["sections"][name] = run_section(name, args)
        write_json(args.json, result)  # after each, so that little is lost if the process is ended
    console = Console(width=120)
    for name, section in result["sections"].items():
        show(name, section, console)
    print(f"{result['processor']}: {args.json}")
    return int(any("error" in section for section in result["sections"].values()))
