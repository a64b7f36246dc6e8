# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure the success rate of a policy on a task: of the expert, a base policy, a clone or a trained policy.

Example::

    cohoff evaluate --task Cohoff-Square-Franka --policy trained --checkpoint logs/rsl_rl/cohoff_square/RUN \\
        --episodes 256 --num_envs 64 --seed 100 --json outputs/trained.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch

from cohoff.cli import add_json, add_num_envs, add_seed, at_least, command_parser, show_progress
from cohoff.files import check_target, write_json
from cohoff.isaac.arguments import add_task_and_device, parse_with_overrides
from cohoff.isaac.evaluation import EvaluationProgress, evaluate, round_up_episodes
from cohoff.isaac.launch import make_env
from cohoff.isaac.policies import TRAINED, add_policy_arguments, bind_policy, check_policy_arguments, open_policy
from cohoff.isaac.ppo_policy import counters, find_checkpoint
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.provenance import provenance


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, checked as far as that is possible without opening files."""
    parser = command_parser("evaluate", __doc__)
    add_task_and_device(parser)
    add_policy_arguments(parser)
    parser.add_argument(
        "--episodes",
        type=at_least(1),
        default=256,
        help="rounded up to the same number in each environment (default: %(default)s)",
    )
    add_num_envs(parser, 64)
    add_seed(parser, "the initial states and of policies that sample")
    add_json(parser)
    args = parse_with_overrides(parser, argv)
    check_policy_arguments(args)
    if args.json:
        check_target(args.json)
    return args


def fix_checkpoint(args: argparse.Namespace) -> dict[str, int] | None:
    """Replace the folder of a run by its newest checkpoint, which may be another one when the evaluation is over.

    Returns:
        Iterations, environment steps and updates of the policy; None where it was not trained online.
    """
    if args.policy == "ppo":
        file = find_checkpoint(args.checkpoint)
        args.checkpoint = str(file)
        return counters(file)
    if args.policy not in TRAINED:
        return None
    content, file = read_checkpoint(args.checkpoint)
    args.checkpoint = str(file)
    if args.policy == "clone":
        return None
    return content["counters"] if args.policy == "trained" else dict.fromkeys(content["counters"], 0)


def main(argv: Sequence[str]) -> None:
    """Evaluate and report."""
    args = parse_arguments(argv)
    episodes = round_up_episodes(args.episodes, args.num_envs)
    if episodes != args.episodes:
        print(f"{episodes} episodes instead of {args.episodes}: the same number in each environment", flush=True)
    torch.manual_seed(args.seed)
    training = fix_checkpoint(args)
    policy = open_policy(args)
    with (
        make_env(args.task, args.num_envs, args.device, args.seed, args.overrides) as env,
        show_progress("evaluating", episodes, "episodes") as advance,
    ):

        def report(now: EvaluationProgress) -> None:
            rate = "-" if now.success is None else f"{now.success:.3f}"
            advance(now.finished, f"success {rate}")

        result = evaluate(env, bind_policy(policy, args, env), episodes, report).summary()
    result |= {
        "task": args.task,
        "policy": args.policy,
        "checkpoint": args.checkpoint,
        "base": args.base,
        "best_of": args.best_of,
        "training": training,
        "num_envs": args.num_envs,
        "seeds": [args.seed],
        "overrides": args.overrides,
        "device": args.device,
        **provenance(),
    }
    lengths = result["lengths"]["success"] or result["lengths"]["all"]
    print(
        f"{args.task} {args.policy}: success {result['success']:.3f} [{result['low']:.3f}, {result['high']:.3f}] of "
        f"{result['episodes']} episodes, {lengths['mean']:.0f} steps, {result['non_finite']} non-finite, "
        f"{result['env_steps_per_second']:.0f} environment steps/s"
    )
    if args.json:
        write_json(args.json, result)
