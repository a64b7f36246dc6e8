# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Fine-tuning of pi-0.5 on demonstrations with images, for ``cohoff pretrain --base pi05``."""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cohoff.cli import at_least, show_progress
from cohoff.data.demonstrations import POLICY, Demonstrations, load_demonstrations
from cohoff.data.stored import stored_frames
from cohoff.errors import InputError
from cohoff.offpolicy.distributed import Ranks
from cohoff.offpolicy.interruption import Interrupted, Interruption, end
from cohoff.policies.pi05.checkpoint_folder import is_checkpoint_folder
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.finetune import FineTuning
from cohoff.policies.pi05.finetuning.loop import Report
from cohoff.policies.pi05.finetuning.processes import joined, place
from cohoff.policies.pi05.finetuning.scope import SCOPES, make_scope
from cohoff.policies.pi05.finetuning.start import Start, kept_statistics, start_from_checkpoint, start_from_size
from cohoff.policies.pi05.finetuning.statistics import Statistics, check_statistics, compute_statistics
from cohoff.policies.pi05.sizes import SIZES
from cohoff.provenance import provenance

SETTINGS = {
    "train": "scope", "lora_rank": "lora_rank", "lora_expert_rank": "lora_expert_rank", "batch_size": "batch_size",
    "micro_batch": "micro_batch", "flow_times": "flow_times", "learning_rate": "learning_rate",
    "ema_decay": "ema_decay", "dtype": "dtype", "save_every": "save_every",
}  # fmt: skip
"""Settings of training by the names of their options."""

POLICY_SETTINGS = {
    "instruction": "instructions", "cameras": "cameras", "state": "state", "state_columns": "state_columns",
    "tokenizer": "tokenizer",
}  # fmt: skip
"""Settings of the policy by the names of their options."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of pi-0.5; all are None or False unless they are given."""
    defaults = Pi05TrainingCfg()
    start = parser.add_argument_group("pi-0.5: what to start from")
    start.add_argument("--base_checkpoint", help="folder of a checkpoint, or its name on the Hugging Face hub")
    start.add_argument("--size", choices=SIZES, help="random weights of this size instead")
    start.add_argument("--instruction", nargs="+", help="what the demonstrations show, in plain words")
    start.add_argument("--cameras", nargs="+", help="cameras, in the order of the checkpoint's (agentview wrist)")
    start.add_argument("--state", help="observation that holds the robot's state (policy)")
    start.add_argument("--state_columns", nargs="+", type=at_least(0), help="columns of it (all)")
    start.add_argument("--tokenizer", help="PaliGemma's SentencePiece model (tokenizer.model in the checkpoint)")
    start.add_argument(
        "--keep_statistics", action="store_true", help="normalize as the checkpoint does, not by the demonstrations"
    )
    train = parser.add_argument_group("pi-0.5: training")
    train.add_argument("--train", choices=SCOPES, help=f"what is trained (default: {defaults.scope})")
    train.add_argument("--lora_rank", type=int, help=f"rank of the prefix's adapters ({defaults.lora_rank})")
    train.add_argument("--lora_expert_rank", type=int, help=f"of the expert's ({defaults.lora_expert_rank})")
    train.add_argument("--batch_size", type=at_least(1), help=f"frames per step ({defaults.batch_size})")
    train.add_argument(
        "--micro_batch", type=at_least(1), help="frames that a process computes at once (the batch, up to 32)"
    )
    train.add_argument(
        "--flow_times", type=at_least(1), help="flow times per frame (1; 4 if the expert alone is trained)"
    )
    train.add_argument("--learning_rate", type=at_least(0.0), help=f"at its peak ({defaults.learning_rate})")
    train.add_argument("--ema_decay", type=at_least(0.0), help=f"of the averaged weights ({defaults.ema_decay})")
    train.add_argument("--dtype", choices=("float32", "bfloat16"), help="precision (bfloat16 on a GPU)")
    train.add_argument("--save_every", type=at_least(1), help=f"steps between saves ({defaults.save_every})")
    train.add_argument("--no_augmentation", action="store_true", help="leave the images as they are")
    train.add_argument(
        "--no_gradient_checkpointing", action="store_true", help="keep all intermediates: faster, takes more memory"
    )


def given(args: argparse.Namespace) -> list[str]:
    """Return the options of :func:`add_arguments` that were given."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    names = vars(parser.parse_args([]))
    return [f"--{name}" for name, default in names.items() if getattr(args, name) != default]


def make_cfg(args: argparse.Namespace) -> Pi05TrainingCfg:
    """Return the settings of training.

    Raises:
        InputError: One of them is unusable.
    """
    settings: dict[str, Any] = {
        setting: value for name, setting in SETTINGS.items() if (value := getattr(args, name)) is not None
    }
    settings.setdefault("dtype", "bfloat16" if args.device.startswith("cuda") else "float32")
    settings.setdefault("flow_times", 4 if args.train == "expert" else 1)
    settings.setdefault("micro_batch", min(32, settings.get("batch_size", 32)))
    if args.steps is not None:
        settings["steps"] = args.steps
    cfg = Pi05TrainingCfg(
        seed=args.seed,
        augment=not args.no_augmentation,
        gradient_checkpointing=not args.no_gradient_checkpointing,
        **settings,
    )
    make_scope(cfg.scope, cfg.lora_rank, cfg.lora_expert_rank)
    return cfg


def make_start(args: argparse.Namespace) -> Start:
    """Return what training starts from.

    Raises:
        InputError: It is not there, or settings are lacking.
    """
    if (args.base_checkpoint is None) == (args.size is None):
        raise InputError(
            "pi-0.5 starts from --base_checkpoint DIR or from random weights of a --size; give one of them"
        )
    settings: dict[str, Any] = {
        setting: tuple(value) if isinstance(value, list) else value
        for name, setting in POLICY_SETTINGS.items()
        if (value := getattr(args, name)) is not None
    }
    if "tokenizer" in settings:
        settings["tokenizer"] = str(Path(settings["tokenizer"]).absolute())
    if args.size is not None:
        return start_from_size(args.size, settings, args.seed)
    return start_from_checkpoint(args.base_checkpoint, settings)


def read_statistics(args: argparse.Namespace, start: Start, demos: Demonstrations) -> Statistics:
    """Return the normalization: of the demonstrations, or the checkpoint's.

    Raises:
        InputError: The checkpoint has none, or those of another robot.
    """
    state = demos.observations[start.cfg.state]
    if start.cfg.state_columns is not None:
        if max(start.cfg.state_columns) >= state.shape[1]:
            raise InputError(
                f"the demonstrations' state {start.cfg.state!r} has {state.shape[1]} columns, and state_columns are "
                f"{', '.join(map(str, start.cfg.state_columns))}"
            )
        state = state[:, list(start.cfg.state_columns)]
    if not args.keep_statistics:
        return compute_statistics(state, demos.actions)
    kept, origin = start.kept_normalizers(), f"checkpoint {args.base_checkpoint!r}"
    check_statistics(state, demos.actions, kept, origin)
    return kept_statistics(kept, origin)


def train_pi05(args: argparse.Namespace) -> None:
    """Train and write a checkpoint's folder; a run that was interrupted goes on."""
    folder = Path(args.output)
    if folder.is_file() or is_checkpoint_folder(folder):
        raise InputError(f"--output {args.output!r} is a file or holds a checkpoint; give a new folder")
    cfg, start = make_cfg(args), make_start(args)
    sizes = {POLICY: None, start.cfg.state: None}
    demos = load_demonstrations(args.demos, task=args.task, sizes=sizes, limit=args.num_demonstrations)
    statistics = read_statistics(args, start, demos)
    data = {
        "demos": Path(args.demos).name,
        "num_demonstrations": demos.num_episodes,
        "fingerprint": demos.fingerprint(),
        "base_checkpoint": args.base_checkpoint,
        "instructions": list(start.cfg.instructions),
        "cameras": list(start.cfg.cameras),
        "spec": asdict(start.spec),
    }
    names = [f"images/{camera}" for camera in start.cfg.cameras]
    names += [start.cfg.state, *(["instruction"] if len(start.cfg.instructions) > 1 else [])]
    with joined(args.device) as (device, rank), stored_frames(demos, names) as frames:
        run = FineTuning(start, demos, frames, statistics, cfg, folder, data, device)
        _train(run, rank, {**data, "task": args.task, **provenance()})


def _train(run: FineTuning, rank: int, origin: dict[str, Any]) -> None:
    """Train to the end or to an interruption; the first process shows progress and writes."""
    steps, begin, before = run.cfg.steps, time.perf_counter(), run.taken
    shown = show_progress("training", steps, "steps") if rank == 0 else nullcontext(lambda done, status: None)
    with Interruption(Ranks(*place(), run.network.device)) as interruption, shown as advance:

        def report(state: Report) -> None:
            advance(state.step, f"loss {state.loss:.4f}")

        def after_step(taken: int) -> None:
            if rank == 0 and taken % run.cfg.save_every == 0 and taken < steps:
                run.save()
            interruption.check()

        try:
            loss = run.run(report, after_step)
        except Interrupted as interrupted:
            if rank == 0:
                run.save()
            end(interrupted, f"the same command goes on after step {run.taken}")
    if rank != 0:
        return
    seconds = time.perf_counter() - begin
    rate = (steps - before) * run.cfg.batch_size / seconds
    run.finish({**origin, "steps": steps, "loss": loss, "seconds": round(seconds, 3)})
    print(f"{run.folder}: {steps} steps, loss {loss:.4f}, {seconds:.0f} s, {rate:.1f} frames/s")
