# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Schedules of the core, and what CSIL++ is before its first update."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from cohoff.algorithms.csil.csil import CSIL
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.batch import Batch, State, concatenate
from cohoff.stress import point_mass


@pytest.fixture
def cfg(tmp_path: Path) -> dict[str, Any]:
    """CSIL++ without a base policy, as small as can be."""
    return point_mass.smallest_csil(tmp_path)


class Recorder:
    """Stands in for the learner's update and keeps what it was called with."""

    def __init__(self, algorithm: OffPolicyAlgorithm) -> None:
        self.calls: list[tuple[Batch, int, bool, float]] = []
        self.rate = lambda: float(algorithm.learner.optimizers["critic"].param_groups[0]["lr"])

    def __call__(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> dict[str, torch.Tensor]:
        self.calls.append((batch, num_demonstrations, with_actor, self.rate()))
        return {"loss": torch.zeros(())}


def run(cfg: dict[str, Any], folder: Path, iterations: int, record: bool = True) -> tuple[OffPolicyAlgorithm, Recorder]:
    algorithm = point_mass.train(cfg, folder, iterations=0, num_envs=8)
    recorder = Recorder(algorithm)
    if record:
        algorithm.learner.update = recorder  # pyright: ignore[reportAttributeAccessIssue]
    point_mass.go_on(algorithm, iterations)
    return algorithm, recorder


def test_the_actor_moves_at_every_third_update(cfg: dict[str, Any], tmp_path: Path) -> None:
    _, recorder = run(cfg, tmp_path, 2)
    assert [call[2] for call in recorder.calls] == [i % 3 == 0 for i in range(14)]


def test_no_update_before_learning_starts(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"]["learning_starts"] = 64
    _, recorder = run(cfg, tmp_path, 1)
    assert recorder.calls == []
    algorithm, recorder = run(cfg, tmp_path, 2)
    assert len(recorder.calls) == algorithm.num_updates == 7


def test_the_learning_rate_falls_to_its_final_value(cfg: dict[str, Any], tmp_path: Path) -> None:
    _, recorder = run(cfg, tmp_path, 6)
    rates = [call[3] for call in recorder.calls[::7]]
    expected = [3e-4 + share * (3e-5 - 3e-4) for share in (0.0, 0.25, 0.5, 0.75, 1.0, 1.0)]
    assert rates == pytest.approx(expected)


def test_the_first_rows_are_demonstrations(cfg: dict[str, Any], tmp_path: Path) -> None:
    algorithm, recorder = run(cfg, tmp_path, 1)
    batch, num_demonstrations = recorder.calls[0][:2]
    demonstrated = algorithm.demonstration_buffer.states["actor"]
    is_demonstration = (batch.now.actor[:, None] == demonstrated[None]).all(-1).any(1)
    assert num_demonstrations == 8
    assert is_demonstration.tolist() == [True] * 8 + [False] * 8


def test_concatenated_batches_keep_their_rows_together() -> None:
    def batch(value: float) -> Batch:
        one = torch.full((2,), value)
        state = State(one[:, None], one[:, None] + 1.0, one[:, None] + 2.0, {"x": one + 3.0})
        return Batch(state, one[:, None] + 4.0, one + 5.0, one + 6.0, state, one + 7.0)

    joined = concatenate(batch(0.0), batch(10.0))
    assert joined.now.actor[:, 0].tolist() == [0.0, 0.0, 10.0, 10.0]
    assert joined.now.critic[:, 0].tolist() == [1.0, 1.0, 11.0, 11.0]
    assert joined.next.base_action[:, 0].tolist() == [2.0, 2.0, 12.0, 12.0]
    assert joined.next.features["x"].tolist() == [3.0, 3.0, 13.0, 13.0]
    assert joined.action[:, 0].tolist() == [4.0, 4.0, 14.0, 14.0]
    assert joined.returns.tolist() == [5.0, 5.0, 15.0, 15.0]
    assert joined.discount.tolist() == [6.0, 6.0, 16.0, 16.0]
    assert joined.weight.tolist() == [7.0, 7.0, 17.0, 17.0]


def test_before_the_first_update_actor_and_prior_are_the_trained_clone(cfg: dict[str, Any], tmp_path: Path) -> None:
    algorithm, _ = run(cfg, tmp_path, 0)
    model = cast(CSIL, algorithm.learner).model
    assert json.loads((tmp_path / "pretraining.json").read_text()).keys() == {"clone", "critic", "reward"}
    assert model.clone.mean_weight.abs().max() > 0.0
    for name, value in model.clone.state_dict().items():
        for member in (model.actor, model.prior, model.reward):
            assert torch.equal(value, member.state_dict()[name]), name
    for name, value in model.critic.state_dict().items():
        assert torch.equal(value, model.target.state_dict()[name]), name


def test_a_residual_starts_at_a_narrow_prior_of_its_own(cfg: dict[str, Any], tmp_path: Path) -> None:
    problem = run(cfg, tmp_path, 0)[0].problem
    settings = {k: cfg["algorithm"][k] for k in ("reward", "policy", "clone", "critic", "target_rate", "beta")}
    settings |= {"combination": "residual", "residual_scale": 0.1, "reward_floor": -5.0, "gradient_penalty": 0.0}
    learner = CSIL(problem, **settings, refinement_learning_rate=0.0, exploration_std=0.2)
    torch.nn.init.normal_(learner.model.clone.mean_weight)
    learner.model.start_from_clone(residual=True)
    features = learner.features(torch.randn(64, problem.actor_dim))
    assert features["prior_mean"].abs().max() == 0.0
    assert features["prior_std"].mean().item() == pytest.approx(0.3, abs=0.05)


def test_exploration_is_bounded(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"]["exploration_std"] = 0.01
    learner = cast(CSIL, run(cfg, tmp_path, 0)[0].learner)
    obs = torch.randn(512, 4) * 5.0
    state = State(obs, obs, obs[:, :0], {})
    explored, mean = (learner.act(state, torch.full((512,), flag)) for flag in (True, False))
    assert torch.equal(mean, torch.tanh(learner.model.actor(obs)[0]))
    assert 0.001 < (torch.atanh(explored) - torch.atanh(mean)).std() < 0.02


def test_the_target_follows_slowly(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"] |= {"target_rate": 0.25, "updates_per_iteration": 1, "learning_rate": 1e-2}
    algorithm, _ = run(cfg, tmp_path, 0, record=False)
    model = cast(CSIL, algorithm.learner).model
    target, online = model.target.head.bias, model.critic.head.bias
    assert target is not None and online is not None
    before = target.detach().clone()
    env = point_mass.PointMass(8, tmp_path)
    with torch.inference_mode():
        obs, rewards, dones, extras = env.step(algorithm.act(env.get_observations()))
        algorithm.process_env_step(obs, rewards, dones, extras)
    algorithm.update()
    moved, gap = target - before, online - before
    assert gap.abs().max() > 1e-3
    torch.testing.assert_close(moved, 0.25 * gap)
    assert torch.equal(model.target.input_norm.mean, model.critic.input_norm.mean)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_step": 51}, "n_step=51, agent.algorithm.replay_steps=50"),
        ({"demonstration_share": 0.01}, "a batch needs a demonstrated"),
        ({"final_learning_rate": 1e-2}, "final_learning_rate must not be above"),
    ],
)
def test_settings_that_exclude_each_other_end_in_one_line(
    cfg: dict[str, Any], capsys: pytest.CaptureFixture, change: dict[str, Any], words: str
) -> None:
    cfg["algorithm"] |= {"replay_steps": 50, **change}
    env = point_mass.PointMass(8, None)
    with pytest.raises(SystemExit):
        OffPolicyAlgorithm.construct_algorithm(env.get_observations(), env, cfg, "cpu")
    assert words in capsys.readouterr().err
