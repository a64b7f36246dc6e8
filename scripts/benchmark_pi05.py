# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure the cost of planning with pi-0.5 (random weights), optionally against lerobot's implementation.

Example::

    python scripts/benchmark_pi05.py --size full --dtype bfloat16 --mode eager graph compile \\
        --json results/pi05/gpu.json
    python scripts/benchmark_pi05.py --size small --compare lerobot --batch 1 32 --json results/pi05/lerobot_cpu.json

The comparison needs the environment that `make parity` creates. Both networks get the same weights, inputs and noise
and take turns; the time of each is the median over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from safetensors.torch import load_file, save_file
from torch import Tensor

from cohoff.cli import at_least, run
from cohoff.experiments.timing import clock
from cohoff.policies.pi05.batches import MODES, MicroBatches
from cohoff.policies.pi05.network import Pi05, trim
from cohoff.policies.pi05.random_weights import random_source
from cohoff.policies.pi05.sizes import SIZES
from cohoff.policies.pi05.spec import Pi05Shapes, flops
from lerobot_process import start_lerobot
from pi05_benchmark import FILLED, PADDED, compared_shapes, make_inputs, make_parser, parse_arguments, report

SHAPES = ((3, 200), (2, 64), (1, 64))
"""Cameras and prompt lengths that are measured."""

PARITY = 1e-4
"""Maximum difference from lerobot in float32."""


def make_arguments() -> argparse.Namespace:
    """Parse and check the command line."""
    parser = make_parser(__doc__, "calls")
    parser.add_argument(
        "--batch", type=at_least(1), nargs="+", default=[1, 8, 32, 128, 256], help="environments planned for at once"
    )
    parser.add_argument(
        "--micro_batch", type=at_least(1), default=32, help="larger batches are split into parts of this size"
    )
    parser.add_argument(
        "--mode", nargs="+", choices=MODES, help="ways of running; graph on CUDA and eager elsewhere by default"
    )
    args = parse_arguments(parser)
    args.mode = args.mode or ["graph" if args.device.startswith("cuda") else "eager"]
    return args


def timed(device: str, call: Callable[..., Tensor], *inputs: Tensor) -> tuple[float, Tensor]:
    """Return the time [s] and the result of one call."""
    start = clock(device)
    result = call(*inputs)
    return clock(device) - start, result


def measure_ceiling(dtype: torch.dtype, device: str) -> float:
    """Return the highest rate [FLOP/s] of large matrix products."""
    best = 0.0
    for size in (4096, 8192) if device.startswith("cuda") else (512, 1024, 2048):
        a, b = torch.randn(2, size, size, device=device, dtype=dtype)
        for _ in range(6):
            seconds, _ = timed(device, torch.matmul, a, b)
            best = max(best, 2 * size**3 / seconds)
    return best


def measure(args: argparse.Namespace, model: Pi05, ceiling: float) -> Iterator[dict[str, Any]]:
    """Yield one row for each mode, shape and batch size."""
    for mode in args.mode:
        for cameras, tokens in SHAPES:
            network = MicroBatches(model, cameras, tokens, min(args.micro_batch, max(args.batch)), mode)
            for batch in args.batch:
                shapes = Pi05Shapes(batch, cameras, tokens)
                inputs = make_inputs(model.spec, shapes, args.device)
                network(*inputs)
                if args.device.startswith("cuda"):
                    torch.cuda.reset_peak_memory_stats(args.device)
                seconds = statistics.median(timed(args.device, network, *inputs)[0] for _ in range(args.rounds))
                rate = sum(flops(model.spec, shapes).values()) / seconds
                yield {
                    "mode": mode,
                    **asdict(shapes),
                    "call_ms": 1e3 * seconds,
                    "chunk_ms": 1e3 * seconds / batch,
                    "chunks_per_second": batch / seconds,
                    "tflops": rate / 1e12,
                    "ceiling_share": rate / ceiling,
                    "memory_gib": torch.cuda.max_memory_allocated(args.device) / 2**30
                    if args.device.startswith("cuda")
                    else None,
                }


def compare(args: argparse.Namespace, model: Pi05) -> Iterator[dict[str, Any]]:
    """Yield one row for each batch size: both networks at equal shapes, and this one trimmed to the filled part."""
    cameras, length = PADDED
    with tempfile.TemporaryDirectory() as name, start_lerobot() as lerobot:
        folder = Path(name)
        files = {key: str(folder / f"{key}.safetensors") for key in ("weights", "inputs", "output")}
        source = random_source(model.spec)
        save_file({key: source.read(key).to(model.dtype) for key in source.shapes}, files["weights"])
        request = {"spec": asdict(model.spec), "weights": files["weights"], "cameras": cameras}
        lerobot.ask(request | {"dtype": args.dtype, "device": args.device})
        for batch in args.batch:
            inputs = make_inputs(model.spec, Pi05Shapes(batch, cameras, length), args.device, FILLED)
            names = ("images", "image_masks", "tokens", "token_mask", "noise")
            save_file({key: tensor.cpu() for key, tensor in zip(names, inputs, strict=True)}, files["inputs"])
            images, image_masks, tokens, token_mask, noise = inputs
            trimmed = (*trim(images, image_masks, tokens, token_mask), noise)
            networks = {}
            for key, tensors in (("same", inputs), ("trimmed", trimmed)):
                networks[key] = MicroBatches(model, *_prefix(tensors), min(args.micro_batch, batch), args.mode[0])
            seconds: dict[str, list[float]] = {"lerobot": [], "same": [], "trimmed": []}
            difference = {}
            for _ in range(args.rounds + 1):
                seconds["lerobot"].append(lerobot.ask(files)["seconds"])
                expected = load_file(files["output"])["actions"]
                for key, tensors in (("same", inputs), ("trimmed", trimmed)):
                    elapsed, actions = timed(args.device, networks[key], *tensors)
                    seconds[key].append(elapsed)
                    difference[key] = (actions.cpu() - expected).abs().max().item()
            medians = {key: statistics.median(values[1:]) for key, values in seconds.items()}
            yield {
                "batch": batch,
                **{f"{key}_ms": 1e3 * value for key, value in medians.items()},
                "speedup_same": medians["lerobot"] / medians["same"],
                "speedup_trimmed": medians["lerobot"] / medians["trimmed"],
                **{f"difference_{key}": value for key, value in difference.items()},
            }


def _prefix(inputs: tuple[Tensor, ...]) -> tuple[int, int]:
    """Return cameras and prompt length of the inputs of a call."""
    return inputs[0].shape[1], inputs[2].shape[1]


def main() -> int:
    """Measure and print."""
    args = make_arguments()
    console = Console(width=200)
    device, dtype = torch.device(args.device), getattr(torch, args.dtype)
    spec = SIZES[args.size]
    model = Pi05(random_source(spec, device="cpu" if args.compare else device), spec, device, dtype)
    ceiling = measure_ceiling(dtype, args.device)
    rows = list(compare(args, model) if args.compare else measure(args, model, ceiling))
    own = {"ceiling_tflops": ceiling / 1e12, "compared_shapes": compared_shapes() if args.compare else None}
    report(args, "pi-0.5", f"ceiling {ceiling / 1e12:.3g} TFLOP/s", own, rows, console)
    if args.compare and args.dtype == "float32":
        worst = max(row[f"difference_{key}"] for row in rows for key in ("same", "trimmed"))
        console.print(f"largest difference from lerobot {worst:.2g}, allowed {PARITY:.0e}")
        return int(not worst < PARITY)
    return 0


if __name__ == "__main__":
    run(main)
