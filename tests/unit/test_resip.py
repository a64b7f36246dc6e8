# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""ResiP: rsl_rl's own PPO learns a correction of a base policy that acts inside of the environment."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from isaaclab_rl.rsl_rl import handle_deprecated_rsl_rl_cfg
from learning_cases import base_success
from rsl_rl.algorithms import PPO
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

from cohoff.algorithms.resip.ppo import ResidualPPO
from cohoff.algorithms.resip.residual import GROUP, ResidualActions
from cohoff.algorithms.resip.resip_cfg import ResipAlgorithmCfg, ResipRunnerCfg
from cohoff.errors import InputError
from cohoff.isaac.ppo_policy import PpoPolicy, counters
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.policies.chunking import ChunkEngine
from cohoff.stress import point_mass

SCALE = 0.5


class ResidualPointMass:
    """The point mass with a poor base policy inside, as the tasks' environments have it."""

    num_actions, max_episode_length, device = point_mass.ACTION_DIM, point_mass.LIMIT, "cpu"

    def __init__(self, num_envs: int, seed: int = 0) -> None:
        self.plain = point_mass.PointMass(num_envs, None, seed)
        self.num_envs, self.cfg = num_envs, self.plain.cfg
        self.residual = ResidualActions(point_mass.DriftingBase(), num_envs, "cpu", 10, SCALE)
        self.obs = self.residual.start(self.plain.get_observations())

    def get_observations(self) -> TensorDict:
        """Groups ``policy`` and ``base_action``."""
        return TensorDict(self.obs, batch_size=[self.num_envs])

    def step(self, action: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Of corrections [N, 2]."""
        obs, reward, done, extras = self.plain.step(self.residual.execute(action))
        self.obs, before_reset = self.residual.advance(obs, done.bool(), extras["num_resets"])
        extras["final_obs"] |= {GROUP: before_reset}
        return self.get_observations(), reward, done, extras


class Outside:
    """The same policy in the plain point mass: base, actor and their combination, written out."""

    def __init__(self, actor: Any, num_envs: int) -> None:
        self.actor, self.engine = actor, ChunkEngine(point_mass.DriftingBase(), num_envs, "cpu", 10)
        self.reset = self.engine.reset

    @torch.no_grad()
    def __call__(self, obs: TensorDict) -> torch.Tensor:
        base = self.engine.act(obs)
        return (base + SCALE * self.actor(TensorDict({**obs, GROUP: base}, batch_size=obs.batch_size))).clamp(-1.0, 1.0)


def make_runner(folder: Path | None = None, num_envs: int = 32, **settings: Any) -> OnPolicyRunner:
    cfg: Any = handle_deprecated_rsl_rl_cfg(
        ResipRunnerCfg(experiment_name="test"), version("rsl-rl-lib")
    )  # as Isaac Lab
    cfg = cfg.to_dict() | {"num_steps_per_env": 16}
    cfg["algorithm"] |= settings
    return OnPolicyRunner(ResidualPointMass(num_envs), cfg, folder and str(folder), "cpu")  # pyright: ignore


def test_ppo_raises_success(capfd: pytest.CaptureFixture[str]) -> None:
    """On rsl_rl's own runner, with the paper's settings but for lambda: the episodes here are short."""
    torch.manual_seed(0)
    runner = make_runner(num_envs=128, lam=0.8)
    assert type(runner) is OnPolicyRunner and type(runner.alg) is PPO
    start, end = train_and_measure(runner, iterations=32)
    with capfd.disabled():
        print(f"base {base_success():.3f}, step 0 {start:.3f}, after 640 updates {end:.3f}")
    assert start == base_success()
    assert end > start + 0.1


def train_and_measure(runner: OnPolicyRunner, iterations: int) -> tuple[float, float]:
    outside = Outside(runner.alg.get_policy(), 256)
    start = point_mass.success_rate(outside)
    runner.learn(iterations)
    return start, point_mass.success_rate(outside)


def test_a_base_inside_acts_as_one_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over resets, in the executed action and in what is observed; with another correction in each step."""
    plan = point_mass.DriftingBase.plan
    monkeypatch.setattr(point_mass.DriftingBase, "plan", lambda base, obs, noise: plan(base, obs, 0.0 * noise))
    inside, outside = ResidualPointMass(6), point_mass.PointMass(6, None)
    engine = ChunkEngine(point_mass.DriftingBase(), 6, "cpu", 10)
    obs, ended = outside.get_observations(), 0
    for _ in range(70):
        base, correction = engine.act(obs), torch.randn(6, 2)
        assert torch.equal(inside.get_observations()[GROUP], base)
        assert torch.equal(inside.get_observations()["policy"], obs["policy"])
        _, _, _, extras = inside.step(correction)
        obs, _, done, _ = outside.step((base + SCALE * correction).clamp(-1.0, 1.0))
        assert torch.equal(extras["final_obs"][GROUP][done.bool()], engine.peek()[done.bool()])
        engine.reset(done)
        ended += int(done.sum())
    assert ended > 6


def test_kept_observations_are_not_overwritten() -> None:
    """PPO stores them after the step that follows."""
    env = ResidualPointMass(4)
    before = env.get_observations()
    kept = before[GROUP].clone()
    for _ in range(11):
        env.step(torch.zeros(4, 2))
    assert torch.equal(before[GROUP], kept)


def test_a_reset_outside_of_a_step_plans_anew() -> None:
    env = ResidualPointMass(4)
    for _ in range(3):
        env.step(torch.zeros(4, 2))
    obs = env.plain.get_observations()
    torch.manual_seed(2)
    shown = env.residual.start(obs)[GROUP]
    torch.manual_seed(2)
    assert torch.equal(shown, point_mass.DriftingBase().plan(obs, torch.randn(4, 2))[:, 0])


def test_the_actor_starts_at_zero_with_a_log_deviation_of_minus_one() -> None:
    actor = make_runner(num_envs=4).alg.actor
    obs = ResidualPointMass(4).get_observations()
    assert actor(obs).abs().max() == 0.0
    sampled = torch.cat([actor(obs, stochastic_output=True) for _ in range(500)])
    assert sampled.std().log().item() == pytest.approx(-1.0, abs=0.05)
    assert actor.obs_dim == point_mass.OBS_DIM + point_mass.ACTION_DIM


def test_settings_of_other_algorithms_end_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ResipAlgorithmCfg().demonstrations = "demos.hdf5"  # pyright: ignore[reportAttributeAccessIssue]
    assert "error: there is no setting agent.algorithm.demonstrations" in capsys.readouterr().err


def test_a_missing_base_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    env = point_mass.PointMass(4, None)
    with pytest.raises(SystemExit):
        ResidualPPO.construct_algorithm(env.get_observations(), env, {}, "cpu")
    assert capsys.readouterr().err == "error: no base policy; set env.base=FILE (scripts/pretrain.py)\n"


def test_agents_with_a_base_of_their_own_refuse_one_inside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = point_mass.PointMass(4, None)
    env.cfg.base = "base.safetensors"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(SystemExit):
        OffPolicyAlgorithm.construct_algorithm(
            env.get_observations(), env, point_mass.smallest_csil(tmp_path) | {"multi_gpu": None}, "cpu"
        )
    assert "set agent.algorithm.base=FILE instead" in capsys.readouterr().err


@pytest.fixture
def trained(tmp_path: Path) -> tuple[OnPolicyRunner, Path]:
    """A run of two iterations with the files that Isaac Lab and rsl_rl write."""
    runner = make_runner(tmp_path, num_envs=4)
    cfg = {name: runner.cfg[name] for name in ("actor", "obs_groups")}
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "agent.yaml").write_text(yaml.dump(cfg))
    (tmp_path / "run.json").write_text(json.dumps({"task": point_mass.TASK}))
    runner.learn(2)
    return runner, tmp_path


def test_a_checkpoint_of_ppo_acts_with_its_mean(trained: tuple[OnPolicyRunner, Path]) -> None:
    runner, folder = trained
    assert "!!python/tuple" in (folder / "params" / "agent.yaml").read_text()
    obs = ResidualPointMass(16).get_observations()
    policy = PpoPolicy(folder, "cpu", point_mass.TASK)
    assert torch.equal(policy(obs), runner.alg.get_policy()(obs))
    assert policy(obs).abs().max() > 0.0
    with pytest.raises(InputError, match="shows no 'base_action'"):
        policy(obs.exclude(GROUP))
    with pytest.raises(InputError, match="reads 6 values, the environment shows 7"):
        policy(TensorDict({"policy": torch.zeros(1, 5), GROUP: torch.zeros(1, 2)}, batch_size=[1]))


def test_a_checkpoint_of_ppo_counts_its_steps(tmp_path: Path) -> None:
    (tmp_path / "params").mkdir()
    algorithm = {"num_learning_epochs": 5, "num_mini_batches": 4}
    agent = {"num_steps_per_env": 64, "algorithm": algorithm}
    for name, content in (("agent", agent), ("env", {"scene": {"num_envs": 16}})):
        (tmp_path / "params" / f"{name}.yaml").write_text(yaml.dump(content))
    expected = {"iteration": 25, "env_steps": 25 * 64 * 16, "updates": 25 * 20}
    assert counters(tmp_path / "model_24.pt") == expected
    (tmp_path / "params" / "env.yaml").unlink()
    with pytest.raises(InputError, match="train it again"):
        counters(tmp_path / "model_24.pt")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "model_1.pt").write_bytes(b"not torch"), "model_1.pt' is damaged"),
        (lambda folder: torch.save({"model": {}}, folder / "model_1.pt"), "or --policy trained"),
        (lambda folder: (folder / "params" / "agent.yaml").write_text("{}"), "is damaged"),
        (lambda folder: (folder / "run.json").unlink(), "run.json' is damaged"),
        (lambda folder: (folder / "run.json").write_text('{"task": "Other"}'), "of task 'Other', not 'PointMass'"),
        (lambda folder: [path.unlink() for path in folder.glob("model_*")], "no checkpoint model_<iteration>.pt"),
    ],
)
def test_unusable_runs_end_with_one_line(trained: tuple[OnPolicyRunner, Path], change: Any, words: str) -> None:
    folder = trained[1]
    change(folder)
    with pytest.raises(InputError, match=re.escape(words)):
        PpoPolicy(folder, "cpu", point_mass.TASK)
