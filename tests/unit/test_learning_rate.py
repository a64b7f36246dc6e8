# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The learning rate over a run, and what part of it each optimizer uses."""

from __future__ import annotations

import copy

import pytest
import torch

from cohoff.offpolicy.learning_rate import LearningRate


def make() -> tuple[LearningRate, dict[str, torch.optim.Optimizer]]:
    """From 0.4 to 0.2; the actor uses a quarter."""
    optimizers: dict[str, torch.optim.Optimizer] = {
        name: torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], 9.0, momentum=0.5) for name in ("critic", "actor")
    }
    return LearningRate(optimizers, 0.4, 0.2, torch.device("cpu"), {"actor": 0.25}), optimizers


def steps(optimizers: dict[str, torch.optim.Optimizer]) -> list[float]:
    """How far one step with gradient 1 moves the parameters of each optimizer, in the order of their names."""
    moved = []
    for _, optimizer in sorted(optimizers.items()):
        (parameter,) = optimizer.param_groups[0]["params"]
        before = parameter.detach().clone()
        parameter.grad = torch.ones(2)
        optimizer.step()
        moved.append((before - parameter.detach())[0].item())
    return moved


def test_each_optimizer_uses_its_share_from_start_to_end() -> None:
    rate, optimizers = make()
    assert steps(optimizers) == pytest.approx([0.1, 0.4])
    rate, optimizers = make()
    assert rate.set(0.5) == pytest.approx(0.3)
    assert steps(optimizers) == pytest.approx([0.075, 0.3])
    rate, optimizers = make()
    assert [rate.set(share) for share in (0.25, 1.0)] == pytest.approx([0.35, 0.2])
    assert steps(optimizers) == pytest.approx([0.05, 0.2])


def test_loaded_optimizers_keep_reading_the_same_tensors() -> None:
    """A captured update holds on to the tensors; what the optimizers have gathered is loaded, not their rate."""
    rate, optimizers = make()
    steps(optimizers)
    states = {name: copy.deepcopy(optimizer.state_dict()) for name, optimizer in optimizers.items()}
    for state in states.values():
        state["param_groups"][0]["lr"] = 7.0
    rate, optimizers = make()
    tensors = {name: optimizer.param_groups[0]["lr"] for name, optimizer in optimizers.items()}
    assert tensors["actor"] is not tensors["critic"]
    rate.load_optimizers(states)
    for name, optimizer in optimizers.items():
        assert optimizer.param_groups[0]["lr"] is tensors[name]
    rate.set(1.0)
    assert [float(tensors[name]) for name in ("actor", "critic")] == pytest.approx([0.05, 0.2])
    assert steps(optimizers) == pytest.approx([1.5 * 0.05, 1.5 * 0.2])  # with the loaded momentum
