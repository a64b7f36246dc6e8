# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Schedules of the core, and what CSIL++ is before its first update."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import h5py
import pytest
import torch

from cohoff.algorithms.csil import updates
from cohoff.algorithms.csil.csil import CSIL
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg
from cohoff.offpolicy.batch import Batch, State, concatenate
from cohoff.offpolicy.demonstration_share import NUM_SIZES, demonstrated_rows
from cohoff.offpolicy.time_limit import limit_episodes
from cohoff.offpolicy.update_to_data import updates_due
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
    cfg["algorithm"]["policy_delay"] = 3
    _, recorder = run(cfg, tmp_path, 2)
    assert [call[2] for call in recorder.calls] == [i % 3 == 0 for i in range(14)]


def test_no_update_before_learning_starts(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"]["learning_starts"] = 64
    _, recorder = run(cfg, tmp_path, 1)
    assert recorder.calls == []
    algorithm, recorder = run(cfg, tmp_path, 2)
    assert len(recorder.calls) == algorithm.num_updates == 7


def test_the_default_is_64_updates_for_8_steps_of_64_environments() -> None:
    ratio = OffPolicyAlgorithmCfg(learner="").update_to_data
    assert updates_due(0, 8 * 64, ratio) == updates_due(99 * 8 * 64, 100 * 8 * 64, ratio) == 64
    assert updates_due(0, 8 * 4096, ratio) == 64 * 64


@pytest.mark.parametrize("ratio", [0.1, 1 / 3, 0.3, 1.0, 2.5])
def test_no_update_is_lost_or_made_twice(ratio: float) -> None:
    """In iterations of 7 steps; a tenth of 350 is 35, though .1 is not a tenth."""
    made = [updates_due(7 * i, 7 * i + 7, ratio) for i in range(50)]
    assert sum(made) == int(350 * ratio + 1e-9) and max(made) - min(made) <= 1


@pytest.mark.parametrize(("num_envs", "iterations"), [(8, 6), (32, 3)])
def test_updates_follow_the_number_of_environment_steps(
    cfg: dict[str, Any], tmp_path: Path, num_envs: int, iterations: int
) -> None:
    """Steps before learning starts are not made up for."""
    cfg["algorithm"] |= {"update_to_data": 0.07, "learning_starts": 5 * num_envs}
    trained = point_mass.train(cfg, tmp_path, iterations, num_envs=num_envs, steps=4)
    steps = 4 * num_envs
    assert trained.num_updates == int(0.07 * iterations * steps + 1e-9) - int(0.07 * steps)


def test_the_learning_rate_falls_to_its_final_value(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"] |= {"learning_rate": 3e-4, "final_learning_rate": 3e-5}
    _, recorder = run(cfg, tmp_path, 6)
    rates = [call[3] for call in recorder.calls[::7]]
    expected = [3e-4 + share * (3e-5 - 3e-4) for share in (0.0, 0.25, 0.5, 0.75, 1.0, 1.0)]
    assert rates == pytest.approx(expected)


def test_the_first_rows_are_demonstrations(cfg: dict[str, Any], tmp_path: Path) -> None:
    algorithm, recorder = run(cfg, tmp_path, 1)
    batch, num_demonstrations = recorder.calls[0][:2]
    demonstrated = algorithm.demonstration_buffer.states["actor"]
    is_demonstration = (batch.now.actor[:, None] == demonstrated[None]).all(-1).any(1)
    assert num_demonstrations == 8  # half of the batch
    assert is_demonstration.tolist() == [True] * 8 + [False] * 8


def test_the_share_of_demonstrations_falls_in_even_steps() -> None:
    """80 rows from .5 to .1: 40, 36, ... 8, each for a ninth of the run."""
    rows = [demonstrated_rows(80, 0.5, 0.1, i / 90) for i in range(91)]
    assert rows[:90] == [40 - 4 * (i // 10) for i in range(90)] and rows[90] == 8
    assert len(set(rows)) == NUM_SIZES
    assert {demonstrated_rows(80, 0.5, None, i / 90) for i in range(91)} == {40}


def test_batches_hold_as_many_demonstrations_as_their_share_says(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"]["final_demonstration_share"] = 0.25
    _, recorder = run(cfg, tmp_path, 5)
    assert [call[1] for call in recorder.calls[::7]] == [8, 7, 6, 5, 4]  # of 16
    assert {len(call[0].action) for call in recorder.calls} == {16}


def test_the_actor_waits_for_its_number_of_steps(cfg: dict[str, Any], tmp_path: Path) -> None:
    """Of 8 environments, 4 control steps an iteration."""
    cfg["algorithm"] |= {"actor_start_steps": 64, "policy_delay": 1}
    _, recorder = run(cfg, tmp_path, 3)
    assert [call[2] for call in recorder.calls[::7]] == [False, True, True]


def test_the_base_collects_until_the_actor_starts(tmp_path: Path) -> None:
    """Then the policy does; evaluation environments always act with the mean policy."""
    cfg = point_mass.smallest_run(tmp_path)
    cfg["algorithm"] |= {"base_collection_std": 0.3, "actor_start_steps": 64, "exploration_std": 0.0}
    algorithm, _ = run(cfg, tmp_path, 0)
    collector = algorithm.collector
    assert collector is not None and collector.num_train == 7
    differences, from_policy = [], []
    act = collector.act

    def watched(obs: Any, base_std: float | None) -> torch.Tensor:
        action = act(obs, base_std).clone()
        state = State.of(collector._state)
        differences.append((action - state.base_action)[:7])
        everywhere = algorithm.learner.act(state, torch.zeros(8, dtype=torch.bool))
        from_policy.append((action == everywhere).all(1))
        return action

    collector.act = watched  # pyright: ignore[reportAttributeAccessIssue]
    point_mass.go_on(algorithm, 3)
    assert torch.stack(from_policy)[:, 7].all()
    assert torch.stack(from_policy)[:, :7].all(1).tolist() == [False] * 8 + [True] * 4
    noise = torch.stack(differences[:8])
    assert 0.2 < noise.std() < 0.4 and noise.abs().max() > 0.3


def test_a_base_that_is_not_used_cannot_collect(cfg: dict[str, Any], capsys: pytest.CaptureFixture) -> None:
    cfg["algorithm"]["base_collection_std"] = 0.1
    env = point_mass.PointMass(8, None)
    with pytest.raises(SystemExit):
        OffPolicyAlgorithm.construct_algorithm(env.get_observations(), env, cfg, "cpu")
    assert "agent.algorithm.base_collection_std=0.1" in capsys.readouterr().err


def test_concatenated_batches_keep_their_rows_together() -> None:
    def batch(value: float) -> Batch:
        one = torch.full((2,), value)
        state = State(one[:, None], one[:, None] + 1.0, one[:, None] + 2.0, {"x": one + 3.0})
        return Batch(state, one[:, None] + 4.0, one + 5.0, one + 6.0, one + 7.0, state, one + 8.0)

    joined = concatenate(batch(0.0), batch(10.0))
    assert joined.now.actor[:, 0].tolist() == [0.0, 0.0, 10.0, 10.0]
    assert joined.now.critic[:, 0].tolist() == [1.0, 1.0, 11.0, 11.0]
    assert joined.next.base_action[:, 0].tolist() == [2.0, 2.0, 12.0, 12.0]
    assert joined.next.features["x"].tolist() == [3.0, 3.0, 13.0, 13.0]
    assert joined.action[:, 0].tolist() == [4.0, 4.0, 14.0, 14.0]
    assert joined.returns.tolist() == [5.0, 5.0, 15.0, 15.0]
    assert joined.discount.tolist() == [6.0, 6.0, 16.0, 16.0]
    assert joined.followed.tolist() == [7.0, 7.0, 17.0, 17.0]
    assert joined.weight.tolist() == [8.0, 8.0, 18.0, 18.0]


def test_before_the_first_update_actor_and_prior_are_the_trained_clone(cfg: dict[str, Any], tmp_path: Path) -> None:
    algorithm, _ = run(cfg, tmp_path, 0)
    model = cast(CSIL, algorithm.learner).model
    assert json.loads((tmp_path / "pretraining.json").read_text()).keys() == {"clone", "critic", "reward", "returns"}
    assert model.clone.mean_weight.abs().max() > 0.0
    for name, value in model.clone.state_dict().items():
        for member in (model.actor, model.prior, model.reward):
            assert torch.equal(value, member.state_dict()[name]), name
    for name, value in model.critic.state_dict().items():
        assert torch.equal(value, model.target.state_dict()[name]), name


@pytest.mark.parametrize(
    ("reward", "lowest", "highest"), [("coherent", -2.0, 0.0), ("time", -2.0, 0.0), ("sparse", -2.0, 2.0)]
)
def test_the_critics_atoms_span_what_the_reward_can_be_worth(
    cfg: dict[str, Any], tmp_path: Path, reward: str, lowest: float, highest: float
) -> None:
    cfg["algorithm"]["reward"] = reward
    cfg["algorithm"]["critic"] |= {"support": 2.0, "num_atoms": 21}
    model = cast(CSIL, run(cfg, tmp_path, 0)[0].learner).model
    for critic in (model.critic, model.target):
        assert (len(critic.atoms), critic.atoms[0].item(), critic.atoms[-1].item()) == (21, lowest, highest)


def test_the_discount_follows_the_length_of_the_demonstrations(cfg: dict[str, Any], tmp_path: Path) -> None:
    """1/(1 − discount) is as many mean lengths as set; the learner and all windows use it; a set discount wins."""
    with h5py.File(tmp_path / "demos.hdf5") as file:
        lengths = [demo.attrs["num_samples"] for demo in file["data"].values()]  # pyright: ignore
    cfg["algorithm"] |= {"effective_horizon": 2.5, "n_step": 1}
    assert len(lengths) == 6 and len(set(lengths)) > 1
    expected = 1.0 - 1.0 / (2.5 * sum(lengths) / 6)
    algorithm, recorder = run(cfg, tmp_path, 5)
    assert algorithm.discount == pytest.approx(expected)
    assert json.loads((tmp_path / "pretraining.json").read_text())["returns"]["discount"] == algorithm.discount
    discounts = torch.cat([batch.discount for batch, *_ in recorder.calls])
    assert discounts.unique().tolist() == pytest.approx([0.0, expected])
    cfg["algorithm"]["discount"] = 0.9
    assert run(cfg, tmp_path, 0)[0].discount == 0.9


@pytest.mark.parametrize(("factor", "expected"), [(2.5, None), (None, point_mass.LIMIT), (1000.0, point_mass.LIMIT)])
def test_training_episodes_are_at_most_as_long_as_set(
    cfg: dict[str, Any], tmp_path: Path, factor: float | None, expected: int | None
) -> None:
    """In mean lengths of a demonstration, rounded up; never longer than the task's limit."""
    with h5py.File(tmp_path / "demos.hdf5") as file:
        lengths = [int(demo.attrs["num_samples"]) for demo in file["data"].values()]  # pyright: ignore
    cfg["algorithm"]["time_limit"] = factor
    algorithm, _ = run(cfg, tmp_path, 0)
    assert algorithm.env.max_episode_length == (expected or math.ceil(2.5 * sum(lengths) / 6))
    assert math.ceil(2.5 * sum(lengths) / 6) < point_mass.LIMIT


def test_a_time_limit_survives_rounding() -> None:
    """As Isaac Lab computes it from seconds, in which 222 steps of .05 would be 223."""
    env = SimpleNamespace(cfg=SimpleNamespace(episode_length_s=20.0), step_dt=0.05)
    limit_episodes(env, 222)
    assert math.ceil(env.cfg.episode_length_s / env.step_dt) == 222


@pytest.mark.parametrize("reward", ["coherent", "time", "sparse"])
def test_beta_counts_mean_costs_of_a_demonstrated_step(
    cfg: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reward: str
) -> None:
    cfg["algorithm"] |= {"reward": reward, "beta": 0.3}
    algorithm, _ = run(cfg, tmp_path, 0, record=False)
    learner = cast(CSIL, algorithm.learner)
    used: list[float] = []
    for name in ("bootstrap_target", "update_actor"):
        function = getattr(updates, name)

        def kept(*args: Any, function: Any = function) -> Any:
            used.append(args[-1])
            return function(*args)

        monkeypatch.setattr(updates, name, kept)
    point_mass.go_on(algorithm, 1)
    assert learner.constants()["step_worth"] > 0.0
    assert set(used) == {0.3 * learner.constants()["step_worth"]} and len(used) > 7


def test_a_residual_starts_at_a_narrow_prior_of_its_own(cfg: dict[str, Any], tmp_path: Path) -> None:
    problem = run(cfg, tmp_path, 0)[0].problem
    cfg["algorithm"] |= {"combination": "residual", "residual_scale": 0.1}
    names = inspect.signature(CSIL).parameters.keys() - {"problem"}
    learner = CSIL(problem, **{name: cfg["algorithm"][name] for name in names})
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
    cfg["algorithm"] |= {"target_rate": 0.25, "update_to_data": 1 / 8, "learning_rate": 1e-2}
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
        ({"demonstration_share": 0.01}, "a batch needs a demonstrated"),
        ({"final_demonstration_share": 0.01}, "agent.algorithm.final_demonstration_share=0.01: a batch needs"),
        ({"final_learning_rate": 1e-2}, "final_learning_rate must not be above"),
    ],
)
def test_settings_that_exclude_each_other_end_in_one_line(
    cfg: dict[str, Any], capsys: pytest.CaptureFixture, change: dict[str, Any], words: str
) -> None:
    cfg["algorithm"] |= change
    env = point_mass.PointMass(8, None)
    with pytest.raises(SystemExit):
        OffPolicyAlgorithm.construct_algorithm(env.get_observations(), env, cfg, "cpu")
    assert words in capsys.readouterr().err
