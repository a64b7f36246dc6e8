# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Acting with the best of several samples."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tensordict import TensorDict

from cohoff.algorithms.dsrl.dsrl import DSRL
from cohoff.errors import InputError
from cohoff.offpolicy.batch import State
from cohoff.offpolicy.best_of import BestOf, BestOfPolicy
from cohoff.offpolicy.inference import load_policy
from cohoff.policies.chunking import ChunkEngine
from cohoff.stress import point_mass


class Numbers:
    """Executes 0, or where it explores the numbers given to it; 3 is worth most at the state 0, 1 at the state 5."""

    def __init__(self, numbers: list[float]) -> None:
        self.numbers = torch.tensor(numbers)[:, None]

    def features(self, actor_obs: torch.Tensor) -> dict[str, torch.Tensor]:
        return {}

    def act(self, state: State, explore: torch.Tensor) -> torch.Tensor:
        return torch.where(explore[:, None], self.numbers, 0.0) + state.base_action

    def value(self, state: State, action: torch.Tensor) -> torch.Tensor:
        return -(action - torch.where(state.actor == 0.0, 3.0, 1.0)).abs()[:, 0]


class Planner:
    """Plans its noise."""

    horizon, action_dim, noise_dim = 3, 1, 1

    def plan(self, obs: Any, noise: torch.Tensor) -> torch.Tensor:
        return noise[:, None].expand(-1, 3, 1)


def observe(obs: Any) -> dict[str, torch.Tensor]:
    return {"actor": obs["policy"]}


def test_the_critic_chooses_among_the_samples_of_its_own_state() -> None:
    numbers = [7.0, 7.0, 2.0, 2.0, 4.0, 0.5]  # two states, three samples
    best = BestOf(Numbers(numbers), observe, None, 3)  # pyright: ignore[reportArgumentType]
    obs = torch.tensor([[0.0], [5.0]])
    state = State(obs, obs, torch.zeros(2, 0), {})
    learner = best.learner
    learner.act = lambda state, explore: torch.where(explore[:, None], torch.tensor(numbers)[:, None], 0.0)
    # The first sample is the mean, 0, except where it explores, 7.
    assert best.act(state, torch.tensor([False, False])).tolist() == [[2.0], [0.5]]
    numbers[2:] = [9.0, 9.0, 9.0, 9.0]
    assert best.act(state, torch.tensor([True, False])).tolist() == [[7.0], [0.0]]


def test_states_are_repeated_as_a_whole() -> None:
    obs = torch.tensor([[1.0], [2.0]])
    state = State(obs, obs + 10.0, obs + 20.0, {"prior_mean": obs + 30.0}).repeat(2)
    assert state.actor.flatten().tolist() == [1.0, 2.0, 1.0, 2.0]
    assert state.critic.flatten().tolist() == [11.0, 12.0, 11.0, 12.0]
    assert state.base_action.flatten().tolist() == [21.0, 22.0, 21.0, 22.0]
    assert state.features["prior_mean"].flatten().tolist() == [31.0, 32.0, 31.0, 32.0]


def test_plans_start_from_the_noise_whose_first_action_is_worth_most() -> None:
    engine = ChunkEngine(Planner(), 2, "cpu", replan_interval=2)  # pyright: ignore[reportArgumentType]
    best = BestOf(Numbers([0.0] * 40), observe, engine, 20)  # pyright: ignore[reportArgumentType]
    obs = TensorDict({"policy": torch.tensor([[0.0], [5.0]])}, batch_size=[2])
    torch.manual_seed(0)
    drawn = torch.randn(40, 1).view(20, 2)
    torch.manual_seed(0)
    chosen = best.choose_noise(obs, torch.arange(2))
    assert chosen[0].item() == drawn[:, 0].max()  # all are below 3
    assert chosen[1].item() == drawn[(drawn[:, 1] - 1.0).abs().argmin(), 1]
    policy = BestOfPolicy(best)
    policy(obs)
    assert engine.choose_noise == best.choose_noise


def test_a_critic_of_noise_cannot_choose_actions() -> None:
    problem = SimpleNamespace(actor_dim=1, critic_dim=1, action_dim=1, noise_dim=1, device=torch.device("cpu"))
    learner: Any = DSRL(
        problem,  # pyright: ignore[reportArgumentType]
        noise_bound=1.0, actor_dims=(4,), critic_dims=(4,), num_critics=2, target_rate=0.1, temperature=1.0,
        target_entropy=None, noise_aliased=False,
    )  # fmt: skip
    with pytest.raises(InputError, match="best_of=4: the critic of DSRL does not value executed actions"):
        BestOf(learner, observe, None, 4)


def test_training_and_a_checkpoint_act_with_the_best(tmp_path: Path) -> None:
    cfg = point_mass.smallest_run(tmp_path)
    cfg["algorithm"]["best_of"] = 3
    trained = point_mass.train(cfg | {"multi_gpu": None}, tmp_path / "run", 2, num_envs=8, steps=4)
    assert trained.collector is not None
    base_actions = trained.collector.base_actions
    assert base_actions._choose_noise is not None and not base_actions.features()
    torch.save(trained.save(), tmp_path / "model_1.pt")
    obs = point_mass.PointMass(16, None).get_observations()
    plain, best, again = (load_policy(tmp_path, 16, "cpu", best_of=number) for number in (1, 3, 3))
    torch.manual_seed(1)
    actions = best(obs)
    torch.manual_seed(1)
    assert torch.equal(again(obs), actions)
    assert actions.shape == plain(obs).shape and not torch.equal(actions, plain(obs))
    best.reset(torch.ones(16, dtype=torch.bool))
    with pytest.raises(InputError, match="needs the trained critic"):
        load_policy(tmp_path, 16, "cpu", "step0", best_of=3)
