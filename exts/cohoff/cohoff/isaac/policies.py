# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The policies that scripts can run, by name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import torch
from tensordict import TensorDict

from cohoff.algorithms.inference import load_policy
from cohoff.errors import InputError
from cohoff.isaac.evaluation import Policy
from cohoff.isaac.launch import make_expert
from cohoff.policies.base import base_path, load_base
from cohoff.policies.chunking import ChunkEngine

if TYPE_CHECKING:
    from cohoff.isaac.env import ManipulationEnv

POLICIES = ("expert", "base", "bc", "csil", "csil_step0")


class BasePolicy:
    """A base policy alone, behind its chunk engine."""

    def __init__(self, path: str, task: str, num_envs: int, device: str, base_device: str | None) -> None:
        self.engine = ChunkEngine(load_base(path, task, base_device or device), num_envs, device)

    def __call__(self, obs: TensorDict) -> torch.Tensor:
        """Actions, shape [N, A]."""
        return self.engine.act(obs)

    def reset(self, dones: torch.Tensor) -> None:
        """Drop the plans of finished environments."""
        self.engine.reset(dones)


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that :func:`open_policy` reads."""
    parser.add_argument(
        "--policy",
        required=True,
        choices=POLICIES,
        help="bc: the clone alone; csil_step0: csil before its first update",
    )
    parser.add_argument("--checkpoint", help="base: its file; bc, csil: model_<it>.pt or the folder of a run (latest)")
    parser.add_argument(
        "--base",
        help="base policy of csil, in place of the one the run was trained with: its file or folder, or flow or pi05",
    )
    parser.add_argument("--base_checkpoint", help="file or folder of --base flow or pi05")
    parser.add_argument("--base_device", help="device of the base policy; the simulation's by default")


def check_policy_arguments(args: argparse.Namespace) -> None:
    """Raise InputError where the arguments of :func:`add_policy_arguments` contradict each other; ``base`` becomes a path."""
    args.base = base_path(args.base, args.base_checkpoint)
    if args.policy == "base" and args.base and not args.checkpoint:
        args.checkpoint, args.base = args.base, None
    if args.policy == "expert" and args.checkpoint:
        raise InputError(f"--policy expert takes no checkpoint, got {args.checkpoint!r}; leave --checkpoint out")
    if args.policy != "expert" and not args.checkpoint:
        raise InputError(f"--policy {args.policy} needs --checkpoint")
    if args.base and not args.policy.startswith("csil"):
        raise InputError(f"--base goes with csil, not with --policy {args.policy}; leave it out")


def open_policy(args: argparse.Namespace) -> Policy | None:
    """Open the policy that ``args`` name (also ``task``, ``num_envs``, ``device``); None for the expert.

    Files are opened here, before a simulation is started; :func:`bind_expert` makes the expert, which lives in one.

    Raises:
        InputError: The checkpoint or its base is missing, unreadable or of another task.
    """
    if args.policy == "expert":
        return None
    if args.policy == "base":
        return BasePolicy(args.checkpoint, args.task, args.num_envs, args.device, args.base_device)
    return load_policy(args.checkpoint, args.num_envs, args.device, args.policy, args.base, args.task, args.base_device)


def bind_expert(policy: Policy | None, task: str, env: ManipulationEnv) -> Policy:
    """``policy``, or the expert of ``task`` acting in ``env`` for None."""
    return make_expert(task, env) if policy is None else policy
