# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The direction of each update, against critics whose value is known."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from cohoff.algorithms.common import categorical, categorical_td, critics, losses
from cohoff.algorithms.csil import updates
from cohoff.algorithms.csil.csil import CSIL
from cohoff.algorithms.csil.csil_cfg import CsilRunnerCfg
from cohoff.algorithms.csil.model import CsilModel
from cohoff.networks.stationary import StationaryPolicy
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.finite import step_if_finite
from cohoff.offpolicy.learner import Problem
from cohoff.policies.combine import make_combination

B, D, A = 64, 3, 2


def make_state(obs: torch.Tensor) -> State:
    """A state whose prior is a standard normal before tanh."""
    prior = {"prior_mean": torch.zeros(B, A), "prior_std": torch.ones(B, A)}
    return State(obs, obs, torch.zeros(B, A), prior)


def make_batch(weight: float = 1.0, discount: float = 0.5) -> Batch:
    now, following = make_state(torch.randn(B, D)), make_state(torch.randn(B, D))
    action, ones = 1.8 * torch.rand(B, A) - 0.9, torch.ones(B)
    return Batch(now, action, 0.25 * ones, discount * ones, 0.75 * ones, following, weight * ones)


class KnownCritic:
    """Members worth ``values`` everywhere, or the sum of the executed action where there are none."""

    atoms = torch.linspace(-1.0, 1.0, 5)

    def __init__(self, *values: float) -> None:
        self.values = values

    def __call__(self, obs, action, batch_statistics=False, track=False, rows=slice(None)):
        if not self.values:
            return action.sum(-1)[None]
        logits = torch.full((len(self.values), len(action[rows]), len(self.atoms)), -40.0)
        for member, value in enumerate(self.values):
            logits[member, :, (self.atoms - value).abs().argmin()] = 40.0
        return logits

    def expectation(self, logits):
        return logits if not self.values else (logits.softmax(-1) * self.atoms).sum(-1)

    def value(self, obs, action):
        return self.expectation(self(obs, action))

    def requires_grad_(self, _):
        pass


def known_model(combination: str = "policy", online: KnownCritic | None = None) -> Any:
    torch.manual_seed(0)
    actor = StationaryPolicy(D, A, hidden_dim=16, num_features=16).eval()
    return SimpleNamespace(
        actor=actor, combination=make_combination(combination, 0.1), critic=online or KnownCritic(),
        target=KnownCritic(0.5, -0.5), critic_inputs=lambda state, action: (state.critic, action),
    )  # fmt: skip


def train_actor(model: Any, beta: float, steps: int = 60) -> dict[str, torch.Tensor]:
    optimizer = torch.optim.Adam(model.actor.parameters(), 1e-2, fused=True)
    metrics = {}
    for _ in range(steps):
        metrics = updates.update_actor(model, optimizer, make_batch(), torch.randn(B, A), beta)
    return metrics


def test_the_actor_climbs_the_critic() -> None:
    model = known_model()
    train_actor(model, beta=0.0)
    assert torch.tanh(model.actor(torch.randn(B, D))[0]).mean() > 0.3


def test_beta_holds_the_actor_at_its_prior() -> None:
    free, held = (train_actor(known_model(), beta)["kl"] for beta in (0.0, 100.0))
    assert held < 0.1 * free


def test_the_actor_samples_with_the_given_noise() -> None:
    model = known_model()
    batch, noise = make_batch(), torch.full((B, A), 0.7)
    mean, std = model.actor(batch.now.actor)
    loss, metrics = updates.actor_loss(model, batch, noise, 0.2)
    value = torch.tanh(mean + 0.7 * std).sum(-1).mean()
    divergence = losses.gaussian_kl(mean, std, torch.zeros(B, A), torch.ones(B, A)).mean()
    assert_close(loss, 0.2 * divergence - value)
    assert_close(metrics["q_actor"], value)


def test_the_actor_learns_through_the_combination() -> None:
    """The critic sees the executed action: a tenth of the policy's own under ``residual``."""
    model = known_model("residual")
    _, metrics = updates.actor_loss(model, make_batch(), torch.full((B, A), 9.0), 0.0)
    assert metrics["q_actor"].item() == pytest.approx(0.1 * A, rel=1e-2)


def test_the_target_is_the_worse_members_and_pays_for_divergence() -> None:
    """0.25 + 0.5·(−0.5) − beta·followed·KL row by row, from the target network and not the online one."""
    model = known_model(online=KnownCritic(1.0, 1.0))
    torch.nn.init.normal_(model.actor.mean_weight)
    batch = make_batch()
    batch.followed = torch.arange(B) / B  # 0 after success in a window of one step
    mean, std = model.actor(batch.next.actor)
    divergence = losses.gaussian_kl(mean, std, torch.zeros(B, A), torch.ones(B, A))
    target, next_action, metrics = updates.bootstrap_target(model, batch, torch.zeros(B, A), beta=0.1)
    assert_close(metrics["next_kl"], divergence.mean())
    assert divergence.mean() > 0.1 and metrics["target_clipped"] == 0.0
    value = (target * KnownCritic.atoms).sum(-1)
    assert_close(value, -0.1 * batch.followed * divergence, atol=1e-5, rtol=1e-4)
    assert next_action.abs().max() <= 1.0


def test_the_target_is_the_distribution_at_the_next_state() -> None:
    """Of the joined pass its second half; with discount 1, no reward and no divergence it is left as it is."""
    model, _ = real_model()
    batch = make_batch(discount=1.0)
    batch.returns = torch.zeros(B)
    target, next_action, _ = updates.bootstrap_target(model, batch, torch.zeros(B, A), beta=0.0)
    obs, action = torch.cat([batch.now.critic, batch.next.critic]), torch.cat([batch.action, next_action])
    probs = model.target(obs, action, batch_statistics=True)[:, B:].softmax(-1)
    worse = (probs * model.target.atoms).sum(-1).argmin(0)
    assert_close(target, probs[worse, torch.arange(B)], atol=1e-5, rtol=1e-4)


def test_the_next_action_is_the_actors_at_the_next_state() -> None:
    model = known_model("ensemble")
    torch.nn.init.normal_(model.actor.mean_weight)
    batch = make_batch()
    batch.next.base_action = torch.full((B, A), 0.4)
    mean, std = model.actor(batch.next.actor)
    _, next_action, _ = updates.bootstrap_target(model, batch, torch.ones(B, A), beta=0.0)
    assert_close(next_action, 0.2 + 0.5 * torch.tanh(mean + std).detach())


def real_model() -> tuple[CsilModel, torch.optim.Optimizer]:
    torch.manual_seed(0)
    policy, critic = {"hidden_dim": 16, "num_features": 16}, {"hidden_dims": (32, 32), "num_atoms": 21}
    model = CsilModel(D, D, A, make_combination("policy"), policy, critic)
    return model, torch.optim.Adam(model.critic.parameters(), 3e-3, fused=True)


@pytest.mark.parametrize(("combination", "before"), [("ensemble", 0.5), ("residual", 0.46), ("policy", 0.6)])
def test_the_critic_sees_how_far_an_action_is_from_the_start(combination: str, before: float) -> None:
    """Base action .4, mean policy action .6 before training: their mean, .4 + .1·.6, or the policy's alone."""
    policy, critic = {"hidden_dim": 8, "num_features": 8}, {"hidden_dims": (8,), "num_atoms": 5}
    model = CsilModel(D, D, A, make_combination(combination, 0.1), policy, critic)
    state = make_state(torch.randn(B, D))
    state.base_action = torch.full((B, A), 0.4)
    state.features["prior_mean"] = torch.full((B, A), 0.6).atanh()
    obs, deviation = model.critic_inputs(state, torch.full((B, A), 0.7))
    assert_close(deviation, torch.full((B, A), 0.7 - before))
    assert obs.shape == (B, D if combination == "policy" else D + A)


def test_the_critic_learns_its_target_and_keeps_unit_norm() -> None:
    model, optimizer = real_model()
    first, last = torch.inf, torch.inf
    for step in range(200):
        batch = make_batch()
        target, _ = categorical.two_hot(2.0 * batch.action[:, 0], model.critic.atoms)
        metrics = categorical_td.update_critic(model, optimizer, batch, target, batch.action, B, 0.0)
        first, last = (metrics["critic_loss"].item() if step == 0 else first), metrics["critic_loss"].item()
    assert last < 0.6 * first
    value = model.critic.expectation(model.critic(batch.now.critic, batch.action)).mean(0)
    assert torch.corrcoef(torch.stack([value, batch.action[:, 0]]))[0, 1] > 0.9
    assert model.critic.head.weight.norm(dim=1).allclose(torch.ones(2, 21))


def test_rows_without_weight_teach_nothing() -> None:
    model, optimizer = real_model()
    before = model.critic.head.weight.clone()
    target = torch.softmax(torch.randn(B, 21), -1)
    categorical_td.update_critic(model, optimizer, make_batch(weight=0.0), target, torch.zeros(B, A), B, 0.0)
    assert_close(model.critic.head.weight, before)


def test_values_are_reported_for_demonstrations_and_replay() -> None:
    model = known_model(online=KnownCritic(0.5, 0.5))
    _, metrics = categorical_td.critic_loss(model, make_batch(), torch.full((B, 5), 0.2), torch.zeros(B, A), 10, 0.0)
    assert metrics["q_demo"].item() == pytest.approx(0.5) and metrics["q_replay"].item() == pytest.approx(0.5)


def test_the_penalty_flattens_the_critic_in_the_action() -> None:
    norms = []
    for penalty in (0.0, 10.0):
        model, optimizer = real_model()
        for _ in range(100):
            batch = make_batch()
            target, _ = categorical.two_hot(3.0 * batch.action.sum(-1), model.critic.atoms)
            categorical_td.update_critic(model, optimizer, batch, target, batch.action, B, penalty)
        norms.append(critics.gradient_norm(model, make_batch(), B).item())
    assert norms[1] < 0.7 * norms[0], norms


def test_an_actor_update_leaves_the_critic_trainable_and_untouched() -> None:
    model, _ = real_model()
    before = model.critic.head.weight.clone()
    optimizer = torch.optim.Adam(model.actor.parameters(), 1e-2, fused=True)
    updates.update_actor(model, optimizer, make_batch(), torch.randn(B, A), 0.1)
    assert torch.equal(model.critic.head.weight, before)
    assert model.critic.head.weight.requires_grad and model.critic.head.weight.grad is None


def test_refinement_raises_the_demonstrations_above_the_replay() -> None:
    torch.manual_seed(0)
    policy = StationaryPolicy(D, A, hidden_dim=16, num_features=16).eval()
    optimizer = torch.optim.SGD(policy.parameters(), 1e-2)
    batch = make_batch()
    batch.now.actor = torch.cat([torch.ones(B // 2, D), -torch.ones(B // 2, D)])
    batch.action = torch.cat([torch.full((B // 2, A), 0.6), torch.full((B // 2, A), -0.6)])
    for _ in range(100):
        updates.update_reward(policy, optimizer, batch, B // 2)
    mean, std = policy(batch.now.actor)
    log_prob = losses.tanh_gaussian_log_prob(mean, std, batch.action)
    assert log_prob[: B // 2].mean() > log_prob[B // 2 :].mean() + 0.2


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD])
def test_a_step_that_is_not_finite_changes_nothing(kind: Any, value: float) -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = kind([weight], 0.1, **({"fused": True} if kind is torch.optim.Adam else {}))
    assert step_if_finite(optimizer, weight.sum()) == 0.0
    before = weight.detach().clone()
    assert step_if_finite(optimizer, (weight * torch.tensor([1.0, value, 1.0])).sum()) == 1.0
    assert torch.equal(weight, before)
    assert step_if_finite(optimizer, weight.sum()) == 0.0
    assert_close(weight.detach(), torch.full((3,), 0.8))


def test_demonstrations_teach_the_critic_values_of_states_alone() -> None:
    """Their rows reach it with the mean action before training, .2 + .5·.6; those of the replay as they are."""
    settings = CsilRunnerCfg().algorithm.to_dict()
    names = inspect.signature(CSIL.__init__).parameters
    settings = {name: value for name, value in settings.items() if name in names}
    learner = CSIL(Problem(D, D, A, torch.device("cpu")), **settings)
    batch = make_batch()
    batch.now.base_action = torch.full((B, A), 0.4)
    batch.now.features["prior_mean"] = torch.full((B, A), 0.6).atanh()
    seen = []
    hook = learner.model.critic.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1][:B]))
    learner.update_critic(batch, 0.0, 10)
    hook.remove()
    assert_close(seen[0][:10], torch.zeros(10, A))
    assert_close(seen[0][10:], batch.action[10:] - 0.5)
    settings["demonstrated_actions"] = True
    learner = CSIL(Problem(D, D, A, torch.device("cpu")), **settings)
    assert learner.model.taught_action(batch.now, batch.action) is batch.action
