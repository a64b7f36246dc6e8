# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The core with CSIL++ under rsl_rl's protocol, driven by an environment made of random numbers."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tensordict import TensorDict

from cohoff.algorithms.csil.csil import CSIL
from cohoff.algorithms.csil.csil_cfg import CsilRunnerCfg
from cohoff.algorithms.csil.model import SoftImitationModel
from cohoff.data.demonstrations import Demonstrations
from cohoff.offpolicy import inputs as module
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.checkpoint import read_checkpoint, write_checkpoint
from cohoff.offpolicy.collector import Collector

N, D, A = 16, 6, 3


class CountingBase:
    """Chunk policy whose k-th planned action is 0.01·k in every dimension."""

    horizon, action_dim, observations, noise_dim = 12, A, ("policy",), 0

    def plan(self, obs: TensorDict, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Return the same chunk for every row."""
        return (0.01 * torch.arange(self.horizon))[None, :, None].expand(obs.batch_size[0], -1, A)


class RandomEnv:
    """Just enough of an rsl_rl environment."""

    num_actions, max_episode_length = A, 50

    def __init__(self, log_dir: Path | None = None, num_envs: int = N):
        self.num_envs = num_envs
        self.unwrapped = types.SimpleNamespace(
            spec=types.SimpleNamespace(id="Test"),
            cfg=types.SimpleNamespace(log_dir=log_dir and str(log_dir), episode_length_s=50.0),
            step_dt=1.0,
        )

    def observe(self) -> TensorDict:
        return TensorDict({"policy": torch.randn(self.num_envs, D)}, [self.num_envs])

    def step(self, done: torch.Tensor, success: torch.Tensor, invalid: torch.Tensor) -> tuple[TensorDict, dict]:
        """Observation and extras of a step that ends so."""
        final = {"policy": torch.full((self.num_envs, D), 9.0)}
        return self.observe(), {
            "success": success, "invalid": invalid, "num_resets": int(done.sum()), "final_obs": final,
        }  # fmt: skip


@pytest.fixture
def cfg(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A tiny learner on random demonstrations."""
    torch.manual_seed(0)
    obs = torch.randn(200, D)
    demos = Demonstrations(
        observations={"policy": obs},
        actions=torch.tanh(obs[:, :A]) * 0.9,
        intended=torch.tanh(obs[:, :A]) * 0.9,
        next_observations={"policy": obs.roll(-1, 0)},
        lengths=torch.full((10,), 20),
        task="Test",
    )
    monkeypatch.setattr(module, "load_base", lambda *args: CountingBase())
    monkeypatch.setattr(module, "load_demonstrations", lambda *args: demos)
    runner = CsilRunnerCfg(max_iterations=4)
    algorithm = runner.algorithm
    algorithm.base, algorithm.demonstrations = "base", "demos"
    algorithm.policy.num_features = algorithm.policy.hidden_dim = 16
    algorithm.critic.hidden_dims = (16,)
    algorithm.clone.steps, algorithm.critic.pretrain_steps = 30, 5
    algorithm.batch_size, algorithm.update_to_data = 16, 1 / N  # an update for each control step
    algorithm.replay_rows, algorithm.learning_starts, algorithm.actor_start_episodes = 30 * 14, 0, 0
    return runner.to_dict()


def no_ends() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    done, success, invalid = torch.zeros(3, N, dtype=torch.bool)
    return done, success, invalid


def model_of(algorithm: OffPolicyAlgorithm) -> SoftImitationModel:
    assert isinstance(algorithm.learner, CSIL)
    return algorithm.learner.model


def collector_of(algorithm: OffPolicyAlgorithm) -> Collector:
    assert algorithm.collector is not None
    return algorithm.collector


def build(cfg: dict[str, Any], env: RandomEnv) -> tuple[OffPolicyAlgorithm, TensorDict]:
    obs = env.observe()
    learner = OffPolicyAlgorithm.construct_algorithm(obs, env, cfg, "cpu")
    learner.train_mode()
    return learner, obs


def roll(learner: OffPolicyAlgorithm, env: RandomEnv, obs: TensorDict, *ends: torch.Tensor) -> TensorDict:
    """One step of the runner's loop."""
    with torch.inference_mode():
        learner.act(obs)
        obs, extras = env.step(*(ends or no_ends()))
        learner.process_env_step(obs, torch.zeros(N), (ends or no_ends())[0].long(), extras)
    return obs


def test_evaluation_environments_act_with_the_mean_and_are_never_stored(cfg: dict[str, Any]) -> None:
    env = RandomEnv()
    learner, obs = build(cfg, env)
    assert (collector_of(learner).num_train, learner.num_envs) == (14, 16)
    with torch.inference_mode():
        action = learner.act(obs)
    mean = 0.5 * torch.tanh(model_of(learner).actor(obs["policy"])[0])  # the base's first action is 0
    difference = (action - mean).abs().amax(1)
    assert (difference[14:] < 1e-6).all()
    assert (difference[:14] > 1e-6).all()
    roll(learner, env, obs)
    assert collector_of(learner).buffer.stride == 14
    assert learner.env_steps == N


def test_time_outs_store_the_true_final_observation_and_the_continued_base_action(cfg: dict[str, Any]) -> None:
    env = RandomEnv()
    learner, obs = build(cfg, env)
    done, success, invalid = no_ends()
    done[3] = True
    before = obs["policy"].clone()
    obs = roll(learner, env, obs, done, success, invalid)
    buffer = collector_of(learner).buffer
    first, following = buffer.state(torch.arange(14)), buffer.state(buffer.successor[:14])
    assert torch.equal(first["actor"], before[:14])
    assert (following["actor"][3] == 9.0).all()
    assert torch.equal(following["actor"][4], obs["policy"][4])
    expected = torch.full((14, A), 0.01)
    expected[[1, 11]] = 0.0  # their turn to plan anew
    assert following["base_action"].allclose(expected)
    obs = roll(learner, env, obs)
    base = buffer.states["base_action"][14:28]
    assert base[3].allclose(torch.tensor(0.0))  # a new plan after the reset
    assert base[4].allclose(torch.tensor(0.01))


def test_invalid_steps_are_marked_and_outcomes_counted(cfg: dict[str, Any]) -> None:
    env = RandomEnv()
    learner, obs = build(cfg, env)
    done, success, invalid = no_ends()
    done[[0, 1, 15]] = True
    success[[0, 15]] = True
    invalid[1] = True
    roll(learner, env, obs, done, success, invalid)
    assert collector_of(learner).buffer.transitions["valid"][:14].logical_not().nonzero().tolist() == [[1]]
    assert collector_of(learner).episodes["train"].summary()[1:].tolist() == [2, 1, 1, 0]
    assert collector_of(learner).episodes["eval"].summary()[1:].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("source", ["observation", "base action"])
def test_values_that_are_not_finite_are_contained_and_counted(
    cfg: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    source: str,
    value: float,
) -> None:
    """One environment, one step: neither the transition to it nor the one from it is learned from."""
    env = RandomEnv(tmp_path)
    learner, obs = build(cfg, env)
    obs = roll(learner, env, obs)
    collector, engine = collector_of(learner), learner.engine
    assert engine is not None
    planned = engine.act

    def broken(groups: TensorDict) -> torch.Tensor:
        action = planned(groups).clone()
        action[2, 0] = value
        return action

    following, extras = env.step(*no_ends())
    with torch.inference_mode(), monkeypatch.context() as patch:
        if source == "observation":
            following["policy"][2, 1] = value
        else:
            patch.setattr(engine, "act", broken)
        assert learner.act(obs).isfinite().all()
        learner.process_env_step(following, torch.zeros(N), torch.zeros(N), extras)
        assert learner.act(following).isfinite().all()
    for _ in range(3):
        following = roll(learner, env, following)
    learner.update()
    valid = collector.buffer.transitions["valid"][: 14 * 5].view(5, 14)
    assert valid.logical_not().nonzero().tolist() == [[1, 2], [2, 2]]
    assert all(tensor.isfinite().all() for tensor in collector.buffer.states.values())
    assert all(tensor.isfinite().all() for tensor in model_of(learner).state_dict().values())
    assert json.loads((tmp_path / "progress.jsonl").read_text())["non_finite"] == 2
    field = "actor" if source == "observation" else "base_action"
    assert f"not finite in environment 2: {field}" in capsys.readouterr().out
    steps = load_file(tmp_path / "non_finite_1.safetensors")
    assert steps["transitions/valid"].tolist() == [True, False, False, True, True]
    assert torch.equal(steps["states/actor"][-1], collector.buffer.states["actor"][4 * 14 + 2])


@pytest.mark.parametrize("combination", ["ensemble", "residual", "policy"])
@pytest.mark.parametrize("reward", ["coherent", "time", "sparse"])
def test_every_combination_and_reward_learns_and_reports(
    cfg: dict[str, Any], tmp_path: Path, combination: str, reward: str
) -> None:
    cfg["algorithm"] |= {"combination": combination, "reward": reward, "n_step": 3}
    cfg["algorithm"]["refinement_learning_rate"] = 1e-3
    env = RandomEnv(tmp_path)
    learner, obs = build(cfg, env)
    start = model_of(learner).actor.mean_weight.clone()
    for _ in range(4):
        obs = roll(learner, env, obs)
    learner.update()
    assert not torch.equal(start, model_of(learner).actor.mean_weight)
    line = json.loads((tmp_path / "progress.jsonl").read_text())
    assert line["replay_lost"] == collector_of(learner).buffer.num_lost.item() == 0
    assert line["updates"] == 4 and line["env_steps"] == 4 * N
    assert all(torch.isfinite(value).all() for value in model_of(learner).state_dict().values())


def test_the_actor_rests_until_every_training_environment_has_ended_its_episodes(
    cfg: dict[str, Any], tmp_path: Path
) -> None:
    """Many episodes of the others do not count for the one that runs; nor do those of evaluation. Resumed or not."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    cfg["algorithm"] |= {"actor_start_episodes": 2, "policy_delay": 1}
    env = RandomEnv(tmp_path / "first")
    learner, obs = build(cfg, env)
    start = model_of(learner).actor.mean_weight.clone()
    done, success, invalid = no_ends()
    done[:] = True
    done[13] = False  # the last training environment
    for _ in range(3):
        obs = roll(learner, env, obs, done, success, invalid)
        learner.update()
    obs = roll(learner, env, obs, ~done, success, invalid)
    learner.update()
    obs = roll(learner, env, obs)
    learner.update()
    assert learner.report.fewest == {"train": 1, "eval": 3}
    obs = roll(learner, env, obs, ~done, success, invalid)
    learner.update()
    assert learner.report.fewest == {"train": 2, "eval": 3}
    assert torch.equal(start, model_of(learner).actor.mean_weight)

    write_checkpoint(learner.save(), tmp_path / "first" / "model_0.pt")
    other = RandomEnv(tmp_path / "second")
    resumed = OffPolicyAlgorithm.construct_algorithm(obs, other, cfg, "cpu")
    resumed.load(read_checkpoint(tmp_path / "first")[0], None, True)
    resumed.train_mode()
    for algorithm, its_env in ((learner, env), (resumed, other)):
        roll(algorithm, its_env, obs)
        algorithm.update()
        assert not torch.equal(start, model_of(algorithm).actor.mean_weight)


def test_resuming_restores_networks_counters_and_replay(cfg: dict[str, Any], tmp_path: Path) -> None:
    env = RandomEnv(tmp_path / "first")
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    cfg["algorithm"]["effective_horizon"] = 2.0
    learner, obs = build(cfg, env)
    assert learner.discount == pytest.approx(1.0 - 1.0 / 40.0)  # the demonstrations have 20 steps
    for _ in range(3):
        obs = roll(learner, env, obs)
    learner.update()
    write_checkpoint(learner.save(), tmp_path / "first" / "model_0.pt")
    saved, _ = read_checkpoint(tmp_path / "first")

    cfg["algorithm"] |= {"base": None, "demonstrations": None}  # the checkpoint knows them
    resumed = OffPolicyAlgorithm.construct_algorithm(obs, RandomEnv(tmp_path / "second"), cfg, "cpu")
    assert resumed.load(saved, None, True)
    resumed.train_mode()
    assert (resumed.iteration, resumed.env_steps, resumed.num_updates) == (1, 3 * N, 3)
    before, after = collector_of(learner).buffer, collector_of(resumed).buffer
    assert torch.equal(after.states["actor"][: 3 * 14], before.states["actor"][: 3 * 14])
    assert len(after) == len(before) == 3 * 14
    assert after.transitions["done"][2 * 14 : 3 * 14].all()  # no window joins two runs
    for name, value in model_of(learner).state_dict().items():
        assert torch.equal(value, model_of(resumed).state_dict()[name]), name
    assert resumed.learner.constants() == learner.learner.constants()
    assert resumed.discount == learner.discount


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task": "Other"}, "'Other'"),
        ({"problem": {"actor_dim": 5, "critic_dim": 5, "action_dim": 3}}, "(5, 5, 3)"),
        ({"replay": "gone.safetensors"}, "gone.safetensors"),
    ],
)
def test_a_checkpoint_that_does_not_fit_ends_with_one_line(
    cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture, change: dict, words: str
) -> None:
    learner, obs = build(cfg, RandomEnv(tmp_path))
    saved = learner.save()
    saved["meta"] |= change
    other = OffPolicyAlgorithm.construct_algorithm(obs, RandomEnv(None), cfg, "cpu")
    with pytest.raises(SystemExit):
        other.load(saved, None, True)
        other.train_mode()
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("error: ") and words in message


@pytest.mark.parametrize(
    ("changes", "num_envs", "words"),
    [
        ({}, 1, "num_envs is 1"),
        ({"evaluation_share": 1.5}, N, "1.5"),
        ({"demonstrations": None}, N, "agent.algorithm.demonstrations"),
        ({"base": None}, N, "agent.algorithm.base"),
        ({"combination": "sum"}, N, "'sum'"),
    ],
)
def test_unusable_settings_end_with_one_line(
    cfg: dict[str, Any], capsys: pytest.CaptureFixture, changes: dict, num_envs: int, words: str
) -> None:
    cfg["algorithm"] |= changes
    with pytest.raises(SystemExit):
        build(cfg, RandomEnv(num_envs=num_envs))
    message = capsys.readouterr().err.strip().splitlines()
    assert len(message) == 1 and words in message[0]
