# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure training steps of pi-0.5 (random weights), optionally against lerobot's implementation.

Example::

    python scripts/benchmark_pi05_training.py --size small --compare lerobot --batch 8 --device cpu \\
        --json results/pi05/training_cpu.json

The comparison needs the environment that `make parity` creates. Loss and gradients of one batch are compared first,
then both implementations take training steps in turns, and lerobot opens a checkpoint that was fine-tuned here.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from safetensors.torch import load_file, save_file
from tensordict import TensorDict
from torch import Tensor

from cohoff.cli import at_least, run
from cohoff.experiments.timing import clock
from cohoff.policies.pi05.finetuning.batches import Batch
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.finetune import FineTuning
from cohoff.policies.pi05.finetuning.network import TrainableNetwork
from cohoff.policies.pi05.finetuning.objective import draw_times, flow_loss
from cohoff.policies.pi05.finetuning.optimizer import MasterOptimizer
from cohoff.policies.pi05.finetuning.scope import make_scope
from cohoff.policies.pi05.finetuning.start import start_from_size
from cohoff.policies.pi05.finetuning.statistics import compute_statistics, normalizers
from cohoff.policies.pi05.network import trim
from cohoff.policies.pi05.policy import load_pi05
from cohoff.policies.pi05.preprocess import digitize
from cohoff.policies.pi05.prompt import Tokenizer
from cohoff.policies.pi05.random_weights import random_source
from cohoff.policies.pi05.sizes import SIZES
from cohoff.policies.pi05.small_vocabulary import train_vocabulary
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec
from cohoff.policies.pi05.tensor_names import EMBEDDING, HEAD
from lerobot_process import Lerobot, start_lerobot
from pi05_benchmark import FILLED, PADDED, compared_shapes, make_inputs, make_parser, parse_arguments, report, show

ACTIONS = 7
"""Action dimensions that exist."""

VARIANTS = (
    ("everything", 1, False), ("everything", 1, True), ("expert", 1, False), ("expert", 4, False), ("lora", 1, False),
)  # fmt: skip
"""What is trained, flow times per frame, and whether what is empty is left out, as in use; in the order of the rows."""

LOSS, GRADIENT, PLAN = 1e-5, 1e-4, 1e-4
"""Maximum difference of the loss, relative to their norm of the gradients, and of a plan."""

INSTRUCTION = "put the nut on the peg"


def make_arguments() -> argparse.Namespace:
    """Parse and check the command line."""
    parser = make_parser(__doc__, "steps")
    parser.add_argument("--batch", type=at_least(1), default=8, help="frames per step")
    return parse_arguments(parser)


def loss_of(network: TrainableNetwork, batch: Batch) -> Tensor:
    """Return the loss of a batch."""
    return flow_loss(network, batch.inputs, batch.actions, batch.noise, batch.time, ACTIONS)


def make_batch(spec: Pi05Spec, size: int, flow_times: int, device: str) -> Batch:
    """Make a batch of random frames."""
    *inputs, _ = make_inputs(spec, Pi05Shapes(size, *PADDED), device, FILLED)
    generator = torch.Generator().manual_seed(0)
    actions = 2.0 * torch.rand(size, spec.chunk, spec.action_dim, generator=generator) - 1.0
    actions[..., ACTIONS:] = 0.0
    noise = torch.randn(size, flow_times, spec.chunk, spec.action_dim, generator=generator)
    time = draw_times(size * flow_times, generator).view(size, flow_times)
    return Batch(tuple(inputs), actions.to(device), noise.to(device), time.to(device))


def write_batch(batch: Batch, path: str) -> None:
    """Write a batch with one flow time per frame, as lerobot's process reads it."""
    names = ("images", "image_masks", "tokens", "token_mask")
    tensors = dict(zip(names, batch.inputs, strict=True))
    tensors |= {"actions": batch.actions, "noise": batch.noise[:, 0], "time": batch.time[:, 0]}
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, path)


def build(args: argparse.Namespace, scope: str, cfg: Pi05TrainingCfg) -> tuple[TrainableNetwork, MasterOptimizer]:
    """Build network and optimizer."""
    spec, dtype = SIZES[args.size], getattr(torch, args.dtype)
    network = TrainableNetwork(random_source(spec), spec, make_scope(scope), torch.device(args.device), dtype)
    return network, MasterOptimizer(network.weights.leaves, cfg)


def compare_gradients(args: argparse.Namespace, lerobot: Lerobot, batch: Batch, folder: Path) -> dict[str, Any]:
    """Return the largest differences of loss and gradients from lerobot's."""
    network, _ = build(args, "everything", Pi05TrainingCfg())
    path = str(folder / "gradients.safetensors")
    answer = lerobot.ask({"batch": str(folder / "batch.safetensors"), "action_dim": ACTIONS, "gradients": path})
    expected = load_file(path, device=args.device)
    if EMBEDDING not in expected:
        expected[EMBEDDING] = expected.pop(HEAD)
    loss = loss_of(network, batch)
    loss.backward()
    gradients = [leaf.master.grad for leaf in network.weights.leaves if leaf.master.grad is not None]
    differences = {}
    for name, gradient in network.weights.named(gradients):
        difference, norm = (gradient - expected[name]).norm().item(), expected[name].norm().item()
        if name.endswith("k_proj.bias"):
            # Zero but for rounding: they shift all scores of a query alike, so that softmax does not see them.
            norm = expected[name.removesuffix("bias") + "weight"].norm().item()
        differences[name] = difference / norm
    worst = max(differences, key=lambda name: differences[name])
    return {
        "loss": loss.item(),
        "loss_difference": abs(loss.item() - answer["loss"]),
        "gradients": len(differences),
        "gradient_difference": differences[worst],
        "worst_gradient": worst,
    }


@dataclass
class Episode:
    """One demonstrated episode of M steps."""

    obs: Tensor
    actions: Tensor
    starts: Tensor
    lengths: Tensor
    episode_of: Tensor


def compare_plans(args: argparse.Namespace, lerobot: Lerobot, folder: Path) -> float:
    """Fine-tune here for a few steps, open the result in both, and return the largest difference of their plans."""
    spec, count = SIZES[args.size], 12
    generator = torch.Generator().manual_seed(1)
    images = {
        camera: torch.randint(0, 256, (count, spec.image, spec.image, 3), dtype=torch.uint8, generator=generator)
        for camera in ("agentview", "wrist")
    }
    state = torch.rand(count, 5, generator=generator)
    obs = TensorDict({"images": TensorDict(images, [count]), "policy": state}, [count])
    # Small, so that the policy's limits on actions do not hide anything.
    actions = 0.2 * torch.rand(count, ACTIONS, generator=generator) - 0.1
    one = torch.zeros(1, dtype=torch.long)
    demos = Episode(state, actions, one, one + count, torch.zeros(count, dtype=torch.long))
    train_vocabulary(folder / "tokenizer.model")
    start = start_from_size(
        args.size, {"instructions": (INSTRUCTION,), "tokenizer": str(folder / "tokenizer.model")}, seed=0
    )
    measured = compute_statistics(state, actions)
    cfg = Pi05TrainingCfg(steps=3, batch_size=4, micro_batch=4, dtype="float32", learning_rate=1e-3, scope="lora")
    result = folder / "result"
    run = FineTuning(start, demos, lambda rows: obs[rows], measured, cfg, result, {}, torch.device("cpu"))
    run.run()
    run.finish({})
    noise = torch.randn(count, spec.chunk, spec.action_dim, generator=generator)
    plans = load_pi05(result).plan(obs, noise.flatten(1))
    tokenizer, prompts = Tokenizer(folder / "tokenizer.model", spec.vocab), {}
    for bins in digitize(normalizers(measured)[0].forward(state)).tolist():
        text = f"Task: {INSTRUCTION}, State: {' '.join(map(str, bins))};\nAction: "
        prompts[text] = tokenizer.encode(text)
    shown = {f"observation.images.{name}": (x.permute(0, 3, 1, 2) / 255.0).contiguous() for name, x in images.items()}
    save_file(shown | {"observation.state": state, "noise": noise}, folder / "observations.safetensors")
    lerobot.ask(
        {
            "folder": str(result),
            "spec": asdict(spec),
            "observations": str(folder / "observations.safetensors"),
            "output": str(folder / "plans.safetensors"),
            "tasks": [INSTRUCTION] * count,
            "prompts": prompts,
        }
    )
    expected = load_file(folder / "plans.safetensors")["actions"].clamp(-1.0, 1.0)
    return (plans - expected).abs().max().item()


def measure(args: argparse.Namespace, lerobot: Lerobot | None, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield one row for each variant; the implementations take turns."""
    cfg = Pi05TrainingCfg(ema_decay=0.0)
    trainers = {}
    for variant in VARIANTS:
        scope, flow_times, trimmed = variant
        network, optimizer = build(args, scope, cfg)
        batch = make_batch(network.spec, args.batch, flow_times, args.device)
        if trimmed:
            batch = replace(batch, inputs=trim(*batch.inputs))
        trainers[variant] = (network, optimizer, batch)
    seconds: dict[Any, list[float]] = {variant: [] for variant in (*VARIANTS, "everything", "expert")}
    for step in range(args.rounds + 1):
        for variant, (network, optimizer, batch) in trainers.items():
            start = clock(args.device)
            loss_of(network, batch).backward()
            optimizer.step(step)
            seconds[variant].append(clock(args.device) - start)
        for scope in ("everything", "expert") if lerobot is not None else ():
            assert lerobot is not None
            request = {"batch": str(folder / "batch.safetensors"), "action_dim": ACTIONS, "scope": scope}
            seconds[scope].append(lerobot.ask(request)["seconds"])
    medians = {variant: statistics.median(values[1:]) for variant, values in seconds.items() if values}
    everything = medians[VARIANTS[0]]
    for variant in VARIANTS:
        scope, flow_times, trimmed = variant
        reference = medians.get(scope) if flow_times == 1 else None
        yield {
            "trained": scope,
            "flow_times": flow_times,
            "trimmed": trimmed,
            "step_ms": 1e3 * medians[variant],
            "frames_per_second": args.batch / medians[variant],
            "samples_per_second": args.batch * flow_times / medians[variant],
            "samples_against_everything": flow_times * everything / medians[variant],
            "lerobot_ms": None if reference is None else 1e3 * reference,
            "speedup": None if reference is None else reference / medians[variant],
        }


def prepare_lerobot(args: argparse.Namespace, lerobot: Lerobot, folder: Path) -> None:
    """Give lerobot's process the weights and a batch."""
    spec = SIZES[args.size]
    source, path = random_source(spec), str(folder / "weights.safetensors")
    save_file({name: source.read(name) for name in source.shapes}, path)
    request = {"spec": asdict(spec), "weights": path, "cameras": PADDED[0]}
    lerobot.ask(request | {"dtype": args.dtype, "device": args.device})
    write_batch(make_batch(spec, args.batch, 1, args.device), str(folder / "batch.safetensors"))


def main() -> int:
    """Compare, measure and print."""
    args = make_arguments()
    console = Console(width=200)
    parity: dict[str, Any] | None = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.compare:
            with start_lerobot() as lerobot:
                prepare_lerobot(args, lerobot, folder)
                batch = make_batch(SIZES[args.size], args.batch, 1, args.device)
                if args.dtype == "float32":
                    parity = compare_gradients(args, lerobot, batch, folder)
                rows = list(measure(args, lerobot, folder))
                if parity is not None:
                    parity["plan_difference"] = compare_plans(args, lerobot, folder)
        else:
            rows = list(measure(args, None, folder))
    own = {"batch": args.batch, "shapes": compared_shapes(), "parity": parity}
    report(args, "training pi-0.5", f"batch {args.batch}", own, rows, console)
    if parity is None:
        return 0
    show([parity], "difference from lerobot", console)
    limits = {"loss_difference": LOSS, "gradient_difference": GRADIENT, "plan_difference": PLAN}
    return int(not all(parity[key] < limit for key, limit in limits.items()))


if __name__ == "__main__":
    run(main)
