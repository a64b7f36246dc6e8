# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResFiT: a residual that starts at the base, its targets, and that it learns."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from learning_cases import base_success, point_mass_cfg, train_on_the_point_mass
from tape import TapeRecorder
from td3_cases import SMALL, A, B, KnownCritic, make_batch, make_learner, parameters, settings, smallest_run
from torch.testing import assert_close

from cohoff.algorithms.resfit.resfit import ResFiT
from cohoff.algorithms.resfit.resfit_cfg import ResfitAlgorithmCfg, ResfitRunnerCfg
from cohoff.errors import InputError
from cohoff.offpolicy.capture import CapturedCalls
from cohoff.offpolicy.inference import load_policy
from cohoff.policies.exported import ExportedPolicy
from cohoff.stress import point_mass
from cohoff.stress.training import make_runner


def learner(**changes) -> ResFiT:
    made = make_learner(ResFiT, ResfitAlgorithmCfg(), **changes)
    assert isinstance(made, ResFiT)
    return made


def no_noise() -> dict[str, float]:
    return {"exploration_std": 0.0, "smoothing_std": 0.0}


def test_the_base_is_corrected_by_at_most_the_scale() -> None:
    """Executed is clip(a_B + 0.2·tanh(f(s, a_B)))."""
    resfit, batch = learner(), make_batch()
    state = batch.now
    state.base_action[0] = 0.95
    with torch.no_grad():
        resfit.model.actor.mean_head.bias.fill_(9.0)
        residual = torch.tanh(resfit.model.actor.mean(torch.cat([state.actor, state.base_action], 1)))
        executed = resfit.executed(resfit.model.actor, state)
    assert_close(executed, (state.base_action + 0.2 * residual).clamp(-1.0, 1.0))
    assert executed[0].tolist() == [1.0, 1.0]
    policy = resfit.policy("trained")
    assert policy is not None and policy.observation_dim == 4
    assert_close(policy(state.actor, state.base_action), executed)


def test_a_new_residual_is_zero_and_step_0_is_the_base() -> None:
    resfit, state = learner(), make_batch().now
    step0 = resfit.policy("step0")
    assert step0 is not None and torch.equal(step0(state.actor, state.base_action), state.base_action)
    torch.nn.init.zeros_(resfit.model.actor.mean_head.weight)
    assert torch.equal(resfit.act(state, torch.zeros(B, dtype=torch.bool)), state.base_action)
    assert resfit.policy("clone") is None


def test_noise_is_where_it_explores() -> None:
    resfit, state = learner(noise={"exploration_std": 0.1}), make_batch().now
    explore = torch.arange(B) % 2 == 0
    difference = resfit.act(state, explore) - resfit.executed(resfit.model.actor, state)
    assert difference[~explore].abs().max() == 0.0
    assert 0.05 < difference[explore].std() < 0.15


def test_the_target_is_the_lowest_of_a_few_members_at_the_target_actors_action() -> None:
    resfit, batch = learner(noise=no_noise(), target_members=3, critic={"num_members": 3}), make_batch()
    resfit.model.target = KnownCritic(1.0, 2.0, -1.0)  # pyright: ignore[reportAttributeAccessIssue]
    torch.nn.init.zeros_(resfit.model.target_actor.mean_head.weight)
    value, _ = resfit.next_value(batch)
    total = batch.next.base_action.sum(1)
    assert_close(value, torch.minimum(2.0 * total, -total))


def test_the_target_is_smoothed_within_its_limit() -> None:
    resfit, batch = learner(noise={"smoothing_std": 5.0, "smoothing_limit": 0.1}), make_batch()
    resfit.model.target = KnownCritic(*[1.0] * 10)  # pyright: ignore[reportAttributeAccessIssue]
    torch.nn.init.zeros_(resfit.model.target_actor.mean_head.weight)
    difference = resfit.next_value(batch)[0] - batch.next.base_action.sum(1)
    assert 0.15 < difference.abs().max() <= A * 0.1 + 1e-6


def test_the_actor_climbs_the_mean_of_the_critics() -> None:
    resfit, batch = learner(), make_batch()
    resfit.model.critic = KnownCritic(*[3.0] * 5, *[-1.0] * 5)  # pyright: ignore[reportAttributeAccessIssue]
    loss, metrics = resfit.actor_loss(batch, B // 2)
    expected = resfit.executed(resfit.model.actor, batch.now).sum(1).mean()
    assert_close(loss, -expected)
    assert_close(metrics["q_actor"], expected.detach())


def test_an_update_moves_what_it_should() -> None:
    resfit, batch = learner(target_rate=0.25), make_batch()
    model = resfit.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    metrics = resfit.update(batch, B // 2, False)
    moved = {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"critic", "target"} and metrics["skipped_critic"] == 0.0
    head, target = "critic.head.weight", "target.head.weight"
    now = model.state_dict()
    assert_close(now[target] - before[target], 0.25 * (now[head] - before[target]))
    metrics = resfit.update(batch, B // 2, True)
    assert metrics["skipped_actor"] == 0.0 and {"q_demo", "q_replay", "q_actor"} <= metrics.keys()
    assert not torch.equal(model.actor.mean_head.weight, before["actor.mean_head.weight"])
    assert model.critic.head.weight.requires_grad


def test_the_critics_learn_their_target() -> None:
    resfit, batch = learner(), make_batch()
    batch.discount.zero_()
    for _ in range(300):
        metrics = resfit.update(batch, B // 2, False)
    assert metrics["q_demo"].item() == pytest.approx(0.25, abs=0.05)  # pyright: ignore[reportPossiblyUnbound]
    batch = make_batch(weight=0.0)
    before = resfit.model.critic.head.weight.clone()
    resfit.optimizers["critic"] = torch.optim.Adam(resfit.model.critic.parameters(), fused=True)
    resfit.update(batch, B // 2, False)
    assert torch.equal(resfit.model.critic.head.weight, before)


def test_more_members_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match="target_members=11 is above"):
        learner(target_members=11)


def test_a_captured_update_equals_one_that_is_not(tmp_path: Path) -> None:
    """While the share of demonstrations falls and the actor starts."""
    results = []
    for captured in (False, True):
        cfg = smallest_run(ResfitRunnerCfg(max_iterations=5), tmp_path)
        cfg["algorithm"] |= {"final_demonstration_share": 0.25, "actor_start_steps": 64, "n_step": 3}
        torch.manual_seed(0)
        (folder := tmp_path / str(captured)).mkdir()
        algorithm = point_mass.train(cfg, folder, iterations=0, num_envs=8)
        if captured:
            algorithm.run_update = CapturedCalls(algorithm.update_once, TapeRecorder())
        point_mass.go_on(algorithm, 5)
        results.append(parameters(algorithm))
    assert torch.equal(*results)


def test_the_export_acts_as_the_policy(tmp_path: Path) -> None:
    runner = make_runner(smallest_run(ResfitRunnerCfg(), tmp_path), tmp_path / "run")
    runner.learn(1)
    runner.export_policy_to_onnx(str(tmp_path / "exported"))
    obs, actions = point_mass.PointMass(8, None).get_observations(), []
    for policy in (load_policy(tmp_path / "run", 8, "cpu"), ExportedPolicy(tmp_path / "exported", 8, "cpu")):
        torch.manual_seed(5)
        actions.append(policy(obs))
    assert_close(actions[0], actions[1], atol=1e-5, rtol=0.0)


def test_resfit_raises_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    cfg["algorithm"]["base_collection_std"] = 0.2
    own = settings(ResfitAlgorithmCfg(), **SMALL, target_rate=0.02, residual_scale=0.5)
    start, end = train_on_the_point_mass(cfg, own, tmp_path)
    assert start == base_success()
    assert end > start + 0.05
