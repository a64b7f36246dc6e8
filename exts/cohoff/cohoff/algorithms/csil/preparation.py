# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What CSIL++ learns from the demonstrations alone, in order: clone, reward, critic."""

from __future__ import annotations

from typing import Any

from cohoff.algorithms.csil import cloning, critic_pretraining, quality
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.algorithms.csil.reward import CoherentReward, Reward
from cohoff.errors import InputError
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.offpolicy.transitions import Corrections, Transitions


def prepare(
    model: SoftImitationModel,
    reward: Reward,
    demonstrations: Transitions,
    corrections: Corrections | None,
    discount: float,
    residual: bool,
    clone_cfg: dict[str, Any],
    critic_cfg: dict[str, Any],
    gradient_penalty: float,
    progress: Any,
) -> dict[str, dict[str, float]]:
    """Clone, read off the reward, pre-train the critic; return what was measured by phase.

    ``progress`` is :func:`cohoff.cli.show_progress` or its like: a context that yields a function told the steps done
    and a short status.

    Raises:
        InputError: The actor cannot start as the clone, and nothing else was given.
    """
    if isinstance(model.prior, GaussianPolicy) and not model.started:
        raise InputError("agent.algorithm.actor_hidden_dims is for agent.algorithm.start=FILE; set both or neither")
    report: dict[str, dict[str, float]] = {}
    with progress("clone", cloning.num_steps(clone_cfg, demonstrations, corrections), "steps") as advance:
        report["clone"] = cloning.train_clone(model.clone, demonstrations, corrections, clone_cfg, advance)
    model.fit_spread(demonstrations.now.actor, demonstrations.action)
    model.start_from_clone(residual)
    demonstrations.add_features(model.prior_features)
    returns = reward.calibrate(demonstrations, discount, critic_cfg["support"])
    with progress("critic", critic_cfg["pretrain_steps"], "steps") as advance:
        critic_pretraining.pretrain_critic(model, demonstrations, returns, critic_cfg, gradient_penalty, advance)
    report["critic"] = quality.critic_quality(model, demonstrations, returns)
    raw = reward.raw if isinstance(reward, CoherentReward) else CoherentReward(model.clone, 0.0).raw
    report["reward"] = quality.reward_quality(model, raw, demonstrations) | reward.constants()
    report["returns"] = quality.return_quality(model, reward, demonstrations, returns, discount)
    return report
