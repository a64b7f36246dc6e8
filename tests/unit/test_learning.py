# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Every algorithm raises the success of a poor base policy on the point mass, and a new one is a small class."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from learning_cases import base_success, csil_settings, point_mass_cfg, train_on_the_point_mass
from torch import nn

from cohoff.errors import InputError
from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.batch import Batch
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.learner import Metrics, Problem
from cohoff.run_folder import has_clone
from cohoff.stress import point_mass


class CloningLearner:
    """Behavior cloning, continued online on demonstrations alone: the smallest algorithm."""

    uses_base = relabels = False
    fixed_settings = ("hidden_dim",)
    fixed_for_training = ()

    def __init__(self, problem: Problem, *, hidden_dim: int):
        sizes = (problem.actor_dim, hidden_dim, problem.action_dim)
        self.modules = nn.Sequential(nn.Linear(*sizes[:2]), nn.ELU(), nn.Linear(*sizes[1:]), nn.Tanh())
        self.optimizers = {"policy": torch.optim.Adam(self.modules.parameters())}

    def features(self, actor_obs):
        return {}

    def act(self, state, explore):
        return self.modules(state.actor)

    def policy(self, kind: str):
        return None if kind == "clone" else lambda actor_obs, base_action: self.modules(actor_obs)

    def prepare(self, demonstrations, corrections, discount, progress):
        return {}

    def reward(self, actor_obs, action, success):
        return success.float()

    def update(self, batch: Batch, num_demonstrations: int, with_actor: bool) -> Metrics:
        error = self.modules(batch.now.actor[:num_demonstrations]) - batch.action[:num_demonstrations]
        loss = error.square().mean()
        self.optimizers["policy"].zero_grad()
        loss.backward()
        self.optimizers["policy"].step()
        return {"loss": loss.detach()}

    def constants(self):
        return {}

    def load_constants(self, constants):
        pass


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The core's settings for the point mass."""
    return point_mass_cfg(tmp_path, monkeypatch)


def test_csil_raises_success(cfg: dict[str, Any], tmp_path: Path) -> None:
    start, end = train_on_the_point_mass(cfg, csil_settings(), tmp_path)
    assert has_clone(tmp_path)
    assert base_success() < 0.7
    assert end > max(base_success(), start) + 0.1


def test_a_new_algorithm_is_one_class(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"] |= {"learner": f"{__name__}:CloningLearner", "hidden_dim": 64}
    trained = point_mass.train(cfg, tmp_path, iterations=20)
    torch.save(trained.save(), tmp_path / "model_19.pt")
    lines = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"] and lines[-1]["updates"] == 320
    assert len(trained.collector.buffer) == 28 * 160  # pyright: ignore[reportOptionalMemberAccess]
    assert point_mass.success_rate(trained.get_policy()) > base_success() + 0.1
    assert not has_clone(tmp_path)
    with pytest.raises(InputError, match="has no clone"):
        load_policy(tmp_path, 4, "cpu", "clone")


def test_unknown_settings_and_learners_end_with_one_line(cfg: dict[str, Any], capsys: pytest.CaptureFixture) -> None:
    for change, words in (
        ({"learner": f"{__name__}:CloningLearner", "hidden_dim": 64, "betta": 1}, "agent.algorithm.betta"),
        ({"learner": "cohoff.algorithms.nothing:Nothing"}, "cohoff.algorithms.nothing"),
    ):
        env = point_mass.PointMass(4, None)
        with pytest.raises(SystemExit):
            OffPolicyAlgorithm.construct_algorithm(
                env.get_observations(), env, cfg | {"algorithm": cfg["algorithm"] | change}, "cpu"
            )
        assert words in capsys.readouterr().err


class Malicious:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (exec, ("raise SystemExit('code has run')",))


def test_the_runner_cannot_open_a_checkpoint_that_holds_code(cfg: dict[str, Any], tmp_path: Path) -> None:
    """rsl_rl's runner asks torch for an unsafe load."""
    torch.save({"model": Malicious()}, tmp_path / "model_0.pt")
    cfg["algorithm"] |= {"learner": f"{__name__}:CloningLearner", "hidden_dim": 64}
    env = point_mass.PointMass(4, None)
    OffPolicyAlgorithm.construct_algorithm(env.get_observations(), env, cfg, "cpu")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "model_0.pt", weights_only=False)
