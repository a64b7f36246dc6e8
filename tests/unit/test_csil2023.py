# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CSIL as published in 2023."""

from __future__ import annotations

import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from learning_cases import base_success, point_mass_cfg, train_on_the_point_mass

from cohoff.algorithms.common.temporal_difference import scalar_td_loss
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.algorithms.csil2023 import sarsa
from cohoff.algorithms.csil2023.csil2023 import CSIL2023
from cohoff.algorithms.csil2023.csil2023_cfg import Csil2023RunnerCfg
from cohoff.algorithms.csil2023.reward import PublishedReward
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.learner import Problem
from cohoff.offpolicy.transitions import Transitions
from cohoff.policies.combine import make_combination

B, D, A = 32, 3, 2
NAMES = (
    "refinement_learning_rate", "policy", "clone", "critic", "target_rate", "beta", "gradient_penalty",
)  # fmt: skip


def settings(**changes: Any) -> dict[str, Any]:
    """Small networks and little pre-training."""
    cfg = Csil2023RunnerCfg().algorithm.to_dict()
    cfg["policy"] |= {"hidden_dim": 64, "num_features": 64}
    cfg["critic"] |= {"hidden_dims": (64, 64), "pretrain_steps": 500, "pretrain_learning_rate": 1e-3}
    cfg["clone"] |= {"steps": 400, "holdout": 0.0}
    return cfg | {"target_rate": 0.02} | changes


def make_learner(**changes: Any) -> CSIL2023:
    own = {name: value for name, value in settings(**changes).items() if name in NAMES}
    return CSIL2023(Problem(D, D, A, torch.device("cpu")), **own)


def make_state(learner: CSIL2023) -> State:
    obs = torch.randn(B, D)
    return State(obs, obs, torch.zeros(B, 0), learner.features(obs))


def make_batch(learner: CSIL2023) -> Batch:
    ones = torch.ones(B)
    now, following = make_state(learner), make_state(learner)
    return Batch(now, 1.8 * torch.rand(B, A) - 0.9, -ones, 0.5 * ones, 0.75 * ones, following, ones)


def make_demonstrations(length: int = 20, episodes: int = 10) -> Transitions:
    """Random observations and the actions that they ask for."""
    obs = torch.randn(length * episodes, D)
    last = {"actor": torch.randn(episodes, D), "base_action": torch.zeros(episodes, 0)}
    action = 0.8 * torch.tanh(obs[:, :A]) + 0.05 * torch.randn(len(obs), A)
    states = {"actor": obs, "base_action": torch.zeros(len(obs), 0)}
    return Transitions(states, last, action, torch.full((episodes,), length))


def test_csil2023_raises_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    cfg["algorithm"] |= {"update_to_data": 0.125}
    # In so few updates the published .01 lets the policy leave its clone before the critics know more than it.
    start, end = train_on_the_point_mass(cfg, settings(beta=1.0), tmp_path)
    assert end > max(base_success(), start) + 0.1


class KnownPolicy:
    """Mean 0 and a given spread everywhere."""

    def __init__(self, std: float) -> None:
        self.std = std

    def __call__(self, obs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(len(obs), A), torch.full((len(obs), A), self.std)


def test_the_reward_is_the_log_ratio_below_what_the_least_spread_allows() -> None:
    """At the mode, log N(0; 0, .1) + ln 2 = 2.0768 for each dimension; the ceiling is ½·ln(1e5) + ln 2 = 6.4496."""
    reward = PublishedReward(KnownPolicy(0.1))  # pyright: ignore[reportArgumentType]
    obs, action, success = torch.zeros(4, D), torch.zeros(4, A), torch.ones(4, dtype=torch.bool)
    torch.testing.assert_close(reward.raw(obs, action), torch.full((4,), 2.0768), atol=1e-3, rtol=0.0)
    torch.testing.assert_close(reward(obs, action, success), torch.full((4,), 2.0768 - 6.4496), atol=1e-3, rtol=0.0)
    sure = PublishedReward(KnownPolicy(1e-4))  # pyright: ignore[reportArgumentType]
    assert sure(obs, action, success).tolist() == [0.0] * 4


def test_sarsa_finds_the_returns_of_the_demonstrations() -> None:
    """−1 on each of 5 steps at discount .5: the last one is worth −1, the first −1.9375."""
    torch.manual_seed(0)
    combination, policy = make_combination("policy"), {"hidden_dim": 16, "num_features": 16}
    shape = {"hidden_dims": (64, 64), "num_members": 2}
    model = SoftImitationModel(D, D, A, combination, policy, shape, ScalarCritic)
    demonstrations = make_demonstrations(length=5, episodes=8)
    cfg = shape | {"pretrain_steps": 600, "pretrain_batch_size": 64, "pretrain_learning_rate": 3e-3}
    sarsa.pretrain_critic(
        model, demonstrations, -torch.ones(40), 0.5, cfg, gradient_penalty=0.0, target_rate=0.05,
        progress=lambda done, status: None,
    )  # fmt: skip
    value = model.critic(demonstrations.now.critic, demonstrations.action).mean(0).view(8, 5).mean(0)
    expected = torch.tensor([-1.9375, -1.875, -1.75, -1.5, -1.0])
    torch.testing.assert_close(value, expected, atol=0.1, rtol=0.0)


def test_preparation_clones_and_measures() -> None:
    learner = make_learner()
    learner.clone_cfg["steps"] = learner.critic_cfg["pretrain_steps"] = 20
    report = learner.prepare(make_demonstrations(), None, 0.9, lambda *args: nullcontext(lambda done, status: None))
    assert report.keys() == {"clone", "critic", "reward"}
    obs = torch.randn(B, D)
    clone, trained = (learner.policy(kind) for kind in ("clone", "trained"))
    torch.testing.assert_close(clone(obs, obs[:, :0]), trained(obs, obs[:, :0]))
    assert all(math.isfinite(value) for phase in report.values() for value in phase.values())


def test_the_target_is_the_lower_value_and_pays_for_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    """−1 + .5·min Q − beta·followed·KL, with beta 0 and .2."""
    learner = make_learner()
    batch = make_batch(learner)
    torch.nn.init.normal_(learner.model.actor.mean_weight)
    costs: list[torch.Tensor] = []
    for beta in (0.0, 0.2):
        torch.manual_seed(0)
        fitted: list[torch.Tensor] = []

        def loss(values: Any, target: torch.Tensor, weight: Any, fitted: list[Any] = fitted) -> torch.Tensor:
            fitted.append(target)
            return scalar_td_loss(values, target, weight)

        with monkeypatch.context() as patch:
            patch.setattr("cohoff.algorithms.common.scalar_td.scalar_td_loss", loss)
            patch.setattr("cohoff.algorithms.common.scalar_td.step_if_finite", lambda *args: torch.zeros(()))
            metrics = learner.update_critic(batch, beta, B // 2)
        costs.append(fitted[0])
    assert metrics["next_kl"] > 0.1
    assert (costs[0] - costs[1]).mean().item() == pytest.approx(0.2 * 0.75 * metrics["next_kl"].item(), rel=1e-3)


def test_every_optimizer_steps() -> None:
    learner = make_learner()
    metrics = learner.update(make_batch(learner), B // 2, with_actor=True)
    assert {name: value.item() for name, value in metrics.items() if name.startswith("skipped")} == {
        "skipped_critic": 0.0, "skipped_actor": 0.0, "skipped_reward": 0.0,
    }  # fmt: skip
