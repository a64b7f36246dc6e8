# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""XQC with demonstrations, the control of CSIL++."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from learning_cases import base_success, point_mass_cfg, train_on_the_point_mass

from cohoff.algorithms.xqc.xqc import XQC
from cohoff.algorithms.xqc.xqc_cfg import XqcRunnerCfg
from cohoff.errors import InputError
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import Problem

B, D, A = 32, 3, 2


def settings(**changes: Any) -> dict[str, Any]:
    """Small networks."""
    cfg = XqcRunnerCfg().algorithm.to_dict()
    cfg["actor"] |= {"hidden_dims": (64, 64)}
    cfg["critic"] |= {"hidden_dims": (64, 64)}
    return cfg | {"target_rate": 0.02} | changes


def make_learner(**changes: Any) -> XQC:
    names = (
        "combination", "residual_scale", "actor", "critic", "target_rate", "target_entropy", "initial_temperature",
    )  # fmt: skip
    own = {name: value for name, value in settings(**changes).items() if name in names}
    return XQC(Problem(D, D, A, torch.device("cpu")), **own)


def make_state(width: int = A) -> State:
    obs = torch.randn(B, D)
    return State(obs, obs, 0.5 * torch.ones(B, width), {})


def make_batch(width: int = A) -> Batch:
    ones = torch.ones(B)
    action = 1.8 * torch.rand(B, A) - 0.9
    return Batch(make_state(width), action, ones, 0.5 * ones, 0.75 * ones, make_state(width), ones)


def test_xqc_raises_success_above_that_of_its_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base is far from the demonstrations: a tenth of the action range would be too little to bridge that."""
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    start, end = train_on_the_point_mass(cfg, settings(residual_scale=0.5), tmp_path)
    assert abs(start - base_success()) < 0.05
    assert end > max(base_success(), start) + 0.05
    with pytest.raises(InputError, match="XQC .* has no clone"):
        load_policy(tmp_path, 4, "cpu", "clone")


def test_a_residual_starts_at_the_base() -> None:
    learner = make_learner()
    for state in (make_state(), make_state()):
        action = learner.act(state, torch.zeros(B, dtype=torch.bool))
        torch.testing.assert_close(action, state.base_action)
    assert (learner.act(state, torch.ones(B, dtype=torch.bool)) - state.base_action).abs().max() > 0.0


def test_success_is_worth_the_support() -> None:
    learner = make_learner()
    success = torch.tensor([True, False])
    assert learner.reward(torch.zeros(2, D), torch.zeros(2, A), success).tolist() == [5.0, 0.0]
    assert learner.model.critic.atoms[[0, -1]].tolist() == [-5.0, 5.0]


@pytest.mark.parametrize("combination", ["ensemble", "residual", "policy"])
def test_an_update_moves_what_it_should(combination: str) -> None:
    learner = make_learner(combination=combination)
    width = A if learner.uses_base else 0
    learner.update(make_batch(width), B // 2, with_actor=True)  # the core sets the rate, here it is Adam's own
    before = {name: value.clone() for name, value in learner.modules.state_dict().items()}
    metrics = learner.update(make_batch(width), B // 2, with_actor=False)
    after = learner.modules.state_dict()
    moved = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved == {"critic", "target"}
    metrics |= learner.update(make_batch(width), B // 2, with_actor=True)
    moved = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved == {"critic", "target", "actor", "log_temperature"}
    skipped = {name: value.item() for name, value in metrics.items() if name.startswith("skipped")}
    assert skipped == {"skipped_critic": 0.0, "skipped_actor": 0.0, "skipped_temperature": 0.0}


def test_the_target_pays_for_a_low_entropy() -> None:
    """Temperature·followed·log pi = .2·.75·log pi less, as long as the support is not left."""
    learner = make_learner(combination="policy", initial_temperature=0.2)
    seen: list[torch.Tensor] = []
    for log_prob in (0.0, 3.0):
        torch.manual_seed(0)
        batch = make_batch(0)
        fitted = []

        def update(*args: Any, fitted: list[Any] = fitted, **kwargs: Any) -> dict[str, torch.Tensor]:
            fitted.append(args[3])
            return {}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cohoff.algorithms.common.categorical_td.update_critic", update)
            metrics = learner.update_critic(batch, torch.zeros(B, A), torch.full((B,), log_prob), B // 2)
        assert metrics["target_clipped"] == 0.0
        seen.append(fitted[0] @ learner.model.critic.atoms)
    torch.testing.assert_close(seen[0] - seen[1], torch.full((B,), 0.45), atol=1e-4, rtol=1e-4)


def test_the_actor_learns_through_the_combination() -> None:
    """The critic sees the executed action: the base's .5 and at most a tenth of the policy's own, for 2 dimensions."""
    learner = make_learner()
    learner.model.critic.value = lambda obs, action: action.sum(-1)[None]  # pyright: ignore
    learner.model.actor.mean_head.bias.data.fill_(9.0)
    assert learner.update_actor(make_batch())["q_actor"].item() == pytest.approx(1.2, abs=1e-3)


def test_the_actor_climbs_the_critic_and_the_temperature_holds_its_entropy() -> None:
    """On a critic that likes large actions; the target entropy is −1 for two dimensions."""
    learner = make_learner(combination="policy", initial_temperature=0.05)
    learner.model.critic.value = lambda obs, action: action.sum(-1)[None]  # pyright: ignore
    for optimizer in learner.optimizers.values():
        optimizer.param_groups[0]["lr"] = 1e-2
    for _ in range(300):
        metrics = learner.update_actor(make_batch(0))
    assert torch.tanh(learner.model.actor(torch.randn(B, D))[0]).mean() > 0.3
    assert metrics["entropy"].item() == pytest.approx(-1.0, abs=0.5)
