# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure what the learner adds to a simulation step, and what an update costs.

Acting, the replay buffer and the chunk engine are timed around ``env.step`` in the same loop. The network of the base
policy is replaced by one that costs nothing, because its cost depends on the base policy and not on the loop.

Example::

    cohoff benchmark_loop --task Cohoff-Square-Franka --demos outputs/demos.hdf5 \\
        --base outputs/base.safetensors --num_envs 64 --json results/tasks/square/loop.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import torch
from tensordict import TensorDict

from cohoff.cli import add_demos, add_json, add_num_envs, at_least, command_parser
from cohoff.experiments.timing import clock
from cohoff.files import write_json
from cohoff.isaac.arguments import add_task_and_device, parse_and_check
from cohoff.isaac.launch import make_env
from cohoff.provenance import provenance

WARM_UP = 20
"""Control steps before the clock starts."""


class FreeBase:
    """Base policy that plans zero actions at no cost."""

    observations: tuple[str, ...] = ("policy",)
    noise_dim = 0

    def __init__(self, horizon: int, action_dim: int, num_envs: int, device: str):
        self.horizon, self.action_dim = horizon, action_dim
        self._chunk = torch.zeros(num_envs, horizon, action_dim, device=device)

    def plan(self, obs: TensorDict, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Zeros, shape [B, H, A]."""
        return self._chunk[: obs.batch_size[0]]


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("benchmark_loop", __doc__)
    add_task_and_device(parser)
    add_demos(parser)
    parser.add_argument("--base", required=True, help="base policy, a file written by pretrain")
    add_num_envs(parser, 64)
    parser.add_argument("--steps", type=at_least(1), default=200, help="timed control steps (default: %(default)s)")
    parser.add_argument("--updates", type=at_least(1), default=50, help="timed updates (default: %(default)s)")
    add_json(parser)
    return parse_and_check(parser, argv)


def main(argv: Sequence[str]) -> None:
    """Time the loop and print it."""
    args = parse_arguments(argv)
    with make_env(args.task, args.num_envs, args.device, seed=0) as env:
        from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
        from isaaclab_tasks.utils import load_cfg_from_registry

        from cohoff.offpolicy.algorithm import OffPolicyAlgorithm

        wrapped = RslRlVecEnvWrapper(env, clip_actions=1.0)  # pyright: ignore[reportArgumentType]
        runner_cfg: Any = load_cfg_from_registry(args.task, "rsl_rl_csil_cfg_entry_point")
        cfg = runner_cfg.to_dict()
        cfg["algorithm"] |= {"demonstrations": args.demos, "base": args.base}
        cfg["algorithm"]["clone"]["steps"] = 20  # enough for a reward
        cfg["algorithm"]["critic"]["pretrain_steps"] = 1
        cfg["algorithm"]["updates_per_iteration"] = args.updates
        obs = wrapped.get_observations()
        algorithm = OffPolicyAlgorithm.construct_algorithm(obs, wrapped, cfg, args.device)
        algorithm.train_mode()
        engine = algorithm.engine
        assert engine is not None
        engine.policy = FreeBase(engine.policy.horizon, engine.policy.action_dim, args.num_envs, args.device)
        simulation = loop = 0.0
        with torch.inference_mode():
            for step in range(WARM_UP + args.steps):
                start = clock(args.device)
                actions = algorithm.act(obs)
                acted = clock(args.device)
                obs, rewards, dones, extras = wrapped.step(actions)
                stepped = clock(args.device)
                algorithm.process_env_step(obs, rewards, dones, extras)
                if step >= WARM_UP:
                    simulation += stepped - acted
                    loop += acted - start + clock(args.device) - stepped
        algorithm.actor_start_steps = algorithm.actor_start_episodes = 0
        start = clock(args.device)
        algorithm.update()
        update = (clock(args.device) - start) / args.updates
    result = {
        "task": args.task,
        "num_envs": args.num_envs,
        "device": args.device,
        "threads": torch.get_num_threads(),
        "simulation_ms": 1e3 * simulation / args.steps,
        "loop_ms": 1e3 * loop / args.steps,
        "loop_share": loop / simulation,
        "update_ms": 1e3 * update,
        **provenance(),
    }
    if args.json:
        write_json(args.json, result)
    print(
        f"{args.num_envs} environments on {args.device}: env.step {result['simulation_ms']:.1f} ms, loop "
        f"{result['loop_ms']:.1f} ms ({100 * result['loop_share']:.1f}%), update {result['update_ms']:.1f} ms"
    )
