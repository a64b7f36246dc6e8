# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Acting policies from checkpoints, without a learner."""

from __future__ import annotations

import os
from typing import get_args

import torch
from tensordict import TensorDict

from cohoff.errors import InputError
from cohoff.files import reading
from cohoff.networks.encoders import IMAGES
from cohoff.offpolicy.best_of import BestOf, BestOfPolicy
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.offpolicy.learner import PolicyKind, Problem, make_learner
from cohoff.offpolicy.observing import Observer
from cohoff.policies.acting import ActingPolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.policies.loading import load_base


def load_policy(
    path: str | os.PathLike[str],
    num_envs: int,
    device: torch.device | str,
    kind: PolicyKind = "trained",
    base_path: str | os.PathLike[str] | None = None,
    task: str | None = None,
    base_device: torch.device | str | None = None,
    best_of: int = 1,
) -> ActingPolicy | BestOfPolicy:
    """Open the policy of a training run as it acts.

    Args:
        path: ``model_<it>.pt`` or the folder of a run, whose newest checkpoint is taken.
        num_envs: Environments that the policy will act in.
        device: Where it acts.
        kind: ``trained``: combined with the base as in training. ``step0``: the same before the first update.
            ``clone``: the clone alone.
        base_path: Base checkpoint; None takes the one the run was trained with.
        task: Task that the checkpoint must be of; None accepts any.
        base_device: Device of the base; None is ``device``.
        best_of: Samples from which the critic chooses, of ``trained`` only.

    Raises:
        InputError: the checkpoint or its base is missing, unreadable or of another task, or it holds no clone.
    """
    content, file = read_checkpoint(path, device)
    meta = content["meta"]
    if task is not None and meta["task"] != task:
        raise InputError(f"checkpoint {str(path)!r} is of task {meta['task']!r}, not {task!r}")
    with reading(file, "train it again"):
        problem = Problem(**meta["problem"], device=torch.device(device))
        learner = make_learner(meta["learner"], problem, meta["settings"])
        learner.modules.load_state_dict(content["model"])
        encoder = content.get("encoder")
        observe = Observer(meta["obs_groups"], _example(meta, encoder), device)
        observe.load_state_dict(encoder)
    policy = learner.policy(kind)
    if policy is None:
        others = [name for name in get_args(PolicyKind) if learner.policy(name) is not None]
        raise InputError(f"{type(learner).__name__} in {str(file)!r} has no {kind}; evaluate {' or '.join(others)}")
    engine = None
    if learner.uses_base and kind != "clone":
        if base_path is not None:
            print(f"[cohoff] base policy {str(base_path)!r} instead of {meta['base']!r}", flush=True)
        base = load_base(base_path or meta["base"], meta["task"], base_device or device)
        engine = ChunkEngine(base, num_envs, device, meta["replan_interval"])
    if engine is not None and problem.noise_dim not in (0, engine.policy.noise_dim):
        raise InputError(
            f"the policy chooses {problem.noise_dim} noise values and base policy {str(base_path)!r} plans from "
            f"{engine.policy.noise_dim}; give the base that it was trained with"
        )
    if best_of > 1:
        if kind != "trained":
            raise InputError(f"best_of={best_of} needs the trained critic, not the policy {kind}; leave it out")
        learner.load_constants(content["constants"])
        learner.modules.requires_grad_(False).eval()
        return BestOfPolicy(BestOf(learner, observe, engine, best_of))
    return ActingPolicy(policy.requires_grad_(False).eval(), observe, engine)


def _example(meta: dict, encoder: dict | None) -> TensorDict:
    """Observations of no environment, of the sizes that the run had."""
    groups = {name: torch.zeros(0, size) for name, size in meta["group_sizes"].items()}
    cameras = {} if encoder is None else encoder["spec"]["cameras"]
    pictures = {name: torch.zeros(0, *size, 3, dtype=torch.uint8) for name, size in cameras.items()}
    return TensorDict({**groups, IMAGES: pictures}, batch_size=[0])
