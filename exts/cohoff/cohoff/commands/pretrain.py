# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Train the base policy of a task on demonstrations; on a task with cameras, from pictures, with their encoder.

Example::

    cohoff pretrain --task Cohoff-Square-Franka --demos outputs/demos.hdf5 --output outputs/base.safetensors
    cohoff pretrain --task Cohoff-Square-Camera-Franka --demos outputs/camera.hdf5 --output outputs/pi05 \\
        --base pi05 --base_checkpoint lerobot/pi05_base --instruction "put the square nut on the peg"
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cohoff.cli import add_demos, add_seed, at_least, command_parser, show_progress
from cohoff.commands import pretrain_pi05
from cohoff.data.demonstrations import POLICY, load_demonstrations
from cohoff.data.stored import load_pictures
from cohoff.errors import InputError
from cohoff.files import check_target
from cohoff.isaac.arguments import add_task_and_device, parse_and_check
from cohoff.isaac.launch import has_cameras
from cohoff.networks.encoders import IMAGES
from cohoff.policies.flow.policy import FlowPolicySpec
from cohoff.policies.flow.seeing import ROBOT
from cohoff.policies.flow.seeing_training import SeeingTrainingCfg, train_seeing_flow
from cohoff.policies.flow.training import FlowTrainingCfg, FlowTrainingReport, enough_steps, train_flow
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.provenance import provenance


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    defaults = FlowTrainingCfg()
    parser = command_parser("pretrain", __doc__)
    add_task_and_device(parser)
    add_demos(parser)
    parser.add_argument("--base", choices=KINDS, default="flow", help="kind of policy (default: %(default)s)")
    parser.add_argument(
        "--output", required=True, help="file to write the policy to, for example base.safetensors; pi05: a folder"
    )
    add_seed(parser, "initialization and batches", defaults.seed)
    parser.add_argument(
        "--steps",
        type=at_least(1),
        help=f"optimizer steps (default: {defaults.steps}, or 50 passes if that is more; from pictures, with smaller "
        f"batches, {enough_steps(1, SeeingTrainingCfg.batch_size)}; pi05: {Pi05TrainingCfg.steps})",
    )
    parser.add_argument(
        "--num_demonstrations", type=at_least(1), help="use only the first demonstrations of the file (default: all)"
    )
    pretrain_pi05.add_arguments(parser)
    return parse_and_check(parser, argv)


def describe(report: FlowTrainingReport) -> str:
    """The losses in words."""
    holdout = "-" if report.holdout_loss is None else f"{report.holdout_loss:.4f}"
    return f"loss {report.loss:.4f}, holdout {holdout}"


def train_flow_base(args: argparse.Namespace) -> None:
    """Train a flow policy and save it."""
    if unknown := pretrain_pi05.given(args):
        raise InputError(f"{', '.join(unknown)}: of --base pi05 only")
    check_target(args.output)
    sees = has_cameras(args.task)
    sizes = {ROBOT: None} if sees else {POLICY: None}
    demos = load_demonstrations(
        args.demos, task=args.task, sizes=sizes, device=args.device, limit=args.num_demonstrations
    )
    kind = SeeingTrainingCfg if sees else FlowTrainingCfg
    cfg = kind(seed=args.seed, steps=args.steps or enough_steps(demos.num_transitions, kind.batch_size))
    pictures = load_pictures(demos, IMAGES) if sees else {}
    reports: list[FlowTrainingReport] = []
    start = time.perf_counter()
    with show_progress("training", cfg.steps, "steps") as advance:

        def record(report: FlowTrainingReport) -> None:
            reports.append(report)
            advance(report.step, describe(report))

        if isinstance(cfg, SeeingTrainingCfg):
            policy = train_seeing_flow(demos, pictures, cfg, record)
        else:
            spec = FlowPolicySpec(obs_dim=demos.obs.shape[1], action_dim=demos.actions.shape[1])
            policy = train_flow(demos, spec, cfg, record)
    seconds = time.perf_counter() - start
    origin: dict[str, Any] = {
        "demos": Path(args.demos).name,
        "num_demonstrations": demos.num_episodes,
        "seed": cfg.seed,
        "steps": cfg.steps,
        "training": asdict(cfg),
        "loss": reports[-1].loss,
        "holdout_loss": reports[-1].holdout_loss,
        "seconds": round(seconds, 3),
        **provenance(),
    }
    policy.save(args.output, args.task, origin)
    print(
        f"{args.output}: {demos.num_episodes} demonstrations, {demos.num_transitions} transitions, {cfg.steps} steps, "
        f"{describe(reports[-1])}, {seconds:.0f} s"
    )


KINDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "flow": train_flow_base,
    "pi05": pretrain_pi05.train_pi05,
}
"""Training of each kind of base policy."""


def main(argv: Sequence[str]) -> None:
    """Train and save."""
    args = parse_arguments(argv)
    KINDS[args.base](args)
