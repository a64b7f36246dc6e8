# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""IBRL: the critic's choice in acting and in the target, its export, and that it learns."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from learning_cases import base_success, point_mass_cfg, train_on_the_point_mass
from td3_cases import SMALL, A, B, D, KnownCritic, make_batch, make_learner, settings, smallest_run
from torch.testing import assert_close

from cohoff.algorithms.ibrl.ibrl import IBRL
from cohoff.algorithms.ibrl.ibrl_cfg import IbrlAlgorithmCfg, IbrlRunnerCfg
from cohoff.errors import InputError
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import Problem
from cohoff.policies.choosing import ChosenPolicy
from cohoff.policies.exported import ExportedPolicy
from cohoff.stress import point_mass
from cohoff.stress.training import make_runner


def learner(**changes) -> IBRL:
    made = make_learner(IBRL, IbrlAlgorithmCfg(), **changes)
    assert isinstance(made, IBRL)
    return made


class InverseTanh(torch.nn.Module):
    """An actor whose policy action is its observation."""

    def mean(self, obs: torch.Tensor) -> torch.Tensor:
        return torch.atanh(obs)


def test_the_lowest_member_chooses_and_the_base_acts_where_both_are_worth_the_same() -> None:
    """Members worth 1 and 2 times the sum of the action: sums 0.1, −0.4 and 0.25 against 0.3, −0.2 and 0.25."""
    chosen = ChosenPolicy(InverseTanh(), KnownCritic(1.0, 2.0))  # pyright: ignore[reportArgumentType]
    base = torch.tensor([[0.1, 0.0], [-0.2, -0.2], [0.125, 0.125]])
    policy = torch.tensor([[0.2, 0.1], [-0.1, -0.1], [0.0, 0.25]])
    expected = torch.stack([policy[0], policy[1], base[2]])
    assert_close(chosen.choose(policy, base, policy), expected)
    assert_close(chosen(policy, base), expected)


def test_a_choice_needs_all_members() -> None:
    """Gains of 1 and −1: the lowest value of an action is minus the size of its sum, so the smaller sum wins."""
    chosen = ChosenPolicy(torch.nn.Identity(), KnownCritic(1.0, -1.0))  # pyright: ignore[reportArgumentType]
    base, policy = torch.tensor([[0.4, 0.0], [0.1, 0.0]]), torch.tensor([[-0.2, 0.0], [0.3, 0.0]])
    assert_close(chosen.choose(policy, base, policy), torch.stack([policy[0], base[1]]))


def test_it_acts_as_its_policy_does_and_explores_with_its_own_actions() -> None:
    ibrl, state = learner(noise={"exploration_std": 0.1}), make_batch().now
    trained = ibrl.policy("trained")
    assert trained is not None and trained.observation_dim == D and ibrl.policy("clone") is None
    mean = ibrl.act(state, torch.zeros(B, dtype=torch.bool))
    assert_close(mean, trained(state.actor, state.base_action))
    takes_base = (mean == state.base_action).all(1)
    assert takes_base.any() and not takes_base.all()
    step0 = ibrl.policy("step0")
    assert step0 is not None and torch.equal(step0(state.actor, state.base_action), state.base_action)
    ibrl.chosen.critic = KnownCritic(1.0)  # pyright: ignore[reportAttributeAccessIssue]
    state.base_action[:] = -1.0
    difference = ibrl.act(state, torch.ones(B, dtype=torch.bool)) - torch.tanh(ibrl.model.actor.mean(state.actor))
    assert 0.02 < difference.std() < 0.15
    state.base_action[:] = 1.0
    assert (ibrl.act(state, torch.ones(B, dtype=torch.bool)) == 1.0).all()


def test_the_target_critic_chooses() -> None:
    ibrl, state = learner(), make_batch().now
    with torch.no_grad():
        ibrl.model.critic.head.weight.mul_(-1.0)
    mean, nobody = torch.tanh(ibrl.model.actor.mean(state.actor)), torch.zeros(B, dtype=torch.bool)
    values = [ibrl.model.target(state.actor, action).amin(0) for action in (state.base_action, mean)]
    expected = torch.where((values[1] > values[0])[:, None], mean, state.base_action)
    assert_close(ibrl.act(state, nobody), expected.detach())


def test_the_target_is_the_better_of_two_actions_under_the_same_members() -> None:
    """The maximum over {base, policy} of min(2·sum, −sum)."""
    quiet = {"exploration_std": 0.0, "smoothing_std": 0.0}
    ibrl, batch = learner(noise=quiet, critic={"num_members": 2}, target_members=2), make_batch()
    ibrl.model.target = KnownCritic(2.0, -1.0)  # pyright: ignore[reportAttributeAccessIssue]
    policy = torch.tanh(ibrl.model.target_actor.mean(batch.next.actor))
    worth = [torch.minimum(2.0 * a.sum(1), -a.sum(1)) for a in (policy, batch.next.base_action)]
    value, metrics = ibrl.next_value(batch)
    assert_close(value, torch.maximum(*worth))
    assert_close(metrics["policy_share"], (worth[0] > worth[1]).float().mean())
    assert 0.0 < metrics["policy_share"] < 1.0


def test_an_update_trains_the_policy_action_alone() -> None:
    """The actor climbs the critics with its own action, also where the base would be chosen."""
    ibrl, batch = learner(), make_batch()
    ibrl.model.critic = KnownCritic(*[1.0] * 5)  # pyright: ignore[reportAttributeAccessIssue]
    loss, _ = ibrl.actor_loss(batch, B // 2)
    assert_close(loss, -torch.tanh(ibrl.model.actor.mean(batch.now.actor)).sum(1).mean())


def test_the_actor_climbs_the_lowest_critic() -> None:
    """Members worth the sum of the action and its negative: the lower one is minus the size of the sum."""
    ibrl, batch = learner(), make_batch()
    ibrl.model.critic = KnownCritic(1.0, -1.0)  # pyright: ignore[reportAttributeAccessIssue]
    loss, metrics = ibrl.actor_loss(batch, B // 2)
    expected = torch.tanh(ibrl.model.actor.mean(batch.now.actor)).sum(1).abs().mean()
    assert_close(loss, expected)
    assert_close(metrics["q_actor"], -expected.detach())


def test_a_critic_with_other_observations_than_the_actor_is_refused() -> None:
    own = {name: getattr(IbrlAlgorithmCfg(), name) for name in ("target_members", "target_rate")}
    with pytest.raises(InputError, match=r"agent\.obs_groups\.critic"):
        IBRL(Problem(D, D + 1, A, torch.device("cpu")), actor={}, critic={}, noise={}, **own)


def test_the_export_acts_as_the_policy(tmp_path: Path) -> None:
    runner = make_runner(smallest_run(IbrlRunnerCfg(), tmp_path), tmp_path / "run")
    runner.learn(1)
    runner.export_policy_to_onnx(str(tmp_path / "exported"))
    obs, actions = point_mass.PointMass(64, None).get_observations(), []
    loaded = load_policy(tmp_path / "run", 64, "cpu")
    assert isinstance(loaded.policy, ChosenPolicy) and isinstance(loaded.policy.critic, ScalarCritic)
    for policy in (loaded, ExportedPolicy(tmp_path / "exported", 64, "cpu")):
        torch.manual_seed(5)
        actions.append(policy(obs))
    assert_close(actions[0], actions[1], atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ibrl_raises_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """With four times the updates of the other tests, as the policy starts from nothing."""
    cfg = point_mass_cfg(tmp_path, monkeypatch)
    cfg["algorithm"] |= {"base_collection_std": 0.0, "update_to_data": 1 / 4}
    own = settings(IbrlAlgorithmCfg(), **SMALL, target_rate=0.02)
    torch.manual_seed(seed)
    start, end = train_on_the_point_mass(cfg, own, tmp_path)
    assert start == base_success()
    assert end > start + 0.35
