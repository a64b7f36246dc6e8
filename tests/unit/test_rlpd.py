# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""RLPD: the policy alone, from nothing but demonstrations and a sparse reward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from learning_cases import base_success, point_mass_cfg, train_on_the_point_mass

from cohoff.algorithms.common import scalar_td, temporal_difference
from cohoff.algorithms.rlpd.rlpd import RLPD
from cohoff.algorithms.rlpd.rlpd_cfg import RlpdRunnerCfg
from cohoff.errors import InputError
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.learner import Problem

B, D, A = 32, 3, 2
NAMES = ("actor", "critic", "num_minimum", "target_rate", "target_entropy", "initial_temperature")


def settings(**changes: Any) -> dict[str, Any]:
    """Small networks."""
    cfg = RlpdRunnerCfg().algorithm.to_dict()
    cfg["actor"] |= {"hidden_dims": (64, 64)}
    cfg["critic"] |= {"hidden_dims": (64, 64)}
    return cfg | changes


def make_learner(**changes: Any) -> RLPD:
    own = {name: value for name, value in settings(**changes).items() if name in NAMES}
    return RLPD(Problem(D, D, A, torch.device("cpu")), **own)


def make_batch() -> Batch:
    now, following = (State(obs, obs, torch.zeros(B, 0), {}) for obs in (torch.randn(B, D), torch.randn(B, D)))
    ones = torch.ones(B)
    return Batch(now, 1.8 * torch.rand(B, A) - 0.9, ones, 0.5 * ones, 0.5 * ones, following, ones)


def test_rlpd_raises_success_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    # A horizon below four demonstrations: the time to success has to outweigh the entropy that the actor is paid for.
    cfg["algorithm"] |= {"update_to_data": 0.25, "effective_horizon": 1.5}
    start, end = train_on_the_point_mass(cfg, settings(initial_temperature=0.01), tmp_path)
    assert end > max(base_success(), start) + 0.1


def test_the_target_is_that_of_a_random_subset_without_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = make_learner()
    batch, action, members = make_batch(), torch.zeros(B, A), torch.tensor([3, 1])
    monkeypatch.setattr(temporal_difference, "random_members", lambda *args: members)
    fitted: list[torch.Tensor] = []
    monkeypatch.setattr(scalar_td, "update_critic", lambda *args, **kwargs: fitted.append(args[3]) or {})
    learner.update_critic(batch, action, torch.full((B,), 1e3), B // 2)
    values = learner.model.target(batch.next.critic, action)
    torch.testing.assert_close(fitted[0], 1.0 + 0.5 * torch.minimum(values[1], values[3]).detach())


def test_all_networks_are_normalized_by_the_demonstrations() -> None:
    learner = make_learner()
    obs = 3.0 + 2.0 * torch.randn(500, D)
    demonstrations: Any = type(
        "Demonstrations", (), {"now": State(obs, obs, torch.zeros(500, 0), {}), "action": torch.zeros(500, A)}
    )
    assert learner.prepare(demonstrations, None, 0.99, None) == {}
    for network in (learner.model.actor, learner.model.start, learner.model.critic, learner.model.target):
        torch.testing.assert_close(network.normalize(obs).mean(0), torch.zeros(D), atol=1e-4, rtol=0.0)
        torch.testing.assert_close(network.normalize(obs).std(0), torch.ones(D))


def test_a_subset_is_not_larger_than_the_ensemble() -> None:
    with pytest.raises(InputError, match="num_minimum=6"):
        make_learner(num_minimum=6)


def test_every_optimizer_steps() -> None:
    metrics = make_learner().update(make_batch(), B // 2, with_actor=True)
    assert {name: value.item() for name, value in metrics.items() if name.startswith("skipped")} == {
        "skipped_critic": 0.0, "skipped_actor": 0.0, "skipped_temperature": 0.0,
    }  # fmt: skip
