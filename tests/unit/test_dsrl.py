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
from cohoff.algorithms.dsrl.critics import PlanCritics
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
from cohoff.offpolicy.observing import Observer
from cohoff.offpolicy.plans import Planner
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


def test_the_distillation_loss_by_hand() -> None:
    """Errors of 1, −2 in the first member and 0, 3 in the second: (1 + 4) / 2 + 9 / 2, then the first row alone."""
    values, plan_values = torch.tensor([[2.0, 1.0], [5.0, 4.0]]), torch.tensor([[1.0, 3.0], [5.0, 1.0]])
    assert updates.distillation_loss(values, plan_values, torch.ones(2)).item() == pytest.approx(7.0)
    assert updates.distillation_loss(values, plan_values, torch.tensor([1.0, 0.0])).item() == pytest.approx(0.5)


def plan_of(obs: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """A base that plans twice its noise."""
    return 2.0 * torch.cat([noise, noise], dim=1)


class PlanSum(torch.nn.Module):
    """Members worth the sum of a plan, and minus half of it."""

    def forward(self, obs: torch.Tensor, plan: torch.Tensor) -> torch.Tensor:
        return torch.stack([plan.sum(1), -0.5 * plan.sum(1)])


def test_critics_over_noise_are_distilled_from_those_over_plans_at_new_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise w of 3 values plans 6 actions that sum to 4·sum(w): values of 4·sum(w) and −2·sum(w), against zeros."""
    learner = make_learner(noise_aliased=True)
    learner.use_planner(plan_of)
    learner.model.plan_critic = PlanSum()  # pyright: ignore[reportAttributeAccessIssue]
    learner.model.critic.start_at_zero()
    noise, batch = torch.randn(64, 3), make_batch()
    monkeypatch.setattr(torch, "randn", lambda *args, **kwargs: noise)
    assert isinstance(learner.critics, PlanCritics)
    total = noise.sum(1)
    torch.testing.assert_close(learner.critics.distillation_loss(batch), (20.0 * total.square()).mean())


def test_the_target_is_the_value_of_the_plan_that_the_actor_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Critics over plans are fitted to what was executed, and their targets read the next plan."""
    learner, seen = make_learner(noise_aliased=True), {}
    learner.use_planner(plan_of)
    torch.nn.init.normal_(learner.model.actor.mean_head.weight)
    torch.nn.init.constant_(learner.model.actor.log_std_head.bias, -20.0)
    for name in ("plan_critic", "target"):
        network = getattr(learner.model, name)

        def kept(obs: torch.Tensor, plan: torch.Tensor, name: str = name, forward: Any = network.forward) -> Any:
            seen.setdefault(name, (obs, plan))
            return forward(obs, plan)

        monkeypatch.setattr(network, "forward", kept)
    batch = make_batch()
    expected = plan_of(batch.next.actor, 1.5 * torch.tanh(learner.model.actor.mean(batch.next.actor)))
    learner.update(batch, 0, False)
    assert torch.equal(seen["plan_critic"][0], batch.now.critic)
    assert torch.equal(seen["plan_critic"][1], batch.now.features["plan"])
    assert torch.equal(seen["target"][0], batch.next.critic)
    torch.testing.assert_close(seen["target"][1], expected, atol=0.2, rtol=0.0)


def test_noise_that_nobody_chose_gets_the_value_of_its_plan() -> None:
    """Rewards follow the executed plan alone: the actor raises the noise that plans it."""
    learner = make_learner(noise_aliased=True)
    learner.use_planner(plan_of)
    for _ in range(300):
        batch = make_batch()
        plan = torch.randn(64, 6)
        batch.now.features, batch.returns = {"plan": plan}, plan[:, 0]
        learner.update(batch, 32, True)
    obs = torch.randn(256, 4)
    assert learner.choose_noise(obs, torch.zeros(256, dtype=torch.bool))[:, 0].mean() > 0.3


def test_demonstrated_plans_are_the_next_actions(cfg: dict[str, Any], tmp_path: Path) -> None:
    """Held at the last action to the end of an episode; half a batch is demonstrated."""
    own = dsrl_settings() | {"actor_dims": (16,), "critic_dims": (16,), "noise_aliased": True}
    cfg["algorithm"] = own | cfg["algorithm"] | {"learner": own["learner"], "demonstration_share": 0.5}
    trained = point_mass.train(cfg, tmp_path, 2, num_envs=16)
    buffer = trained.demonstration_buffer
    plans, actions = buffer.states["features/plan"], buffer.transitions["action"]
    done = buffer.transitions["done"].nonzero()[:, 0]
    start, last = int(done[0]) + 1, int(done[1])
    assert last - start >= 5
    torch.testing.assert_close(plans[start], actions[start : start + 5].flatten())
    torch.testing.assert_close(plans[last - 1], torch.cat([actions[last - 1], actions[last].repeat(4)]))
    batch = trained.sampler.draw(64, 32)
    assert batch.now.features["plan"].shape == (64, 10) and batch.weight[:32].min() == 1.0
    replay = trained.sampler.replay
    rows = torch.arange(len(replay))
    rows = rows[replay.states["features/steps_since_plan"][rows] == 0]
    states = replay.state(rows)
    planned = point_mass.DriftingBase().plan({"policy": states["actor"]}, states["features/noise"])  # pyright: ignore
    torch.testing.assert_close(states["features/plan"], planned[:, :5].flatten(1))


def test_demonstrations_need_critics_over_plans(cfg: dict[str, Any], tmp_path: Path, capsys: Any) -> None:
    cfg["algorithm"]["demonstration_share"] = 0.5
    with pytest.raises(SystemExit):
        small_run(cfg, tmp_path)
    assert "do not tell the noise; set agent.algorithm.noise_aliased=true" in capsys.readouterr().err


def test_plans_at_stored_states_need_what_the_base_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_mass.DriftingBase, "observations", ("policy", "images"))
    observe = Observer({"actor": ["policy"]}, point_mass.PointMass(1, None).get_observations())
    with pytest.raises(InputError, match="the base policy misses images"):
        Planner(point_mass.DriftingBase(), observe, 5)


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


def make_learner(noise_aliased: bool = False) -> DSRL:
    torch.manual_seed(0)
    learner = DSRL(
        Problem(4, 4, 2, torch.device("cpu"), noise_dim=3, plan_dim=6), noise_bound=1.5, actor_dims=(32,),
        critic_dims=(32,), num_critics=2, target_rate=0.02, temperature=0.01, target_entropy=None,
        noise_aliased=noise_aliased,
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
        State(now, now, torch.zeros(64, 2), {"noise": noise, "plan": torch.randn(64, 6)}),
        torch.zeros(64, 2), noise[:, 0], zeros, zeros,
        State(following, following, torch.zeros(64, 2), {}), torch.full((64,), weight),
    )  # fmt: skip


def dsrl_run(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of the smallest run over a flow policy; writes its inputs."""
    cfg, own = point_mass.smallest_run(folder), DsrlRunnerCfg().algorithm.to_dict()
    core = {
        name: value for name, value in cfg["algorithm"].items() if name in OffPolicyAlgorithmCfg(learner="").to_dict()
    }
    own |= {"actor_dims": (16,), "critic_dims": (16,)}
    cfg["algorithm"] = own | core | {"learner": own["learner"], "demonstration_share": 0.0} | changes
    return cfg


@pytest.mark.parametrize("changes", [{}, {"noise_aliased": True, "demonstration_share": 0.5}], ids=["noise", "plans"])
def test_an_interrupted_run_equals_one_that_was_not(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Over a flow policy, of which the noise of the whole chunk is chosen; the resumed run is told no base."""
    cfg = dsrl_run(tmp_path, **changes)
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
