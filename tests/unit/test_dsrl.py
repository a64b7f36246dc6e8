# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""DSRL chooses the noise of plans: losses by hand, plans in the replay buffer, learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from learning_cases import base_success, point_mass_cfg, train_on_the_point_mass
from rsl_rl.runners import OnPolicyRunner
from test_resuming import resume, stopped

from cohoff.algorithms.dsrl import updates
from cohoff.algorithms.dsrl.dsrl import DSRL
from cohoff.algorithms.dsrl.dsrl_cfg import DsrlRunnerCfg
from cohoff.errors import InputError
from cohoff.offpolicy import inference
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.algorithm_cfg import OffPolicyAlgorithmCfg
from cohoff.offpolicy.batch import Batch, State
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import NoiseLearner, Problem
from cohoff.policies.acting import ActingPolicy, NoisePolicy
from cohoff.policies.chunking import ChunkEngine
from cohoff.stress import point_mass
from cohoff.stress.kills import differences
from cohoff.stress.training import make_runner


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The core's settings for the point mass."""
    return dsrl_cfg(tmp_path, monkeypatch)


def dsrl_cfg(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    runner = point_mass_cfg(folder, monkeypatch)
    runner["algorithm"] |= {"demonstration_share": 0.0, "replan_interval": 5}
    return runner


def dsrl_settings() -> dict[str, Any]:
    """Small networks; the settings that the core does not take."""
    settings = DsrlRunnerCfg().algorithm.to_dict()
    return settings | {"actor_dims": (64, 64), "critic_dims": (64, 64), "target_rate": 0.02}


def test_dsrl_raises_success(cfg: dict[str, Any], tmp_path: Path) -> None:
    """With twice as many plans as the other tests, by which the base itself succeeds more often."""
    engine = ChunkEngine(point_mass.DriftingBase(), 256, "cpu", cfg["algorithm"]["replan_interval"])
    base = point_mass.success_rate(
        ActingPolicy(lambda obs, action: action, lambda obs: {"actor": obs["policy"]}, engine)  # pyright: ignore
    )
    start, end = train_on_the_point_mass(cfg, dsrl_settings(), tmp_path)
    print(f"base with as many plans {base:.3f}")
    assert base > base_success() + 0.1
    assert end > max(base, start) + 0.05


def test_the_target_adds_the_entropy_of_the_next_plan() -> None:
    returns, discount = torch.tensor([1.0, 0.25]), torch.tensor([0.5, 0.0])
    values, log_prob = torch.tensor([[2.0, 7.0], [3.0, 6.0]]), torch.tensor([-1.0, -1.0])
    target = updates.soft_target(returns, discount, values, log_prob, torch.tensor(0.1))
    assert target.tolist() == pytest.approx([1.0 + 0.5 * (2.0 + 0.1), 0.25])


def test_the_actor_loss_by_hand() -> None:
    log_prob = torch.tensor([2.0, -1.0])
    values = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    assert updates.actor_loss(values, log_prob, torch.tensor(0.5), torch.ones(2)).item() == pytest.approx(-0.25)
    assert updates.actor_loss(values, log_prob, torch.tensor(1.0), torch.tensor([1.0, 0.0])).item() == pytest.approx(
        0.5
    )


def small_run(cfg: dict[str, Any], folder: Path, iterations: int = 3) -> OffPolicyAlgorithm:
    own = dsrl_settings() | {"actor_dims": (16,), "critic_dims": (16,)}
    cfg["algorithm"] = own | cfg["algorithm"] | {"learner": own["learner"]}
    return point_mass.train(cfg, folder, iterations, num_envs=16)


def test_stored_plans_are_what_the_base_makes_of_the_stored_noise(cfg: dict[str, Any], tmp_path: Path) -> None:
    trained = small_run(cfg, tmp_path)
    assert isinstance(trained.learner, NoiseLearner) and trained.problem.noise_dim == 2
    buffer = trained.collector.buffer  # pyright: ignore[reportOptionalMemberAccess]
    rows = torch.arange(len(buffer))
    states = buffer.state(rows[buffer.states["features/steps_since_plan"][rows] == 0])
    assert 40 < len(states["actor"]) < 120
    planned = point_mass.DriftingBase().plan({"policy": states["actor"]}, states["features/noise"])  # pyright: ignore
    torch.testing.assert_close(planned[:, 0], states["base_action"])
    torch.testing.assert_close(buffer.transitions["action"][rows], buffer.states["base_action"][rows])
    assert states["features/noise"].abs().max() <= 1.5 and states["features/noise"].std() > 0.5


def test_evaluation_environments_and_the_policy_plan_from_the_mean_noise(cfg: dict[str, Any], tmp_path: Path) -> None:
    learner = small_run(cfg, tmp_path).learner
    assert isinstance(learner, DSRL) and learner.policy("clone") is None
    torch.nn.init.normal_(learner.model.actor.mean_head.weight)
    obs, policy = torch.randn(64, 4), learner.policy("trained")
    noise = learner.choose_noise(obs, torch.arange(64) < 32)
    assert isinstance(policy, NoisePolicy)
    assert torch.equal(noise[32:], policy.noise(obs)[32:])
    assert (noise[:32] - policy.noise(obs)[:32]).abs().mean() > 0.05
    assert noise.abs().max() <= 1.5
    initial = learner.policy("step0")
    assert isinstance(initial, NoisePolicy) and initial.noise(obs).abs().max() == 0.0


def test_a_policy_acts_with_its_noise(cfg: dict[str, Any], tmp_path: Path) -> None:
    trained = small_run(cfg, tmp_path)
    torch.nn.init.normal_(trained.learner.model.actor.mean_head.weight)  # pyright: ignore[reportAttributeAccessIssue]
    torch.save(trained.save(), tmp_path / "model_2.pt")
    policy = load_policy(tmp_path, 8, "cpu")
    obs = point_mass.PointMass(8, None).get_observations()
    expected = point_mass.DriftingBase().plan(obs, policy.policy.noise(obs["policy"]))[:, 0]  # pyright: ignore
    torch.testing.assert_close(policy(obs), expected)


def test_rows_without_weight_teach_nothing() -> None:
    learner = make_learner()
    before = {name: value.clone() for name, value in learner.modules.state_dict().items()}
    learner.update(make_batch(weight=0.0), 0, True)
    changed = {name for name, value in learner.modules.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"log_temperature"}


def test_the_critics_learn_and_the_actor_leaves_them_trainable() -> None:
    learner = make_learner()
    losses = [learner.update(make_batch(), 0, True)["critic_loss"].item() for _ in range(300)]
    assert sum(losses[-50:]) < 0.5 * sum(losses[:50])
    assert all(parameter.requires_grad for parameter in learner.model.critic.parameters())
    obs = torch.randn(256, 4)
    noise = learner.choose_noise(obs, torch.zeros(256, dtype=torch.bool))
    assert noise[:, 0].mean() > 0.3, "a reward that grows with the first noise value raises it"


def test_critics_see_the_stored_noise_and_the_next_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise is divided by its bound; the next action is the actor's at the next state."""
    learner, seen = make_learner(), {}
    torch.nn.init.normal_(learner.model.actor.mean_head.weight)
    torch.nn.init.constant_(learner.model.actor.log_std_head.bias, -20.0)
    for name in ("critic", "target"):
        network = getattr(learner.model, name)

        def kept(obs: torch.Tensor, action: torch.Tensor, name: str = name, forward: Any = network.forward) -> Any:
            seen.setdefault(name, (obs, action))
            return forward(obs, action)

        monkeypatch.setattr(network, "forward", kept)
    batch = make_batch()
    expected = torch.tanh(learner.model.actor.mean(batch.next.actor))
    learner.update(batch, 0, False)
    assert torch.equal(seen["critic"][0], batch.now.critic) and torch.equal(seen["target"][0], batch.next.critic)
    torch.testing.assert_close(seen["critic"][1], batch.now.features["noise"] / 1.5)
    torch.testing.assert_close(seen["target"][1], expected, atol=0.05, rtol=0.0)


def make_learner() -> DSRL:
    torch.manual_seed(0)
    learner = DSRL(
        Problem(4, 4, 2, torch.device("cpu"), noise_dim=3), noise_bound=1.5, actor_dims=(32,), critic_dims=(32,),
        num_critics=2, target_rate=0.02, temperature=0.01, target_entropy=None,
    )  # fmt: skip
    for optimizer in learner.optimizers.values():
        optimizer.param_groups[0]["lr"] = torch.tensor(3e-3)
    return learner


def make_batch(weight: float = 1.0) -> Batch:
    """The plan's return is its first noise value."""
    now, following = (torch.randn(64, 4) for _ in range(2))
    noise = 3.0 * torch.rand(64, 3) - 1.5
    zeros = torch.zeros(64)
    return Batch(
        State(now, now, torch.zeros(64, 2), {"noise": noise}), torch.zeros(64, 2), noise[:, 0], zeros, zeros,
        State(following, following, torch.zeros(64, 2), {}), torch.full((64,), weight),
    )  # fmt: skip


def test_an_interrupted_run_equals_one_that_was_not(tmp_path: Path) -> None:
    """Over a flow policy, of which the noise of the whole chunk is chosen; the resumed run is told no base."""
    cfg, own = point_mass.smallest_run(tmp_path), DsrlRunnerCfg().algorithm.to_dict()
    core = {
        name: value for name, value in cfg["algorithm"].items() if name in OffPolicyAlgorithmCfg(learner="").to_dict()
    }
    own |= {"actor_dims": (16,), "critic_dims": (16,)}
    cfg["algorithm"] = own | core | {"learner": own["learner"], "demonstration_share": 0.0}
    make_runner(cfg, tmp_path / "whole").learn(5)
    stopped(cfg, tmp_path / "first", iteration=2)
    cfg["algorithm"]["base"] = None
    resumed = resume(cfg, tmp_path / "first", tmp_path / "second")
    assert resumed.alg.problem.noise_dim == 16 * point_mass.ACTION_DIM
    whole, second = (read_checkpoint(tmp_path / name)[0] for name in ("whole", "second"))
    assert differences(whole, second) == ["/running/seconds", "/meta/base", "/meta/replay"]


class Deterministic(point_mass.DriftingBase):
    """Plans without noise."""

    noise_dim = 0

    def plan(self, obs: Any, noise: torch.Tensor | None = None) -> torch.Tensor:
        return super().plan(obs, torch.zeros(len(obs["policy"]), 2))


@pytest.mark.parametrize(
    ("base", "words"), [(None, "no base policy; set agent.algorithm.base=FILE"), ("base", "plans without noise")]
)
def test_a_base_without_noise_ends_with_one_line(
    cfg: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, base: str | None, words: str
) -> None:
    monkeypatch.setattr("cohoff.offpolicy.inputs.load_base", lambda *args: Deterministic())
    cfg["algorithm"]["base"] = base
    with pytest.raises(SystemExit):
        small_run(cfg, tmp_path)
    assert words in capsys.readouterr().err


def test_another_base_must_have_as_much_noise(
    cfg: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(small_run(cfg, tmp_path, 1).save(), tmp_path / "model_0.pt")
    monkeypatch.setattr(inference, "load_base", lambda *args: Deterministic())
    with pytest.raises(InputError, match="chooses 2 noise values"):
        load_policy(tmp_path, 8, "cpu", base_path="other")


def test_a_runner_takes_the_base_of_a_checkpoint(cfg: dict[str, Any], tmp_path: Path) -> None:
    """The size of its noise is that of the networks; isaaclab play names no base."""
    trained = small_run(cfg, tmp_path, 1)
    torch.save(trained.save(), tmp_path / "model_0.pt")
    cfg["algorithm"]["base"] = None
    runner = OnPolicyRunner(point_mass.PointMass(16, None), cfg, None, "cpu")  # pyright: ignore[reportArgumentType]
    runner.load(str(tmp_path / "model_0.pt"))
    obs = point_mass.PointMass(16, None).get_observations()
    expected = load_policy(tmp_path, 16, "cpu")(obs)
    torch.testing.assert_close(runner.get_inference_policy()(obs), expected)
