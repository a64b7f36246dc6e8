# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What CSIL++ learns from the demonstrations alone, in order: clone, reward, critic."""

from __future__ import annotations

from typing import Any

import torch

from cohoff.algorithms.csil import cloning, critic_pretraining
from cohoff.algorithms.csil.model import CsilModel
from cohoff.algorithms.csil.reward import CoherentReward, SparseReward
from cohoff.offpolicy.transitions import Transitions


def prepare(
    model: CsilModel,
    reward: CoherentReward | SparseReward,
    demonstrations: Transitions,
    discount: float,
    residual: bool,
    clone_cfg: dict[str, Any],
    critic_cfg: dict[str, Any],
    gradient_penalty: float,
    progress: Any,
) -> dict[str, dict[str, float]]:
    """Clone, read off the reward, pre-train the critic; return what was measured by phase.

    ``progress`` is :func:`cohoff.cli.show_progress` or its like: a context that yields a function told the steps done and a short status.
    """
    report: dict[str, dict[str, float]] = {}
    with progress("clone", clone_cfg["steps"], "steps") as advance:
        report["clone"] = cloning.train_clone(model.clone, demonstrations, clone_cfg, advance)
    model.start_from_clone(residual)
    returns = reward.calibrate(demonstrations, discount, critic_cfg["support"])
    with progress("critic", critic_cfg["pretrain_steps"], "steps") as advance:
        report["critic"] = critic_pretraining.pretrain_critic(
            model, demonstrations, returns, critic_cfg, gradient_penalty, advance
        )
    report["reward"] = reward_report(model, reward, demonstrations)
    return report


@torch.no_grad()
def reward_report(
    model: CsilModel, reward: CoherentReward | SparseReward, demonstrations: Transitions
) -> dict[str, float]:
    """The raw coherent reward where it should be high, low and near zero, whichever reward is learned from.

    ``far``: observations five standard deviations away with uniform actions; ``uniform``: demonstrated observations
    with uniform actions; ``combined``: the executed mean action.
    """
    raw = reward.raw if isinstance(reward, CoherentReward) else CoherentReward(model.clone, 0.0).raw
    obs, action = demonstrations.now.actor, demonstrations.action
    uniform = torch.rand_like(action) * 2.0 - 1.0
    far = obs + 5.0 * torch.randn_like(obs) * obs.std(0)
    combined = model.combination(demonstrations.now.base_action, torch.tanh(model.actor(obs)[0]))
    values = {
        "demonstrated": raw(obs, action),
        "combined": raw(obs, combined),
        "uniform": raw(obs, uniform),
        "far": raw(far, uniform),
    }
    report = {f"{name}_{stat}": float(getattr(v, stat)()) for name, v in values.items() for stat in ("mean", "std")}
    return report | reward.constants()
