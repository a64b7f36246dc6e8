# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Phases 1 and 2 in order: from demonstrations and a base policy to a learner ready for its first step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from torch import Tensor

from cohoff.algorithms.csil import pretraining
from cohoff.algorithms.csil.model import CsilModel
from cohoff.algorithms.csil.reward import CoherentReward, SparseReward
from cohoff.data.demonstrations import Demonstrations
from cohoff.offpolicy.replay_buffer import TransitionStore
from cohoff.policies.base import ChunkPolicy


def prepare(
    model: CsilModel,
    reward: CoherentReward | SparseReward,
    demos: Demonstrations,
    base: ChunkPolicy | None,
    cfg: dict[str, Any],
    discount: float,
    trained: bool,
) -> tuple[TransitionStore, dict[str, Any]]:
    """Clone, read off the reward, pre-train the critic; return the demonstrations as transitions, and what was measured.

    With ``trained`` the networks and the reward's constants come from a checkpoint and are left as they are.
    """
    report: dict[str, Any] = {}
    base_action = next_base_action = torch.zeros_like(demos.actions)
    if base is not None:
        # First, because it fails where the demonstrations lack an observation that the base policy reads.
        base_action, next_base_action = pretraining.base_actions(base, demos, cfg["replan_interval"])
    if not trained:
        with _progress("clone", cfg["clone"]["steps"]) as progress:
            report["clone"] = pretraining.train_clone(model.clone, demos, cfg["clone"], progress)
        model.start_from_clone(residual=cfg["combination"] == "residual")
    if not trained:
        returns = reward.calibrate(demos, discount, cfg["critic"]["support"])
        with _progress("critic", cfg["critic"]["pretrain_steps"]) as progress:
            report["critic"] = pretraining.pretrain_critic(
                model, demos, base_action, next_base_action, returns, cfg["critic"],
                cfg["batch_size"], cfg["gradient_penalty"], progress,
            )  # fmt: skip
        report["reward"] = reward_report(model, reward, demos, base_action)
    success = torch.zeros(demos.num_transitions, dtype=torch.bool, device=demos.obs.device)
    success[demos.starts + demos.lengths - 1] = True
    with torch.no_grad():
        rewards = reward(demos.obs, demos.actions, success)
    store = TransitionStore(demos.num_transitions, 1, demos.obs.shape[1], demos.actions.shape[1], demos.obs.device)
    store.fill(
        obs=demos.obs, action=demos.actions, base_action=base_action, next_obs=demos.next_obs,
        next_base_action=next_base_action, reward=rewards, success=success, done=success,
        valid=torch.ones_like(success),
    )  # fmt: skip
    return store, report


@torch.no_grad()
def reward_report(
    model: CsilModel, reward: CoherentReward | SparseReward, demos: Demonstrations, base_action: Tensor
) -> dict[str, float]:
    """The raw coherent reward where it should be high, low and near zero, whichever reward is learned from.

    ``far``: observations five standard deviations away with uniform actions; ``uniform``: demonstrated observations
    with uniform actions; ``combined``: the executed mean action.
    """
    raw = reward.raw if isinstance(reward, CoherentReward) else CoherentReward(model.clone, 0.0).raw
    uniform = torch.rand_like(demos.actions) * 2.0 - 1.0
    far = demos.obs + 5.0 * torch.randn_like(demos.obs) * demos.obs.std(0)
    combined = model.combination(base_action, torch.tanh(model.actor(demos.obs)[0]))
    values = {
        "demonstrated": raw(demos.obs, demos.actions),
        "combined": raw(demos.obs, combined),
        "uniform": raw(demos.obs, uniform),
        "far": raw(far, uniform),
    }
    report = {f"{name}_{stat}": float(getattr(v, stat)()) for name, v in values.items() for stat in ("mean", "std")}
    return report | reward.constants()


@contextmanager
def _progress(name: str, total: int) -> Iterator[pretraining.Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[status]}"),
    )
    with Progress(*columns) as bar:
        task = bar.add_task(name, total=total, status="")

        def advance(done: int, status: str) -> None:
            bar.update(task, completed=done, status=status)

        yield advance
