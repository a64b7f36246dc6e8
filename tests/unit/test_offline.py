# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The choices of offline learning against numbers computed by hand, and what is refused."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from offline_cases import small_recording, training
from torch import Tensor

from cohoff.algorithms.offline import anchors, backups, codes, rollouts, samplers
from cohoff.algorithms.offline.dataset import OfflineData, recorded_transitions, rewards_to_go
from cohoff.algorithms.offline.policies import BestSamplePolicy, ConditionedPolicy
from cohoff.networks.action_codes import ActionCodes
from cohoff.networks.dynamics import DynamicsEnsemble
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.mixture import MixturePolicy, gumbel_noise
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.offpolicy.batch import Batch, State

SMALL = ("hidden_dims=16,16", "batch_size=32", "updates=20")


def close(value: Tensor, expected: Any) -> None:
    torch.testing.assert_close(value, torch.as_tensor(expected, dtype=value.dtype), rtol=1e-5, atol=1e-6)


def test_anchors() -> None:
    close(anchors.squared_error(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.5]])), [0.625])
    close(anchors.advantage_weight(torch.tensor([0.2, -0.2]), 3.0), [math.exp(3.0), math.exp(-3.0)])
    close(anchors.advantage_weight(torch.tensor([9.0, 0.0, 0.0, 0.0, 0.0]), 3.0)[0], 100.0)
    close(anchors.improvement(torch.tensor([1.0, -3.0])), [0.5, -1.5])
    assert [anchors.decayed(share, 0.8, 0.2) for share in (0.0, 0.8)] == [1.0, 1.0]
    assert anchors.decayed(0.9, 0.8, 0.2) == pytest.approx(math.sqrt(0.2))
    assert anchors.decayed(1.0, 0.8, 0.2) == pytest.approx(0.2)


def test_the_value_of_actions_has_no_gradient_through_its_magnitude() -> None:
    value = torch.tensor([1.0, 3.0], requires_grad=True)
    anchors.improvement(value).sum().backward()
    assert value.grad is not None
    close(value.grad, [0.5, 0.5])


def test_backups() -> None:
    close(backups.expectile_loss(torch.zeros(2), torch.tensor([2.0, -1.0]), 0.7), (0.7 * 4 + 0.3 * 1) / 2)
    members = torch.tensor([[[1.0], [5.0]], [[2.0], [0.0]]])  # [E=2, K=2, B=1]
    close(backups.best_of(members), [1.0])


def model_of(values: dict[str, Any]) -> Any:
    """Networks that return what they are told."""
    return SimpleNamespace(**values)


def window(returns: float = 0.5, discount: float = 0.9) -> Batch:
    """One window."""
    state = State(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 0), {backups.MONTE_CARLO: torch.tensor([0.3])})
    one = torch.ones(1)
    following = State(torch.ones(1, 2), torch.ones(1, 2), torch.zeros(1, 0), state.features)
    return Batch(state, torch.zeros(1, 2), returns * one, discount * one, one, following, one)


def test_each_backup_bootstraps_from_its_own_value() -> None:
    target = lambda obs, action: torch.stack([action.sum(1) + 2.0, action.sum(1) + 1.0])  # noqa: E731
    actor = model_of({"mean": lambda obs: torch.full((1, 2), 100.0)})
    model = model_of({"target": target, "target_actor": actor, "actor_input": lambda s: s.actor})
    assert 0.5 + 0.9 * 2.0 - 1e-6 <= float(backups.minimum(model, window(), 1)) <= 0.5 + 0.9 * 3.0 + 1e-6
    close(backups.expectile(model_of({"state_value": lambda s: s.actor.sum(1)}), window(), 1), [0.5 + 0.9 * 2.0])
    close(backups.monte_carlo(model, window(), 1), [0.3])
    drawn = torch.tensor([[[-0.5, 0.0]], [[0.25, 0.25]]])
    clone = model_of({"num_components": 3, "action_dim": 2, "sample": lambda obs, gumbel, noise: drawn})
    close(backups.best_of_clone(model_of({"target": target, "clone": clone}), window(), 2), [0.5 + 0.9 * 1.5])


def test_rewards_to_go_stay_in_their_episode() -> None:
    recording = small_recording((2, 3), (True, True))
    recording.rewards = torch.tensor([1.0, 2.0, 3.0, 4.0, 8.0])
    close(rewards_to_go(recording.rewards, recording.starts, recording.lengths, 0.5), [2.0, 2.0, 7.0, 8.0, 8.0])
    assert recording.rewards.tolist() == [1.0, 2.0, 3.0, 4.0, 8.0]


def test_samplers() -> None:
    recording = small_recording((2, 3, 2), (True, False, True))
    close(samplers.make_sampler("success", recording, 1, 1).weights, [1.0, 0.0, 1.0])
    close(samplers.by_return(torch.tensor([0.0, 0.5, 1.0])), [0.05, 0.525, 1.0])
    returns, lengths = torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([5, 10, 2, 4])
    drawn = samplers.by_bins(returns, lengths) * lengths
    close(drawn[1], drawn[0].item())
    close(drawn[3], drawn[2].item())
    close(drawn[0] / drawn[2], math.exp(-10.0))


def test_transitions_are_drawn_by_the_weight_of_their_episode() -> None:
    recording = small_recording((2, 3, 5), (True, False, True))
    shares = samplers.cumulative(torch.tensor([1.0, 0.0, 3.0]), recording.episode_of)
    torch.manual_seed(0)
    counts = torch.bincount(samplers.draw_transitions(shares, 20_000), minlength=10) / 20_000
    assert counts[2:5].sum() == 0
    torch.testing.assert_close(counts[[0, 1]], torch.full((2,), 1 / 17), rtol=0.1, atol=0.0)
    torch.testing.assert_close(counts[5:], torch.full((5,), 3 / 17), rtol=0.1, atol=0.0)


def test_the_curriculum_goes_from_near_to_far_and_drops_what_is_worse() -> None:
    recording = small_recording((1, 1, 1, 1), (False, True, False, True))
    sampler = samplers.Curriculum(recording, stages=4, size=1)
    distance = torch.tensor([0.4, 0.2, 0.3, 0.1])
    assert sampler.refresh(0.0, lambda: distance)
    close(sampler.weights, [0.0, 0.0, 0.0, 1.0])
    close(sampler.threshold, 0.1)
    assert not sampler.refresh(0.2, lambda: distance)
    assert sampler.refresh(0.25, lambda: distance)
    close(sampler.weights, [0.0, 1.0, 0.0, 0.0])
    assert sampler.refresh(0.5, lambda: distance)
    close(sampler.weights, [0.0, 1.0, 0.0, 1.0])
    other = samplers.Curriculum(recording, stages=4, size=1)
    other.load_state_dict(sampler.state_dict())
    assert not other.refresh(0.6, lambda: distance)


def test_an_episode_is_as_far_as_most_of_its_steps() -> None:
    values = torch.cat([torch.arange(101.0), torch.zeros(3)])
    close(samplers.nearly_largest(values, torch.tensor([101, 3])), [95.0, 0.0])


def test_a_failure_goes_on_behind_its_end() -> None:
    recording = small_recording((2, 3), (True, False))
    run = training("td3bc", recording, SMALL)
    data = OfflineData(run.learner, recorded_transitions(recording, run.observe, 0.9), None, recording.rewards)
    data.weigh(samplers.Fixed(torch.tensor([0.0, 1.0])))
    batch = data.draw(200, 1, 0.9)
    assert (batch.discount == 0.9).all() and (batch.returns == 0.0).all()
    assert batch.next.actor[:, 1].max() == 3.0
    data.weigh(samplers.Fixed(torch.tensor([1.0, 0.0])))
    batch = data.draw(200, 1, 0.9)
    ends = batch.now.actor[:, 1] == 1.0
    assert ends.any() and (~ends).any()
    close(batch.discount, torch.where(ends, 0.0, 0.9))
    close(batch.returns, ends.float())


def test_mixture_density_and_samples() -> None:
    torch.manual_seed(0)
    clone = MixturePolicy(3, 2, (8,), 4)
    obs, action = torch.randn(5, 3), torch.rand(5, 2)
    logits, mean, std = clone(obs)
    parts = torch.distributions.Normal(mean, std).log_prob(action[:, None]).sum(-1)
    close(clone.log_prob(obs, action), (logits.log_softmax(-1) + parts).logsumexp(-1))
    far = torch.full((3, 1, 4), -1e9)
    far[0, 0, 0] = far[1, 0, 3] = far[2, 0, 1] = 0.0
    drawn = clone.sample(obs, far, torch.zeros(3, 1, 2))
    close(drawn, torch.stack([mean[:, 0], mean[:, 3], mean[:, 1]]))
    picked = (torch.tensor([0.0, 1.0]) + gumbel_noise(20_000, 2, device=obs.device)).argmax(1).float().mean()
    assert float(picked) == pytest.approx(math.e / (1 + math.e), abs=0.02)


def test_the_best_sample_is_executed() -> None:
    torch.manual_seed(0)
    clone, critic = MixturePolicy(3, 2, (8,), 4), ScalarCritic(3, 2, (8,), 2)
    policy, obs = BestSamplePolicy(clone, critic, 16), torch.randn(6, 3)
    action = policy(obs, obs[:, :0])
    drawn = clone.sample(obs, policy.gumbel, policy.noise)
    values = torch.stack([critic(obs, one).amin(0) for one in drawn])
    close(critic(obs, action).amin(0), values.amax(0))
    assert torch.equal(action, policy(obs, obs[:, :0]))


def test_a_conditioned_policy_asks_for_the_best_return() -> None:
    actor = GaussianPolicy(4, 2, (8,))
    policy, obs = ConditionedPolicy(actor, torch.tensor(7.0)), torch.randn(5, 3)
    close(policy(obs, obs[:, :0]), torch.tanh(actor.mean(torch.cat([obs, torch.full((5, 1), 7.0)], 1))))
    assert policy.observation_dim == 3


def test_codes_are_decoded_near_what_they_encode() -> None:
    torch.manual_seed(0)
    model = ActionCodes(2, 2, (32,), 8, 4)
    obs = torch.randn(256, 2)
    modes = torch.tensor([[0.8, 0.0], [-0.8, 0.0], [0.0, 0.8]])
    action = modes[torch.arange(256) % 3]
    model.start_from(obs[:8], action[:8])
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(150):
        loss, _ = model.loss(obs, action)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    decoded = model.decode(obs, model.codebook[model.encode(obs, action)])
    assert (decoded - action).square().mean() < 0.01
    assert model.log_prior(obs).exp().sum(1).sub(1.0).abs().max() < 1e-5


def test_scores_of_codes() -> None:
    values, log_prior = torch.tensor([[0.2, 0.5, 0.4]]), torch.tensor([[0.6, 0.1, 0.3]]).log()
    one = torch.ones(())
    plain = codes.CodeScore("conservative", 3.0, 0.1)
    assert plain(values, log_prior, one).argmax() == 1
    close(plain.state_value(values, log_prior, one), [0.5])
    advantage = codes.CodeScore("advantage", 3.0, 0.1)
    close(advantage(values, log_prior, 2 * one), log_prior + 1.5 * values)
    divergence = codes.CodeScore("reverse_kl", 3.0, 0.1)
    policy = divergence(values, log_prior, one).softmax(-1)
    kl = (policy * (policy.log() - log_prior)).sum(-1)
    close(divergence.state_value(values, log_prior, one), (policy * values).sum(-1) - 0.1 * kl)


def test_the_conservative_penalty() -> None:
    values = torch.tensor([[[0.0, 1.0]], [[2.0, 0.0]]])
    expected = (math.log(1 + math.e) - 1.0 + math.log(math.exp(2.0) + 1.0) - 0.0) / 2
    close(codes.conservative_penalty(values, torch.tensor([1])), expected)


def test_rollouts_pay_for_uncertainty_and_stop_at_success() -> None:
    model: Any = model_of({"predict": lambda obs, action: (
        obs + action, torch.full((len(obs),), 0.5), torch.full((len(obs),), 0.25), torch.full((len(obs),), 2.0)
    )})  # fmt: skip
    batch = rollouts.extend(window(), model, lambda obs: torch.ones(len(obs), 2), 3, 0.1, torch.tensor(0.8))
    close(batch.returns, [0.5, 0.3, 0.3, 0.3])
    close(batch.discount, [0.9, 0.6, 0.6, 0.6])
    close(batch.weight, [1.0, 1.0, 0.75, 0.75**2])
    close(batch.next.actor[1:, 0], [1.0, 2.0, 3.0])


def test_the_model_learns_what_follows() -> None:
    torch.manual_seed(0)
    model = DynamicsEnsemble(2, 2, (32,), 3)
    obs, action = torch.randn(512, 2), 2 * torch.rand(512, 2) - 1
    change, won = 0.1 * action, action[:, 0] > 0.5
    model.fit_normalization(obs)
    model.fit_changes(change)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(300):
        loss = model.loss(obs, action, change, won.float(), won)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    following, reward, success, uncertainty = model.predict(obs, action)
    assert (following - obs - change).square().mean() < 0.1 * change.square().mean()
    assert success[won].mean() > 0.8 and success[~won].mean() < 0.2 and reward[won].mean() > 0.7
    far = model.predict(obs + 50.0, action)[3]
    assert far.mean() > uncertainty.mean()
