# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Online agents start as a policy that was learned from recorded data."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from offline_cases import mixed_recording, silent, training

from cohoff.algorithms.rlpd.rlpd_cfg import RlpdRunnerCfg
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.inference import load_policy
from cohoff.stress import point_mass

SMALL = ("updates=20", "batch_size=32")
CHANGES = {
    "csil": (
        "policy.hidden_dim=16", "policy.num_features=16", "critic.hidden_dims=16,", "critic.pretrain_steps=5",
        "clone.steps=50",
    ),
    "boundaries": ("hidden_dims=16,16", "clone_steps=5"),
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Folder of a policy that was trained for a few updates."""
    recording = mixed_recording(tmp_path_factory.mktemp("data"))

    @cache
    def train(method: str) -> str:
        folder = tmp_path_factory.mktemp(method)
        training(method, recording, (*SMALL, *CHANGES.get(method, ("hidden_dims=16,16",))), folder).run(silent)
        return str(folder)

    return train


@pytest.fixture
def csil(tmp_path: Path) -> dict[str, Any]:
    """Settings of the smallest CSIL++, without a base."""
    return point_mass.smallest_csil(tmp_path)


def rlpd(csil: dict[str, Any]) -> dict[str, Any]:
    """Settings of the smallest RLPD on the same demonstrations."""
    runner = RlpdRunnerCfg().to_dict()
    runner["algorithm"]["demonstrations"] = csil["algorithm"]["demonstrations"]
    runner["algorithm"]["critic"]["hidden_dims"] = (16,)
    runner["algorithm"] |= {"actor": {"hidden_dims": (16, 16), "initial_std": 0.1}, "batch_size": 16}
    return runner


def started(runner: dict[str, Any], start: str, folder: Path, iterations: int = 0) -> OffPolicyAlgorithm:
    """An agent before its first step, or after some iterations."""
    runner["algorithm"]["start"] = start
    return point_mass.train(runner, folder, iterations, num_envs=4)


def actions(path: Path | str, obs: dict[str, Any], kind: Any = "trained") -> torch.Tensor:
    """Actions of the policy of a run."""
    return load_policy(path, len(obs["policy"]), "cpu", kind)(point_mass.TensorDict(obs, batch_size=[64]))


@pytest.mark.parametrize(("method", "agent"), [("csil", "csil"), ("iql", "csil"), ("iql", "rlpd")])
def test_step_0_is_the_policy_of_the_file(
    method: str, agent: str, trained: Callable[[str], str], csil: dict[str, Any], tmp_path: Path
) -> None:
    start = trained(method)
    runner = csil if agent == "csil" else rlpd(csil)
    if (method, agent) == ("iql", "csil"):
        runner["algorithm"]["actor_hidden_dims"] = (16, 16)
    run = started(runner, start, tmp_path / "run", iterations=3)
    torch.save(run.save(), tmp_path / "run" / "model_2.pt")
    obs = {"policy": torch.randn(64, 4)}
    expected = actions(start, obs)
    assert torch.equal(actions(tmp_path / "run", obs, "step0"), expected)
    assert not torch.equal(actions(tmp_path / "run", obs), expected)


def test_the_actor_starts_there_and_the_reward_at_the_clone(
    trained: Callable[[str], str], csil: dict[str, Any], tmp_path: Path
) -> None:
    start = trained("iql")
    csil["algorithm"]["actor_hidden_dims"] = (16, 16)
    model: Any = started(csil, start, tmp_path / "run").learner.modules
    obs = torch.randn(64, 4)
    assert torch.equal(torch.tanh(model.actor.mean(obs)), actions(start, {"policy": obs}))
    assert torch.equal(model.reward.mean(obs), model.clone.mean(obs))
    # Its spread is its error on the demonstrations, 30 of an expert with noise of .2.
    _, std = model.actor(obs)
    assert torch.equal(std, std[:1].expand_as(std))
    assert (std > 0.1).all() and (std < 1.0).all()


def test_rlpd_keeps_its_own_spread(trained: Callable[[str], str], csil: dict[str, Any], tmp_path: Path) -> None:
    start = trained("iql")
    model: Any = started(rlpd(csil), start, tmp_path / "run").learner.modules
    torch.testing.assert_close(model.actor(torch.randn(64, 4))[1], torch.full((64, 2), 0.1))


def test_a_resumed_run_needs_the_file_no_more(
    trained: Callable[[str], str], csil: dict[str, Any], tmp_path: Path
) -> None:
    start = trained("csil")
    run = started(csil, start, tmp_path / "run", iterations=1)
    assert "start" not in run.save()["meta"]["agent"]["algorithm"]


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("iql", {}, "holds a perceptron with 4 inputs, 2 actions and layers of [16, 16], this agent has a stationary"),
        ("csil", {"actor_hidden_dims": (16, 16)}, "holds a stationary policy"),
        ("boundaries", {}, "is not one network that acts alone"),
        ("csil", {"combination": "residual", "base": "given"}, "small correction"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    method: str, settings: dict[str, Any], message: str, trained: Callable[[str], str], csil: dict[str, Any],
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if settings.get("base"):
        settings = settings | {"base": point_mass.smallest_run(tmp_path)["algorithm"]["base"]}
    csil["algorithm"] |= settings
    with pytest.raises(SystemExit):
        started(csil, trained(method), tmp_path / "run")
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_another_task_is_refused(
    trained: Callable[[str], str], csil: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = trained("csil")
    content = torch.load(next(Path(start).glob("*.pt")), weights_only=True)
    content["meta"]["task"] = "Elsewhere"
    torch.save(content, tmp_path / "model_0.pt")
    with pytest.raises(SystemExit):
        started(csil, str(tmp_path / "model_0.pt"), tmp_path / "run")
    assert "is of task 'Elsewhere', not 'PointMass'" in capsys.readouterr().err


def test_a_perceptron_without_a_start_is_refused(
    csil: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csil["algorithm"]["actor_hidden_dims"] = (16, 16)
    with pytest.raises(SystemExit):
        point_mass.train(csil, tmp_path / "run", 0, num_envs=4)
    assert "agent.algorithm.start=FILE" in capsys.readouterr().err
