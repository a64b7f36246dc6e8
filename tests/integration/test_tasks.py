# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What every task promises: interface, initial states, expert, demonstrations that replay. One simulation per task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from cohoff.errors import InputError
from cohoff.isaac.evaluation import evaluate
from cohoff.isaac.launch import make_env, make_expert
from cohoff.isaac.newton_manager import NewtonGraphMJWarpManager
from cohoff.isaac.recording import collect
from cohoff.isaac.replaying import replay

# Steps of the longest episode, and entries of the observation.
TASKS = {
    "Cohoff-Square-Franka": (400, 49),
    "Cohoff-Coffee-Franka": (400, 50),
    "Cohoff-MugCleanup-Franka": (500, 54),
    "Cohoff-Threading-Franka": (400, 58),
    "Cohoff-HammerCleanup-Franka": (500, 54),
    "Cohoff-NutAssembly-Franka": (500, 72),
}
NUM_ENVS = 16


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def env(task: str) -> Iterator[Any]:
    with make_env(task, NUM_ENVS, "cpu", seed=0) as env:
        yield env


def state(env: Any) -> torch.Tensor:
    """Poses of the rigid objects and joints of all articulations, [N, ...]."""
    objects = [asset.data.root_link_pose_w.torch for asset in env.scene.rigid_objects.values()]
    joints = [asset.data.joint_pos.torch for asset in env.scene.articulations.values()]
    return torch.cat([*objects, *joints], dim=1).clone()


def test_interface(env: Any, task: str) -> None:
    steps, size = TASKS[task]
    obs, _ = env.reset()
    assert env.max_episode_length == steps and env.step_dt == pytest.approx(0.05)
    assert obs["policy"].shape == (NUM_ENVS, size) and obs["policy"].dtype == torch.float32
    assert env.action_manager.total_action_dim == 7
    assert len(env.cfg.instruction.split()) >= 4


def test_initial_states_follow_the_seed_and_rest(env: Any) -> None:
    env.reset(seed=3)
    first = state(env)
    env.reset(seed=4)
    other = state(env)
    env.reset(seed=3)
    assert torch.equal(state(env), first)
    assert not torch.equal(other, first)
    for _ in range(20):
        obs, _, terminated, _, extras = env.step(torch.zeros(NUM_ENVS, 7))
        assert not terminated.any() and not extras["success"].any()
        assert torch.isfinite(obs["policy"]).all() and obs["policy"].abs().max() <= 5.0
    # Nothing starts inside something else: objects settle by millimeters, they are not thrown.
    assert (state(env) - first).abs().max() < 0.02


def test_expert_succeeds_the_same_way_twice(env: Any, task: str) -> None:
    results = []
    for _ in range(2):
        env.reset(seed=0)
        results.append(evaluate(env, make_expert(task, env), NUM_ENVS))
    first, second = results
    assert first.success.sum() >= NUM_ENVS - 1 and first.non_finite == 0
    assert torch.equal(first.success, second.success) and torch.equal(first.lengths, second.lengths)


def test_demonstrations_replay(env: Any, task: str) -> None:
    torch.manual_seed(0)
    episodes = collect(env, make_expert(task, env), num_demonstrations=8, noise=0.05, disturbance=0.0, seed=0)
    for episode in episodes:
        data = episode.data
        length = len(data["actions"])
        assert torch.equal(data["obs"]["policy"][1:], data["next_obs"]["policy"][:-1])
        assert data["rewards"].tolist() == data["dones"].tolist() == [0.0] * (length - 1) + [1.0]
        assert data["actions"].abs().max() <= 1.0
    assert replay(env, episodes)[0].float().mean() >= 0.75
    assert NewtonGraphMJWarpManager.overflowed_worlds() == 0


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("presets=d7", "d7"),
        (
            "env.events.reset_nut.params.half_range=[0.5,0.05]",
            "'nut' may start outside the workspace: x = 0.42 ± 0.5 m",
        ),
    ],
)
def test_bad_configurations_are_named(override: str, message: str) -> None:
    with (
        pytest.raises((InputError, ValueError), match=message),
        make_env("Cohoff-Square-Franka", 2, "cpu", overrides=(override,)),
    ):
        pass
