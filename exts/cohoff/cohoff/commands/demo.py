# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The whole path on two CPU cores: demonstrations, base policy, CSIL++, evaluations, a table and a video.

``make demo`` runs this as it is, ``make demo-pi05`` from pictures, with ``--train_pi05``. Everything goes to the folder
``--output``: summary.json, success.png, policy.gif, policy.png, the demonstrations, the base policy, the results of all
evaluations and the logs of each stage. The default is ``outputs/demo/<task>/<algorithm>/seed_<n>``, the layout of
results/. The training run itself is in logs/.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from isaaclab.sensors import CameraCfg
from rich.console import Console
from rich.table import Table

from cohoff.cli import add_seed, at_least, check_device, command_parser
from cohoff.errors import InputError
from cohoff.experiments.agent_kinds import agent_kind
from cohoff.experiments.pi05_pipeline import PI05_DEMO, TRAINING, Pi05Pipeline, Pi05PipelineCfg
from cohoff.experiments.pipeline import Pipeline, prepare_output, relative
from cohoff.experiments.pipeline_cfg import QUICK, QUICK_TRAINING, PipelineCfg, task_overrides
from cohoff.experiments.results import run_folder
from cohoff.experiments.workflow import StageFailed, Workflow
from cohoff.files import write_json
from cohoff.isaac.launch import agent_settings, check_task, has_cameras, load_entry_point
from cohoff.isaac.overrides import parse_task_cfg
from cohoff.policies.loading import base_path
from cohoff.policies.pi05.sizes import SIZES
from cohoff.policies.pi05.small_vocabulary import train_vocabulary


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("demo", __doc__)
    parser.add_argument("--task", default="Cohoff-Square-Franka", help="task id (default: %(default)s)")
    parser.add_argument(
        "--num_demonstrations", type=at_least(2), help="demonstrations to record (default: the task's recipe)"
    )
    parser.add_argument(
        "--episodes",
        type=at_least(2),
        default=PipelineCfg.episodes,
        help="episodes of an evaluation; half of them for checkpoints in between (default: %(default)s)",
    )
    add_seed(parser, "training, from which all other seeds are derived")
    parser.add_argument("--agent", default=PipelineCfg.agent, help="agent of the task (default: %(default)s)")
    parser.add_argument(
        "--reward",
        choices=("coherent", "time", "sparse"),
        help="of an agent that has a choice; time and sparse are controls (default: the agent's)",
    )
    parser.add_argument("--device", default=PipelineCfg.device, help="cpu, cuda or cuda:<index> (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="folder for everything (default: see above)")
    parser.add_argument(
        "--base_from", type=Path, help="folder of another demo whose demonstrations and base policy are used"
    )
    parser.add_argument("--base", help="base policy instead of one trained here: its file or folder, or flow or pi05")
    parser.add_argument("--base_checkpoint", help="file or folder of --base flow or pi05")
    parser.add_argument(
        "--train_pi05",
        action="store_true",
        help="train a small pi-0.5 from random weights as the base policy; for tasks and agents that see",
    )
    parser.add_argument("--resume", action="store_true", help="continue an interrupted demo")
    parser.add_argument("--quick", action="store_true", help="run through all stages without learning anything")
    parser.add_argument("overrides", nargs="*", help="settings of training, agent.algorithm.beta=0.1, or of the task")
    args = parser.parse_args(argv)
    if args.output is None:
        args.output = run_folder(Path("outputs/demo"), args.task, label(args, "_"), args.seed)
    if args.output.exists() and not args.output.is_dir():
        raise InputError(f"--output {str(args.output)!r} is a file; give a folder")
    if args.train_pi05 and (args.base or args.base_from):
        raise InputError("--train_pi05 trains the base policy here; leave --base and --base_from out")
    args.base = base_path(args.base, args.base_checkpoint)
    if args.base is not None and not Path(args.base).exists():
        raise InputError(f"no base policy at {args.base!r}; give a file of scripts/pretrain.py or a pi-0.5 folder")
    for name in ("disturbed.hdf5",) if args.base else ("disturbed.hdf5", "base.safetensors"):
        if args.base_from is not None and not (args.base_from / name).is_file():
            raise InputError(f"--base_from {str(args.base_from)!r} holds no {name}; give the folder of a finished demo")
    check_task(args.task)
    if args.train_pi05 and not (has_cameras(args.task) and args.agent == "csil_vision"):
        raise InputError("--train_pi05 is for pictures; give --task Cohoff-...-Camera-Franka --agent csil_vision")
    args.device = check_device(args.device)
    return args


def label(args: argparse.Namespace, separator: str) -> str:
    """Name of what is run: the agent, and its reward if that was chosen."""
    return separator.join(filter(None, (args.agent, args.reward)))


def pipeline_cfg(args: argparse.Namespace) -> PipelineCfg:
    """Configuration of the pipeline that the command line asks for.

    Raises:
        InputError: The task has no such agent, or the agent has no choice of rewards.
    """
    settings = agent_settings(args.task, args.agent)
    if args.reward and "reward" not in settings:
        raise InputError(f"agent {args.agent!r} has one reward only; leave --reward out")
    recipe = load_entry_point(args.task, "recipe_entry_point")
    cfg = (Pi05PipelineCfg if args.train_pi05 else PipelineCfg)(
        task=args.task,
        num_demonstrations=recipe.num_demonstrations,
        disturbance=recipe.disturbance,
        agent=args.agent,
        label=label(args, ", "),
        seed=args.seed,
        device=args.device,
        episodes=args.episodes,
        checkpoint_episodes=args.episodes // 2,
        base=args.base,
    )
    if args.train_pi05:
        cfg = replace(cfg, **PI05_DEMO, instruction=check_pictures(args))
    if args.num_demonstrations:
        cfg = replace(cfg, num_demonstrations=args.num_demonstrations)
    if args.quick and args.train_pi05:
        cfg = replace(cfg, encoder_steps=QUICK["pretrain_steps"])
    if args.quick:
        cfg = replace(cfg, **QUICK, overrides=tuple(filter(partial(has_setting, settings), QUICK_TRAINING)))
    reward = (f"agent.algorithm.reward={args.reward}",) if args.reward else ()
    return replace(cfg, overrides=(*cfg.overrides, *reward, *args.overrides))


def check_pictures(args: argparse.Namespace) -> str:
    """The task in words; its pictures must be of the size that pi-0.5 is made for.

    Raises:
        InputError: They are not.
    """
    cfg: Any = parse_task_cfg(args.task, 1, args.device, task_overrides(args.overrides))
    side = SIZES[TRAINING["size"]].image
    for camera in vars(cfg.scene).values():
        if isinstance(camera, CameraCfg) and (camera.height, camera.width) != (side, side):
            raise InputError(
                f"pictures have {camera.height} x {camera.width} pixels, and --train_pi05 is for {side} x {side}; "
                f"add presets=pictures{side}"
            )
    return cfg.instruction


def has_setting(settings: Mapping[str, Any], override: str) -> bool:
    """Whether an algorithm with ``settings`` has the one that ``override`` changes, ``agent.algorithm.a.b=1``."""
    node: Any = settings
    for name in override.partition("=")[0].removeprefix("agent.algorithm.").split("."):
        if name not in node:
            return False
        node = node[name]
    return True


def show(summary: dict[str, Any], cfg: PipelineCfg, output: Path, console: Console) -> None:
    """Print the summary as a table."""
    table = Table(title=f"{cfg.task}, seed {cfg.seed}")
    for column in ("policy", "success", "95% interval", "episodes", "environment steps"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    trained = summary[cfg.agent]
    rows = [
        ("base policy", summary["base"], 0),
        ("clone", summary["bc"], 0),
        (f"{cfg.label} at step 0", trained["step0"], 0),
        (f"{cfg.label}, final", trained["final"], trained["env_steps"]),
    ]
    for title, rate, steps in rows:
        if rate is None:
            continue  # an agent without a clone
        interval = f"{rate['low']:.3f} - {rate['high']:.3f}"
        table.add_row(title, f"{rate['success']:.3f}", interval, str(rate["episodes"]), f"{steps:,}")
    console.print(table)
    minutes = summary["seconds"]["total"] / 60
    speed = summary["throughput"]["env_steps_per_second"]
    print(f"lowest success during training {trained['min_during_training']:.3f}")
    print(f"{minutes:.1f} minutes, {speed:.0f} environment steps/s in training")
    print(f"{relative(output)}: summary.json, success.png, policy.gif")


def main(argv: Sequence[str]) -> int:
    """Run the demo and report."""
    args = parse_arguments(argv)
    cfg = pipeline_cfg(args)
    agent = agent_kind(agent_settings(args.task, args.agent))
    console = Console()
    prepare_output(cfg, args.output, args.resume)
    try:
        with Workflow(args.output, console, resume=args.resume) as flow:
            if isinstance(cfg, Pi05PipelineCfg):
                tokenizer = args.output / "tokenizer.model"
                train_vocabulary(tokenizer)
                pipeline = Pi05Pipeline(cfg, tokenizer, args.output, flow)
            else:
                pipeline = Pipeline(cfg, agent, args.output, flow, args.base_from)
            summary = pipeline.run()
    except StageFailed as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    write_json(args.output / "summary.json", summary)
    show(summary, cfg, args.output, console)
    return 0
