# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Acting policies from checkpoints, without a learner."""

from __future__ import annotations

import os
from typing import Literal

import torch

from cohoff.errors import InputError
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.policies.acting import ActingPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.combine import make_combination
from cohoff.policies.loading import load_base

_MEMBERS = {"csil": "actor", "csil_step0": "prior", "bc": "clone"}


def load_policy(
    path: str | os.PathLike[str],
    num_envs: int,
    device: torch.device | str,
    kind: Literal["csil", "csil_step0", "bc"] = "csil",
    base_path: str | os.PathLike[str] | None = None,
    task: str | None = None,
    base_device: torch.device | str | None = None,
) -> ActingPolicy:
    """Open the policy of a training run as it acts.

    Args:
        path: ``model_<it>.pt`` or the folder of a run, whose newest checkpoint is taken.
        num_envs: Environments that the policy will act in.
        device: Where it acts.
        kind: ``csil``: trained policy, combined with the base as in training. ``csil_step0``: the same before the first
            update. ``bc``: the clone alone.
        base_path: Base checkpoint; None takes the one the run was trained with.
        task: Task that the checkpoint must be of; None accepts any.
        base_device: Device of the base; None is ``device``.

    Raises:
        InputError: the checkpoint or its base is missing, unreadable or of another task.
    """
    content = read_checkpoint(path, device)
    meta = content["meta"]
    if task is not None and meta["task"] != task:
        raise InputError(f"checkpoint {str(path)!r} is of task {meta['task']!r}, not {task!r}")
    cfg = meta["algorithm"]
    actor = StationaryPolicy(meta["obs_dim"], meta["action_dim"], **cfg["policy"]).to(device)
    prefix = _MEMBERS[kind] + "."
    actor.load_state_dict({k.removeprefix(prefix): v for k, v in content["model"].items() if k.startswith(prefix)})
    combination = make_combination("policy" if kind == "bc" else cfg["combination"], cfg["residual_scale"])
    engine = None
    if combination.uses_base:
        base = load_base(base_path or meta["base"], meta["task"], base_device or device)
        engine = ChunkEngine(base, num_envs, device, cfg["replan_interval"])
    return ActingPolicy(actor.requires_grad_(False).eval(), combination, engine)
