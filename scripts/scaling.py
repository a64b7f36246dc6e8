# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Compute how training scales with the number of processes, from times measured here and an assumed network.

What an update exchanges and what it takes on one core are measured. Everything about several machines is computed.
``--step_ms``, ``--update_ms`` and ``--packing_ms`` put times of a GPU, measured or assumed, in the place of its.

Example::

    python scripts/scaling.py --profile cpu --step_ms 56.3 --num_envs 64 --per_node 2 --inside 10 5 --across 1.25 30
    python scripts/scaling.py --profile gpu_assumed --step_ms 60 --update_ms 1.5 --packing_ms 0.05 --num_envs 4096 \\
        --batch 16
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from cohoff.benchmarks.scaling import Exchange, Link, Machine, measure_exchange, scaling_row, time_gloo
from cohoff.benchmarks.sizes import Sizes
from cohoff.cli import ArgumentParser, at_least, run
from cohoff.files import check_target, write_json
from cohoff.provenance import provenance

RESULTS = Path(__file__).parents[1] / "results" / "scale"

MEASURED = ("update_ms", "packing_ms")
"""Times that are measured here where none are given."""


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", required=True, help="name of the files, <profile>_<critic>.json in results/scale")
    parser.add_argument("--step_ms", type=at_least(0.0), required=True, help="time of a control step [ms]")
    parser.add_argument("--update_ms", type=at_least(0.0), help="time of an update [ms] (default: measured here)")
    parser.add_argument("--packing_ms", type=at_least(0.0), help="time of packing an update's exchange [ms] (the same)")
    parser.add_argument("--num_envs", type=at_least(1), required=True, help="environments of a process")
    parser.add_argument("--critic", nargs="+", choices=Sizes().critics, default=list(Sizes().critics), help="sizes")
    parser.add_argument(
        "--batch", type=at_least(2), default=256, help="transitions of a process (default: %(default)s)"
    )
    parser.add_argument("--steps", type=at_least(1), default=8, help="control steps of an iteration")
    parser.add_argument("--updates", type=at_least(1), default=64, help="updates of an iteration")
    parser.add_argument("--per_node", type=at_least(1), default=8, help="processes of a node (default: %(default)s)")
    parser.add_argument("--inside", type=at_least(0.0), nargs=2, default=[200.0, 5.0], metavar=("GB/s", "µs"),
                        help="link inside of a node: bandwidth and latency (default: %(default)s)")  # fmt: skip
    parser.add_argument("--across", type=at_least(0.0), nargs=2, default=[25.0, 10.0], metavar=("GB/s", "µs"),
                        help="link between nodes, for each process (default: %(default)s)")  # fmt: skip
    parser.add_argument("--gpus", type=at_least(1), nargs="+", default=[1, 2, 4, 8, 16, 32, 64], help="processes")
    parser.add_argument("--calls", type=at_least(1), default=30, help="timed calls (default: %(default)s)")
    return parser.parse_args()


def gloo_ms(size: int, numbers: int, calls: int) -> float:
    """Time to average over ``size`` processes on this machine [ms]."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with ProcessPoolExecutor(size, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(time_gloo, rank, size, port, numbers, calls) for rank in range(size)]
        return max(future.result() for future in futures)


def main() -> None:
    """Write one file for each size of critics."""
    args = parse_arguments()
    torch.set_num_threads(1)
    for critic in args.critic:
        target = check_target(RESULTS / f"{args.profile}_{critic}.json")
        measured: dict[str, Any] = measure_exchange(Sizes().critics[critic], args.batch, args.calls)
        numbers = round(measured["bytes"] / measured["calls"] / 4)
        measured["gloo_ms"] = {size: measured["calls"] * gloo_ms(size, numbers, args.calls) for size in (2, 4)}
        times = {name: measured[name] if (given := getattr(args, name)) is None else given for name in MEASURED}
        links = {"inside": Link(*args.inside), "across": Link(*args.across), "per_node": args.per_node}
        machine = Machine(step_ms=args.step_ms, num_envs=args.num_envs, **times, **links)
        exchange = Exchange(measured["calls"], measured["bytes"])
        rows = [scaling_row(count, machine, exchange, args.steps, args.updates) for count in args.gpus]
        write_json(
            target,
            {"computed": True, "critic": critic, "measured": measured, "machine": asdict(machine)}
            | {"steps": args.steps, "updates": args.updates, "rows": rows} | provenance(),
        )  # fmt: skip
        print(f"wrote {target}", flush=True)


if __name__ == "__main__":
    run(main)
