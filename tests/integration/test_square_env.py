# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Square in the simulator: interface, expert, guard, episode ends. One environment serves all tests of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import pytest
import torch

from cohoff.isaac.evaluation import evaluate
from cohoff.isaac.launch import make_env, make_expert, task_names
from cohoff.isaac.newton_manager import NewtonGraphMJWarpManager
from cohoff.isaac.recording import collect

TASK = "Cohoff-Square-Franka"
NUM_ENVS = 16


@pytest.fixture(scope="module")
def env() -> Iterator[Any]:
    with make_env(TASK, NUM_ENVS, "cpu", seed=0) as env:
        yield env


def nut_pose(env: Any) -> torch.Tensor:
    return env.scene["nut"].data.root_link_pose_w.torch.clone()


def write_nut(env: Any, rows: list[int], **change) -> None:
    """Overwrite parts of the nut's pose relative to its environment in some environments."""
    ids = torch.tensor(rows, dtype=torch.int32)
    pose = nut_pose(env)[rows]
    for name, value in change.items():
        axis = "xyz".index(name)
        pose[:, axis] = value + env.scene.env_origins[rows, axis]
    env.scene["nut"].write_root_pose_to_sim_index(root_pose=pose, env_ids=ids)


def zero_action(env: Any) -> torch.Tensor:
    return torch.zeros(env.num_envs, 7)


def test_registered_with_strings() -> None:
    assert TASK in task_names()
    spec = gym.spec(TASK)
    assert spec.entry_point == "cohoff.isaac.env:ManipulationEnv"
    assert all(isinstance(value, str) for value in spec.kwargs.values())


def test_interface(env: Any) -> None:
    obs, _ = env.reset()
    assert obs["policy"].shape == (NUM_ENVS, 49) and obs["policy"].dtype == torch.float32
    assert env.action_manager.total_action_dim == 7
    assert env.max_episode_length == 400 and env.step_dt == pytest.approx(0.05)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        obs, reward, terminated, truncated, extras = env.step(2.0 * torch.rand(NUM_ENVS, 7, generator=generator) - 1.0)
        assert torch.isfinite(obs["policy"]).all() and obs["policy"].abs().max() <= 5.0
        assert (reward == 0.0).all() and not truncated.any()
        assert extras["success"].shape == extras["invalid"].shape == (NUM_ENVS,)
        assert extras["num_resets"] == int(terminated.sum())


def test_initial_states_follow_the_seed(env: Any) -> None:
    first = env.reset(seed=3)[0]["policy"].clone()
    again = env.reset(seed=3)[0]["policy"].clone()
    other = env.reset(seed=4)[0]["policy"].clone()
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    # A box of 10 cm and any heading.
    position = nut_pose(env)[:, :2] - env.scene.env_origins[:, :2]
    assert (position - torch.tensor([0.42, 0.15])).abs().max() <= 0.05
    assert position.std(dim=0).min() > 0.01 and other[:, 32].std() > 0.3


def test_zero_actions_hold_still_and_do_not_succeed(env: Any) -> None:
    start = env.reset(seed=0)[0]["policy"].clone()
    for _ in range(40):
        obs, _, terminated, _, extras = env.step(zero_action(env))
        assert not terminated.any() and not extras["success"].any()
    tool = slice(0, 3)
    assert (obs["policy"][:, tool] - start[:, tool]).abs().max() < 5.0 * 0.001


def test_actions_move_the_tool_along_the_base_axes(env: Any) -> None:
    start = env.reset(seed=0)[0]["policy"].clone()
    action = zero_action(env)
    action[:, 1], action[:, 6] = 1.0, 1.0
    for _ in range(5):
        env.step(action)
    action[:, 1] = 0.0
    for _ in range(10):
        obs, *_ = env.step(action)
    moved = (obs["policy"][:, 0:3] - start[:, 0:3]) / 5.0
    torch.testing.assert_close(moved, torch.tensor([0.0, 0.1, 0.0]).expand_as(moved), atol=0.004, rtol=0.0)
    assert (obs["policy"][:, 9] < -0.9).all() and (obs["policy"][:, 11] == 1.0).all()


def test_expert_succeeds_and_final_obs_precedes_the_reset(env: Any) -> None:
    obs, _ = env.reset(seed=0)
    expert = make_expert(TASK, env)
    succeeded = torch.zeros(NUM_ENVS, dtype=torch.bool)
    returns = torch.zeros(NUM_ENVS)
    for _ in range(200):
        before = obs["policy"]
        action = expert(obs)
        assert action.abs().max() <= 0.85
        obs, reward, terminated, truncated, extras = env.step(action)
        returns += reward * ~succeeded
        assert torch.equal(reward == 1.0, extras["success"]) and torch.equal(extras["success"], terminated)
        if extras["num_resets"]:
            final = extras["final_obs"]["policy"]
            assert torch.equal(final[~terminated], obs["policy"][~terminated])
            # The nut is on the peg before the reset and back on the table after it.
            assert (final[terminated, 27:29].abs() < 0.1).all() and (obs["policy"][terminated, 28] < -1.0).all()
            assert (final[terminated] - before[terminated]).abs().max() < 1.0
        expert.reset(terminated | truncated)
        succeeded |= extras["success"]
    assert succeeded.all()
    torch.testing.assert_close(returns, torch.ones(NUM_ENVS))
    assert NewtonGraphMJWarpManager.overflowed_worlds() == 0


def test_success_must_be_held(env: Any) -> None:
    env.reset(seed=0)
    # On the plate around the peg: 1 mm above its seat.
    write_nut(env, [0], x=0.55, y=-0.15, z=0.016)
    ids = torch.tensor([0], dtype=torch.int32)
    pose = nut_pose(env)[:1]
    pose[:, 3:] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    env.scene["nut"].write_root_pose_to_sim_index(root_pose=pose, env_ids=ids)
    for step in range(1, 11):
        _, reward, terminated, _, extras = env.step(zero_action(env))
        assert bool(extras["success"][0]) == bool(terminated[0]) == (step == 10)
        assert float(reward[0]) == float(step == 10)
    assert not extras["success"][1:].any()


def test_time_out_is_truncation(env: Any) -> None:
    env.reset(seed=0)
    env.episode_length_buf[2] = 399
    _, reward, terminated, truncated, extras = env.step(zero_action(env))
    assert truncated.tolist() == [i == 2 for i in range(NUM_ENVS)]
    assert not terminated.any() and (reward == 0.0).all() and extras["num_resets"] == 1


@pytest.mark.parametrize("fault", ["nut", "robot", "fast_joint", "action"])
def test_broken_simulation_is_reported_and_repaired(env: Any, fault: str) -> None:
    reference = torch.empty(0)
    for broken in (False, True):
        env.reset(seed=0)
        for _ in range(2):
            env.step(zero_action(env))
        action = zero_action(env)
        if broken and fault == "nut":
            write_nut(env, [5], z=float("nan"))
        elif broken and fault == "action":
            action[5] = float("nan")
        elif broken:
            robot = env.scene["robot"]
            speed = robot.data.joint_vel.torch[5:6].clone()
            speed[:] = float("nan") if fault == "robot" else 1e6
            robot.write_joint_velocity_to_sim_index(velocity=speed, env_ids=torch.tensor([5], dtype=torch.int32))
        count = int(env.non_finite_resets)
        obs, reward, terminated, _, extras = env.step(action)
        if not broken:
            reference = obs["policy"].clone()
    others = [i for i in range(NUM_ENVS) if i != 5]
    assert extras["invalid"].tolist() == terminated.tolist() == [i == 5 for i in range(NUM_ENVS)]
    assert not extras["success"].any() and (reward == 0.0).all()
    assert (extras["final_obs"]["policy"][5] == 0.0).all()
    assert int(env.non_finite_resets) == count + 1 == int(extras["log"]["Episode/non_finite_resets"])
    assert torch.equal(obs["policy"][others], reference[others])
    assert torch.isfinite(obs["policy"]).all()
    for _ in range(5):
        obs, _, _, _, extras = env.step(zero_action(env))
        assert torch.isfinite(obs["policy"]).all() and not extras["invalid"].any()
    assert obs["policy"][5, [*range(12, 18), *range(40, 43)]].abs().max() < 0.1


def test_evaluation_and_collection_with_noise(env: Any) -> None:
    torch.manual_seed(0)
    assert evaluate(env, make_expert(TASK, env), NUM_ENVS).success.float().mean() >= 0.9
    episodes = collect(
        env, make_expert(TASK, env), num_demonstrations=NUM_ENVS - 2, noise=0.05, disturbance=0.0, seed=0
    )
    assert len(episodes) == NUM_ENVS - 2
    for episode in episodes:
        data = episode.data
        length = len(data["actions"])
        assert data["obs"]["policy"].shape == data["next_obs"]["policy"].shape == (length, 49)
        assert torch.equal(data["obs"]["policy"][1:], data["next_obs"]["policy"][:-1])
        assert data["rewards"].tolist() == data["dones"].tolist() == [0.0] * (length - 1) + [1.0]
        assert data["actions"].abs().max() <= 1.0
        assert data["initial_state"]["rigid_object"]["nut"]["root_pose"].shape == (1, 7)
        # The episode starts in its initial state: the nut's height is observed.
        height = data["initial_state"]["rigid_object"]["nut"]["root_pose"][0, 2]
        torch.testing.assert_close(data["obs"]["policy"][0, 36], 10.0 * height)
