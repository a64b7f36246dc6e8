# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Buffer and losses compile to one graph each, once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cohoff.algorithms.csil import updates
from cohoff.algorithms.csil.csil import CSIL
from cohoff.algorithms.csil.csil_cfg import CsilAlgorithmCfg
from cohoff.offpolicy.batch import FEATURES, Batch, assemble
from cohoff.offpolicy.learner import Problem
from cohoff.offpolicy.replay_buffer import Fields, ReplayBuffer

N, D, A = 4, 5, 2


@pytest.fixture(autouse=True)
def fresh_compiler():
    """Every test compiles anew, and fails when something is compiled a second time."""
    torch._dynamo.reset()
    with torch._dynamo.config.patch(error_on_recompile=True):
        yield
    torch._dynamo.reset()


def make_learner(device: str) -> CSIL:
    settings = CsilAlgorithmCfg().to_dict()
    settings["policy"] |= {"hidden_dim": 16, "num_features": 16}
    settings["critic"] |= {"hidden_dims": (16, 16)}
    names = (
        "combination", "residual_scale", "reward", "reward_floor", "refinement_learning_rate", "policy", "clone",
        "critic", "target_rate", "beta", "exploration_std", "gradient_penalty",
    )  # fmt: skip
    return CSIL(Problem(D, D, A, 0.99, torch.device(device)), **{name: settings[name] for name in names})


def states(learner: CSIL) -> Fields:
    obs = torch.randn(N, D)
    features = {FEATURES + name: value for name, value in learner.features(obs).items()}
    return {"actor": obs, "base_action": torch.zeros(N, A), **features}


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
    target_of, critic_loss = compile_(updates.bootstrap_target), compile_(updates.critic_loss)
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
