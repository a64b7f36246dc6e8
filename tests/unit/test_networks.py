# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Norms of the critic and stationarity of the policy."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from cohoff.algorithms.common import losses
from cohoff.networks.blocks import EnsembleBatchNorm, EnsembleBlock, EnsembleLinear, SharedInputNorm
from cohoff.networks.critic import CategoricalCritic
from cohoff.networks.gaussian import GaussianPolicy
from cohoff.networks.scalar_critic import ScalarCritic
from cohoff.networks.stationary import StationaryPolicy, triangle_wave
from cohoff.networks.triangular import TriangularForm


def test_projection_gives_every_output_neuron_unit_norm_and_spares_the_bias() -> None:
    layer = EnsembleLinear(1, 2, 2, bias=True)
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[3.0, 0.0], [4.0, 2.0]]]))
        layer.bias.fill_(7.0)
    layer.project_()
    assert_close(layer.weight, torch.tensor([[[0.6, 0.0], [0.8, 1.0]]]))
    assert (layer.bias == 7.0).all()


def test_batch_norm_by_hand() -> None:
    norm = EnsembleBatchNorm(1, 1, momentum=0.1, eps=0.0)
    out = norm(torch.tensor([[[1.0], [3.0]]]), track=True)
    assert_close(out, torch.tensor([[[-1.0], [1.0]]]))
    assert_close(norm.mean.item(), 0.2)
    assert_close(norm.var.item(), 1.0)  # 0.9 of the initial 1 and 0.1 of the batch's 1
    scale, offset = norm.running_affine()
    assert_close((2.2 * scale + offset).item(), 2.0)


def test_batch_norm_adds_eps_to_the_variance() -> None:
    norm = EnsembleBatchNorm(1, 1, eps=3.0)
    assert_close(norm(torch.tensor([[[-1.0], [1.0]]])), torch.tensor([[[-0.5], [0.5]]]))


def test_joined_pass_normalizes_both_halves_with_common_statistics() -> None:
    """Logits of (s, a) depend on which (s', a') share the pass, and ``rows`` only selects."""
    torch.manual_seed(0)
    critic = CategoricalCritic(3, 2, (8,), num_atoms=5)
    obs, action = torch.randn(4, 3), torch.randn(4, 2)
    joined_obs, joined_action = torch.cat([obs, obs + 3.0]), torch.cat([action, action])
    joined = critic(joined_obs, joined_action, batch_statistics=True)
    assert_close(critic(joined_obs, joined_action, batch_statistics=True, rows=slice(0, 4)), joined[:, :4])
    alone = critic(obs, action, batch_statistics=True)
    assert (joined[:, :4] - alone).abs().max() > 0.1


def test_critic_weights_have_unit_norm_from_the_start_and_members_differ() -> None:
    critic = CategoricalCritic(3, 2, (8, 8))
    for layer in critic.modules():
        if not isinstance(layer, EnsembleLinear):
            continue
        assert_close(layer.weight.norm(dim=1), torch.ones(2, layer.weight.shape[-1]))
    logits = critic(torch.randn(5, 3), torch.randn(5, 2))
    assert logits.shape == (2, 5, 101)
    assert not torch.allclose(logits[0], logits[1])


def test_target_moves_by_the_rate_and_stays_on_the_sphere() -> None:
    torch.manual_seed(0)
    online, target = CategoricalCritic(3, 2, (8,)), CategoricalCritic(3, 2, (8,))
    assert online.head.bias is not None and target.head.bias is not None
    with torch.no_grad():
        online.head.bias.fill_(1.0)
    target.track_(online, 0.25)
    assert_close(target.head.bias, torch.full_like(target.head.bias, 0.25))
    assert_close(target.head.weight.norm(dim=1), torch.ones(2, 101))


def test_triangle_wave_has_unit_power_and_its_period() -> None:
    x = torch.linspace(0.0, 2 * math.pi, 10_001)[:-1]
    assert_close(triangle_wave(x).square().mean().item(), 1.0, atol=1e-3, rtol=0.0)
    assert_close(triangle_wave(x), triangle_wave(x + 2 * math.pi), atol=1e-5, rtol=0.0)
    quarters = triangle_wave(torch.tensor([0.0, 0.5, 1.0, 1.5]) * math.pi)
    assert_close(quarters, torch.tensor([0.0, math.sqrt(3.0), 0.0, -math.sqrt(3.0)]), atol=1e-5, rtol=0.0)


def test_untrained_policy_is_near_uniform() -> None:
    """Mean 0 and the prior spread: the coherent reward of any action is near 0."""
    torch.manual_seed(0)
    policy = StationaryPolicy(5, 3).eval()
    mean, std = policy(torch.randn(64, 5) * 10.0)
    assert (mean == 0.0).all()
    action = torch.rand(64, 3) * 2.0 - 1.0
    reward = losses.coherent_reward(losses.tanh_gaussian_log_prob(mean, std, action), 3)
    assert reward.abs().mean() < 0.3


def test_spread_of_an_untrained_policy_can_be_set() -> None:
    policy = StationaryPolicy(5, 3).eval()
    policy.set_spread(0.3)
    _, std = policy(torch.randn(256, 5))
    assert_close(std.mean().item(), 0.3, atol=0.05, rtol=0.0)


def test_the_spread_has_a_floor() -> None:
    policy = StationaryPolicy(4, 2, hidden_dim=8, num_features=8).eval()
    policy.factor.data.zero_().diagonal(dim1=1, dim2=2).fill_(-40.0)
    _, std = policy(torch.randn(5, 4))
    assert_close(std, torch.full((5, 2), math.sqrt(0.75) * math.tanh(math.sqrt(1e-5))))


def test_faithful_heads_keep_the_spreads_gradient_out_of_the_features() -> None:
    policy = StationaryPolicy(4, 2, hidden_dim=8, num_features=8).eval()
    features = torch.randn(5, 8, requires_grad=True)
    for faithful in (True, False):
        _, std = policy.head(features, faithful)
        (gradient,) = torch.autograd.grad(std.sum(), features, allow_unused=True)
        assert (gradient is None) == faithful


def test_the_form_of_triangular_factors_and_its_gradients_are_those_of_whole_products() -> None:
    """Twelve features: what lies above a diagonal, in the tiles and between them, counts for nothing."""
    torch.manual_seed(0)
    features = torch.randn(5, 12, dtype=torch.double, requires_grad=True)
    factor = (0.3 * torch.randn(2, 12, 12, dtype=torch.double)).requires_grad_()
    triangle = factor.tril(-1) + torch.diag_embed(factor.diagonal(dim1=1, dim2=2).exp())
    expected = torch.einsum("bi,aij->abj", features, triangle).square().sum(-1).T
    weight = torch.randn(5, 2, dtype=torch.double)
    actual = TriangularForm.apply(features, factor)
    assert_close(actual, expected)
    for gradient, reference in zip(
        torch.autograd.grad((weight * actual).sum(), (features, factor)),
        torch.autograd.grad((weight * expected).sum(), (features, factor)),
        strict=True,
    ):
        assert_close(gradient, reference)


@pytest.mark.parametrize("batch_statistics", [True, False])
def test_a_block_with_input_gain_equals_dense_layers_of_scaled_inputs(batch_statistics: bool) -> None:
    torch.manual_seed(0)
    block = EnsembleBlock(2, 3, 4, input_gain=True)
    assert block.input_gain is not None
    with torch.no_grad():
        block.input_gain.uniform_(0.5, 2.0)
        block.norm.mean.normal_()
        block.norm.var.uniform_(0.5, 2.0)
    x = torch.randn(6, 3)
    z = block.dense(x * block.input_gain.transpose(1, 2))
    mean, var = (block.norm.mean, block.norm.var)
    if batch_statistics:
        mean, var = z.mean(1, keepdim=True), z.var(1, keepdim=True, correction=0)
    assert_close(block(x, batch_statistics), torch.relu((z - mean) / torch.sqrt(var + 1e-3)))


def test_the_input_is_normalized_by_running_statistics_or_by_the_batchs() -> None:
    norm = SharedInputNorm(1, momentum=0.5, eps=3.0)
    batch = torch.tensor([[1.0], [3.0]])
    assert_close(norm(batch, batch_statistics=True, track=True), torch.tensor([[-0.5], [0.5]]))
    assert_close((norm.mean.item(), norm.var.item()), (1.0, 1.0))
    assert_close(norm(torch.tensor([[3.0]]), batch_statistics=False).item(), 1.0)


def test_running_statistics_leave_out_what_is_not_finite() -> None:
    norm = SharedInputNorm(3, momentum=0.5)
    norm(torch.tensor([[1.0, 2.0, torch.nan], [3.0, torch.inf, 5.0]]), batch_statistics=True, track=True)
    assert norm.mean.tolist() == [1.0, 0.0, 0.0]
    assert norm.var.isfinite().all() and norm.var[1:].tolist() == [1.0, 1.0]


def test_gaussian_policy_starts_with_the_mean_and_spread_asked_for() -> None:
    policy = GaussianPolicy(3, 2, (8, 8), zero_mean=True, initial_std=0.3)
    mean, std = policy(torch.randn(5, 3))
    assert torch.equal(mean, torch.zeros(5, 2))
    assert torch.allclose(std, torch.full((5, 2), 0.3))
    assert not torch.equal(GaussianPolicy(3, 2, (8,)).mean(torch.ones(1, 3)), torch.zeros(1, 2))


@pytest.mark.parametrize("network", [GaussianPolicy(2, 1, (8,), layer_norm=True), StationaryPolicy(2, 1, 8, 4, 8)])
def test_the_mean_alone_is_the_mean_and_the_input_is_normalized(network: GaussianPolicy | StationaryPolicy) -> None:
    torch.nn.init.normal_(network.mean_weight if isinstance(network, StationaryPolicy) else network.mean_head.weight)
    network.eval()
    obs = torch.randn(6, 2)
    plain = network.mean(obs)
    assert torch.equal(plain, network(obs)[0])
    network.set_normalization(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]))
    assert torch.allclose(network.mean(obs * torch.tensor([2.0, 4.0]) + torch.tensor([1.0, 2.0])), plain, atol=1e-5)


def test_scalar_critics_are_independent_and_bounded_by_their_layer_norm() -> None:
    critic = ScalarCritic(3, 2, (16, 16), num_members=3)
    obs, action = torch.randn(4, 3), torch.randn(4, 2)
    values = critic(obs, action)
    assert values.shape == (3, 4)
    (gradient,) = torch.autograd.grad(values[0].sum(), critic.head.weight)
    assert gradient[0].abs().sum() > 0 and gradient[1:].abs().sum() == 0
    # A normalized layer of 16 units has norm 4; behind it is a fixed linear map.
    bound = 4.0 * critic.head.weight.norm(dim=1).max()
    assert critic(1e4 * obs, 1e4 * action).abs().max() <= bound


def test_scalar_target_follows_by_its_rate() -> None:
    online, target = (ScalarCritic(2, 1, (8,), num_members=2) for _ in range(2))
    online.set_normalization(torch.ones(2), 2.0 * torch.ones(2))
    before, wanted = target.head.weight.clone(), online.head.weight
    target.track_(online, 0.25)
    assert torch.allclose(target.head.weight, before + 0.25 * (wanted - before))
    assert torch.equal(target.obs_std, online.obs_std)
