# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Buffer, losses, acting and storing compile to one graph each, once."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from tensordict import TensorDict
from torch import Tensor
from torch._dynamo.utils import counters

from cohoff.algorithms.common import categorical_td
from cohoff.algorithms.csil import updates
from cohoff.algorithms.csil.csil import CSIL
from cohoff.algorithms.csil.csil_cfg import CsilAlgorithmCfg
from cohoff.offpolicy.base_actions import BaseActions
from cohoff.offpolicy.batch import FEATURES, Batch, assemble
from cohoff.offpolicy.collector import Collector
from cohoff.offpolicy.learner import Problem
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.replay_buffer import Fields, ReplayBuffer
from cohoff.policies.combine import make_combination

N, D, A = 4, 5, 2


@pytest.fixture(autouse=True)
def fresh_compiler():
    """Every test compiles anew, and fails when something is compiled a second time."""
    torch._dynamo.reset()
    counters.clear()
    with torch._dynamo.config.patch(error_on_recompile=True):
        yield
    torch._dynamo.reset()


def make_learner(device: str) -> CSIL:
    cfg: Any = CsilAlgorithmCfg()
    settings: dict[str, Any] = cfg.to_dict()
    settings["policy"] |= {"hidden_dim": 16, "num_features": 16}
    settings["critic"] |= {"hidden_dims": (16, 16)}
    names = inspect.signature(CSIL).parameters.keys() - {"problem"}
    return CSIL(Problem(D, D, A, torch.device(device)), **{name: settings[name] for name in names})


def states(learner: CSIL) -> Fields:
    obs = torch.randn(N, D)
    features = {FEATURES + name: value for name, value in learner.features(obs).items()}
    return {"actor": obs, "base_action": torch.zeros(N, A), **features}


def groups() -> TensorDict:
    return TensorDict({"policy": torch.randn(N, D)}, batch_size=[N])


def write(buffer: ReplayBuffer, state: Fields, following: Fields, action: Tensor, done: Tensor) -> None:
    buffer.extend(state, following, action=action, reward=action[:, 0], success=done, done=done, valid=~done)


def draw_batch(buffer: ReplayBuffer) -> Batch:
    rows, mask = buffer.sample(8, 3)
    return assemble(buffer, rows, mask, buffer.transitions["reward"][rows], 0.99)


def test_buffer_and_losses_compile_to_one_graph_each_and_only_once() -> None:
    learner = make_learner("cpu")
    model = learner.model
    buffer = ReplayBuffer(6, N, states(learner), A)
    compile_ = lambda function: torch.compile(function, fullgraph=True, backend="aot_eager")  # noqa: E731
    extend, sample = compile_(write), compile_(draw_batch)
    target_of, critic_loss = compile_(updates.bootstrap_target), compile_(categorical_td.critic_loss)
    actor_loss = compile_(updates.actor_loss)
    for _ in range(10):
        extend(buffer, states(learner), states(learner), torch.randn(N, A), torch.rand(N) < 0.3)
        batch, noise = sample(buffer), torch.randn(8, A)
        target, next_action, _ = target_of(model, batch, noise, 0.01)
        loss, _ = critic_loss(model, batch, target, next_action, 4, 0.0)
        loss.backward()
        loss, _ = actor_loss(model, batch, noise, 0.01)
        loss.backward()
    expected, _, _ = updates.bootstrap_target(model, batch, noise, 0.01)
    torch.testing.assert_close(target, expected)


def test_acting_and_storing_compile_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a base policy; its queues decide on the host whom to plan for, and compile as test_compile_chunking says.

    Storing a step has two graphs: with and without environments that were reset.
    """
    learner: Any = make_learner("cpu")
    learner.uses_base = False
    monkeypatch.setattr(learner, "combination", make_combination("policy"))
    device = torch.device("cpu")
    collectors = []
    for _ in range(2):
        observe = Observer({"actor": ["policy"]}, groups())
        actions = BaseActions(None, N, device)
        collector = Collector(
            learner, observe, actions, N - 1, groups(), A, lambda state: ReplayBuffer(6, N - 1, state, A)
        )
        collector.act(groups())
        collectors.append(collector)
    eager, compiled = collectors
    act, record = (torch.compile(f, fullgraph=True, backend="aot_eager") for f in (compiled.act, compiled.record))

    def step(num_resets: int) -> None:
        before, after, final = groups(), groups(), {"policy": torch.randn(N, D)}
        done = torch.arange(N) < num_resets
        extras = {"success": done, "invalid": torch.zeros_like(done), "num_resets": num_resets, "final_obs": final}
        random_state = torch.random.get_rng_state()
        action = act(before).clone()
        record(after, done, extras)
        torch.random.set_rng_state(random_state)
        torch.testing.assert_close(eager.act(before), action)
        eager.record(after, done, extras)

    with torch.no_grad():
        with torch._dynamo.config.patch(error_on_recompile=False):
            for num_resets in (0, 1, 2, 3):
                step(num_resets)
        graphs = counters["stats"]["unique_graphs"]
        for num_resets in (0, 3, 1, 2, 0, 4, 1, 3, 4, 0):
            step(num_resets)
    assert counters["stats"]["unique_graphs"] == graphs == 3
    for name, value in eager.buffer.state_dict().items():
        torch.testing.assert_close(compiled.buffer.state_dict()[name], value)
