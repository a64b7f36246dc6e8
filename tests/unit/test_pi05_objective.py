# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Loss and gradients of pi-0.5; ``make parity`` compares them with lerobot's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pi05_cases import TINY, random_inputs, random_state
from pi05_training_cases import make_network
from torch import Tensor
from torch.testing import assert_close

from cohoff.policies.pi05.finetuning.network import TrainableNetwork
from cohoff.policies.pi05.finetuning.objective import draw_times, flow_loss
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.tensor_names import expected


def loss_of(network: TrainableNetwork, batch: int = 3, times: int = 1) -> Tensor:
    *inputs, _ = random_inputs(batch)
    generator = torch.Generator().manual_seed(3)
    actions = torch.rand(batch, TINY.chunk, TINY.action_dim, generator=generator)
    noise = torch.randn(batch, times, TINY.chunk, TINY.action_dim, generator=generator)
    time = draw_times(batch * times, generator).view(batch, times)
    return flow_loss(network, tuple(inputs), actions, noise, time, 3)


def gradients(network: TrainableNetwork) -> dict[str, Tensor]:
    leaves = network.weights.leaves
    values = [torch.zeros_like(leaf.master) if leaf.weight.grad is None else leaf.weight.grad for leaf in leaves]
    return dict(network.weights.named(values))


def test_velocity_is_that_of_inference() -> None:
    """Euler steps with the trainable network plan as the frozen one does."""
    *inputs, noise = random_inputs(3)
    network, chunk = make_network(), noise
    with torch.no_grad():
        encoded = network.encode(*inputs)
        for k in range(TINY.steps):
            chunk = chunk - network.velocity(encoded, chunk, torch.full((3,), 1.0 - k / TINY.steps)) / TINY.steps
    plan = Pi05.from_state_dict(random_state(), TINY).sample_actions(*inputs, noise=noise)
    assert_close(chunk, plan, atol=1e-5, rtol=0)


def test_flow_times() -> None:
    times = draw_times(100_000, torch.Generator().manual_seed(0))
    assert times.min() >= 0.001 and times.max() <= 1.0
    # Beta(1.5, 1) has mean 3/5 and median 2^(-2/3).
    assert times.mean() == pytest.approx(0.6 * 0.999 + 0.001, abs=0.003)
    assert times.median() == pytest.approx(0.63 * 0.999 + 0.001, abs=0.004)


class Line:
    """Velocity 2 x + t, and no prefix."""

    def encode(self, *inputs: Tensor) -> Any:
        return self

    def repeat(self, times: int) -> Any:
        return self

    def velocity(self, encoded: Any, chunk: Tensor, time: Tensor) -> Tensor:
        return 2.0 * chunk + time[:, None, None]


def test_loss_by_hand() -> None:
    """Actions 1, noise 3, t = 1/4 and 1/2: x = 1.5 and 2, velocity 3.25 and 4.5, target 2; padding does not count."""
    actions = torch.tensor([[[1.0, 50.0]]])
    noise = torch.tensor([3.0, 70.0]).expand(1, 2, 1, 2)
    loss = flow_loss(Line(), (), actions, noise, torch.tensor([[0.25, 0.5]]), 1)  # pyright: ignore[reportArgumentType]
    assert loss.item() == pytest.approx((1.25**2 + 2.5**2) / 2)


def test_gradients_are_finite_differences() -> None:
    """Along a random direction of all weights."""
    network = make_network()
    loss_of(network).backward()
    slope, moves = 0.0, []
    for leaf in network.weights.leaves:
        move = torch.randn(leaf.master.shape, generator=torch.Generator().manual_seed(len(moves)))
        assert leaf.master.grad is not None
        slope += (leaf.master.grad * move).sum().item()
        moves.append(move)
    values = []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for leaf, move in zip(network.weights.leaves, moves, strict=True):
                leaf.master.add_(move, alpha=sign * 1e-3)
            values.append(loss_of(network).item())
            for leaf, move in zip(network.weights.leaves, moves, strict=True):
                leaf.master.sub_(move, alpha=sign * 1e-3)
    assert (values[0] - values[1]) / 2e-3 == pytest.approx(slope, rel=0.02)


def test_every_weight_is_trained() -> None:
    network = make_network()
    loss_of(network).backward()
    found = gradients(network)
    assert found.keys() == expected(TINY).keys()
    for name, gradient in found.items():
        # Keys' biases shift all scores of a query alike, so that softmax does not see them.
        assert gradient.abs().max() > 1e-7 or name.endswith("k_proj.bias"), name


@pytest.mark.parametrize(
    ("scope", "part"), [("expert", "gemma_expert.model.layers.1.mlp.up_proj"), ("lora", "layers.0.self_attn.q_proj")]
)
def test_the_rest_is_frozen(scope: str, part: str) -> None:
    network = make_network(scope)
    loss_of(network).backward()
    names = gradients(network).keys()
    assert any(part in name for name in names)
    if scope == "expert":
        assert names == {name for name in expected(TINY) if "paligemma_with_expert.paligemma" not in name}
    else:
        assert not any("embed_tokens" in name or "input_layernorm" in name for name in names)
        full = {name for name in names if "lora" not in name}
        assert full == {name for name in expected(TINY) if "gemma_expert" not in name and "language" not in name}


def test_expert_has_the_gradients_of_everything() -> None:
    everything, expert = make_network(), make_network("expert")
    for network in (everything, expert):
        loss_of(network).backward()
    whole = gradients(everything)
    for name, gradient in gradients(expert).items():
        assert_close(gradient, whole[name], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("scope", ["everything", "lora"])
def test_checkpointing_computes_the_same(scope: str) -> None:
    plain, again = make_network(scope), make_network(scope, gradient_checkpointing=True)
    for network in (plain, again):
        loss_of(network).backward()
    kept = gradients(plain)
    for name, gradient in gradients(again).items():
        assert torch.equal(gradient, kept[name]), name


def test_flow_times_share_a_prefix() -> None:
    """Two flow times per frame are as the same frame twice."""
    network = make_network()
    *inputs, _ = random_inputs(2)
    generator = torch.Generator().manual_seed(3)
    actions = torch.rand(2, TINY.chunk, TINY.action_dim, generator=generator)
    noise, time = torch.randn(2, 2, TINY.chunk, TINY.action_dim, generator=generator), torch.rand(2, 2)
    together = flow_loss(network, tuple(inputs), actions, noise, time, 3)
    single = [flow_loss(network, tuple(inputs), actions, noise[:, [k]], time[:, [k]], 3) for k in range(2)]
    assert_close(together, sum(single) / 2)


def test_adapters_start_at_the_checkpoint() -> None:
    assert_close(loss_of(make_network("lora")), loss_of(make_network()))


def test_bfloat16_is_close() -> None:
    assert loss_of(make_network(dtype=torch.bfloat16)).item() == pytest.approx(loss_of(make_network()).item(), rel=0.02)
