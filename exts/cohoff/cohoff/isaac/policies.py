# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The policies that commands can run, by name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, get_args

import torch
from tensordict import TensorDict

from cohoff.cli import at_least
from cohoff.errors import InputError
from cohoff.isaac.evaluation import Policy
from cohoff.isaac.launch import make_expert
from cohoff.isaac.overrides import refuse_base
from cohoff.isaac.ppo_policy import PpoPolicy
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import PolicyKind
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.exported import ExportedPolicy
from cohoff.policies.loading import base_path, load_base

if TYPE_CHECKING:
    from cohoff.isaac.env import ManipulationEnv

WITHOUT_CHECKPOINT = ("expert", "zero", "random")
"""Policies that are created for an environment and not read from a file."""

TRAINED = get_args(PolicyKind)
"""Policies in the checkpoint of a training run."""

POLICIES = (*WITHOUT_CHECKPOINT, "base", *TRAINED, "ppo", "exported")


class BasePolicy:
    """A base policy alone, acting through its chunk engine."""

    def __init__(self, path: str, task: str, num_envs: int, device: str, base_device: str | None) -> None:
        self.engine = ChunkEngine(load_base(path, task, base_device or device), num_envs, device)

    def __call__(self, obs: TensorDict) -> torch.Tensor:
        """Actions, shape [N, A]."""
        return self.engine.act(obs)

    def reset(self, dones: torch.Tensor) -> None:
        """Drop the plans of finished environments."""
        self.engine.reset(dones)


class ZeroPolicy:
    """Stands still with the gripper open."""

    def __init__(self, env: ManipulationEnv) -> None:
        self._shape, self._device = env.action_manager.action.shape, env.device

    def __call__(self, obs: TensorDict) -> torch.Tensor:
        """Zeros, shape [N, A]."""
        return torch.zeros(self._shape, device=self._device)

    def reset(self, dones: torch.Tensor) -> None:
        """Do nothing: the policy has no memory."""


class RandomPolicy(ZeroPolicy):
    """Draws actions uniformly from [-1, 1]."""

    def __init__(self, env: ManipulationEnv, seed: int) -> None:
        super().__init__(env)
        self._generator = torch.Generator(env.device).manual_seed(seed)

    def __call__(self, obs: TensorDict) -> torch.Tensor:
        """Uniform noise, shape [N, A]."""
        return 2.0 * torch.rand(self._shape, generator=self._generator, device=self._device) - 1.0


def add_policy_arguments(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the arguments that :func:`open_policy` reads; without a ``default``, ``--policy`` is required."""
    parser.add_argument(
        "--policy",
        required=default is None,
        default=default,
        choices=POLICIES,
        help="zero: no motion; random: uniform actions; step0: trained before its first update; clone: of the "
        "demonstrations, without the base; ppo: an agent of rsl_rl's own PPO, such as resip, which needs env.base=FILE "
        "as in training",
    )
    parser.add_argument(
        "--checkpoint",
        help="base: its file; trained, step0, clone, ppo: model_<it>.pt or the folder of a run (latest); "
        "exported: the folder that isaaclab play wrote",
    )
    parser.add_argument(
        "--base",
        help="base policy of trained and step0 instead of the one of the run: its file or folder, or flow or pi05",
    )
    parser.add_argument("--base_checkpoint", help="file or folder of --base flow or pi05")
    parser.add_argument(
        "--best_of",
        type=at_least(1),
        default=1,
        help="samples of base noise and action from which the critic of trained chooses (default: %(default)s)",
    )
    parser.add_argument("--base_device", help="device of the base policy (default: that of the simulation)")


def check_policy_arguments(args: argparse.Namespace) -> None:
    """Check the arguments of :func:`add_policy_arguments` and ``overrides``; ``base`` becomes a path.

    Raises:
        InputError: They contradict each other.
    """
    args.base = base_path(args.base, args.base_checkpoint)
    if args.policy == "base" and args.base and not args.checkpoint:
        args.checkpoint, args.base = args.base, None
    if args.policy in WITHOUT_CHECKPOINT and args.checkpoint:
        raise InputError(f"--policy {args.policy} takes no checkpoint, got {args.checkpoint!r}; leave --checkpoint out")
    if args.policy not in WITHOUT_CHECKPOINT and not args.checkpoint:
        raise InputError(f"--policy {args.policy} needs --checkpoint")
    if args.base and args.policy not in ("trained", "step0"):
        raise InputError(f"--base is only for trained and step0, not for --policy {args.policy}; leave it out")
    if args.best_of > 1 and args.policy != "trained":
        raise InputError(f"--best_of is only for trained, not for --policy {args.policy}; leave it out")
    if args.policy != "ppo":
        refuse_base(args.overrides, f"those of --policy {args.policy}")


def open_policy(args: argparse.Namespace) -> Policy | None:
    """Open the policy selected by ``args`` (also ``task``, ``num_envs``, ``device``); None for one without a file.

    Files are opened before a simulation is started; :func:`bind_policy` creates the policies that need one.

    Raises:
        InputError: The checkpoint or its base is missing, unreadable or of another task.
    """
    if args.policy in WITHOUT_CHECKPOINT:
        return None
    if args.policy == "base":
        return BasePolicy(args.checkpoint, args.task, args.num_envs, args.device, args.base_device)
    if args.policy == "ppo":
        return PpoPolicy(args.checkpoint, args.device, args.task)
    if args.policy == "exported":
        return ExportedPolicy(args.checkpoint, args.num_envs, args.device, args.task)
    return load_policy(
        args.checkpoint, args.num_envs, args.device, args.policy, args.base, args.task, args.base_device, args.best_of
    )


def bind_policy(policy: Policy | None, args: argparse.Namespace, env: ManipulationEnv) -> Policy:
    """``policy``, or for None the policy without a file selected by ``args`` (``policy``, ``task``, ``seed``)."""
    if policy is not None:
        return policy
    if args.policy == "expert":
        return make_expert(args.task, env)
    return ZeroPolicy(env) if args.policy == "zero" else RandomPolicy(env, args.seed)
