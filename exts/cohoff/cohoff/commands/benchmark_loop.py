# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Measure what the learner adds to a simulation step, and what an update costs.

Several agents take turns in the same environments. Acting, the replay buffer and the chunk engine are timed around
``env.step`` in the same loop. The network of the base policy is replaced by one that costs nothing, because its cost
depends on the base policy and not on the loop.

Example::

    cohoff benchmark_loop --task Cohoff-Square-Franka --demos outputs/demos.hdf5 \\
        --base outputs/base.safetensors --num_envs 64 --agent csil xqc --json outputs/loop.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from tensordict import TensorDict

from cohoff.cli import add_demos, add_json, add_num_envs, at_least, command_parser
from cohoff.errors import InputError
from cohoff.experiments.timing import clock
from cohoff.files import write_json
from cohoff.isaac.arguments import add_task_and_device, parse_and_check
from cohoff.isaac.launch import agent_settings, make_env
from cohoff.policies.base import ChunkPolicy
from cohoff.provenance import provenance

if TYPE_CHECKING:
    from cohoff.offpolicy.algorithm import OffPolicyAlgorithm

WARM_UP = 20
"""Control steps before the clock starts."""


class FreeBase:
    """Base policy that plans zero actions at no cost."""

    observations: tuple[str, ...] = ("policy",)

    def __init__(self, replaced: ChunkPolicy, num_envs: int, device: str):
        self.horizon, self.action_dim, self.noise_dim = replaced.horizon, replaced.action_dim, replaced.noise_dim
        self._chunk = torch.zeros(num_envs, self.horizon, self.action_dim, device=device)

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
    parser.add_argument("--agent", nargs="+", default=["csil"], help="agents of the task (default: csil)")
    parser.add_argument("--steps", type=at_least(1), default=200, help="timed control steps (default: %(default)s)")
    parser.add_argument("--updates", type=at_least(1), default=48, help="timed updates (default: %(default)s)")
    add_json(parser)
    args = parse_and_check(parser, argv)
    for agent in args.agent:
        if "demonstrations" not in agent_settings(args.task, agent):
            raise InputError(f"agent {agent!r} is none of the off-policy core, whose loop this measures; leave it out")
    return args


def make_algorithm(wrapped: Any, agent: str, args: argparse.Namespace) -> OffPolicyAlgorithm:
    """Agent ``agent`` over a base policy that plans at no cost, after next to no learning from demonstrations."""
    from isaaclab_tasks.utils import load_cfg_from_registry

    from cohoff.offpolicy.algorithm import OffPolicyAlgorithm

    runner_cfg: Any = load_cfg_from_registry(args.task, f"rsl_rl_{agent}_cfg_entry_point")
    cfg = runner_cfg.to_dict()
    settings = cfg["algorithm"]
    settings |= {"demonstrations": args.demos, "base": args.base}
    for section, name, value in (("clone", "steps", 20), ("critic", "pretrain_steps", 1)):
        if name in settings.get(section, {}):
            settings[section][name] = value
    algorithm = OffPolicyAlgorithm.construct_algorithm(wrapped.get_observations(), wrapped, cfg, args.device)
    algorithm.train_mode()
    if algorithm.engine is not None:
        algorithm.engine.policy = FreeBase(algorithm.engine.policy, args.num_envs, args.device)
    return algorithm


def measure(wrapped: Any, agent: str, args: argparse.Namespace) -> dict[str, Any]:
    """Times of a control step and of an update [ms] with ``agent``."""
    algorithm = make_algorithm(wrapped, agent, args)
    obs = wrapped.get_observations()
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
    algorithm.learn(args.updates)
    update = (clock(args.device) - start) / args.updates
    return {
        "agent": agent,
        "simulation_ms": 1e3 * simulation / args.steps,
        "loop_ms": 1e3 * loop / args.steps,
        "loop_share": loop / simulation,
        "update_ms": 1e3 * update,
        "updates_per_second": 1.0 / update,
    }


def main(argv: Sequence[str]) -> None:
    """Time the loop and print it."""
    args = parse_arguments(argv)
    with make_env(args.task, args.num_envs, args.device, seed=0) as env:
        from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

        wrapped = RslRlVecEnvWrapper(env, clip_actions=1.0)  # pyright: ignore[reportArgumentType]
        rows = []
        for agent in args.agent:
            rows.append(measure(wrapped, agent, args))
            shown = {name: f"{value:.3g}" for name, value in rows[-1].items() if name != "agent"}
            print(f"{agent}: " + ", ".join(f"{name} {value}" for name, value in shown.items()), flush=True)
    result = {
        "task": args.task,
        "num_envs": args.num_envs,
        "device": args.device,
        "threads": torch.get_num_threads(),
        "agents": rows,
        **provenance(),
    }
    if args.json:
        write_json(args.json, result)
