# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The camera variant of Square with randomized physics and cameras. One environment serves all tests of the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import h5py
import pytest
import torch
from torch import Tensor

from cohoff.data.demonstrations import load_demonstrations
from cohoff.isaac.launch import make_env, make_expert, task_names
from cohoff.isaac.overrides import parse_task_cfg
from cohoff.isaac.recording import collect, write_demonstrations

TASK = "Cohoff-Square-Camera-Franka"
NUM_ENVS = 4


@pytest.fixture(scope="module")
def env() -> Iterator[Any]:
    with make_env(TASK, NUM_ENVS, "cpu", seed=0, overrides=["presets=randomized"]) as env:
        yield env


def stand_still(env: Any, steps: int) -> dict:
    for _ in range(steps):
        obs, *_ = env.step(torch.zeros(NUM_ENVS, 7))
    return obs


def difference(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of the pictures of each environment, [N]."""
    return (first.float() - second.float()).abs().mean(dim=(1, 2, 3))


def test_every_task_has_a_camera_variant() -> None:
    names = set(task_names())
    states = {name for name in names if "-Camera-" not in name}
    assert names - states == {name.replace("-Franka", "-Camera-Franka") for name in states}
    assert all(isinstance(value, str) for name in names for value in gym.spec(name).kwargs.values())


@pytest.mark.usefixtures("env")  # which loads the tasks
@pytest.mark.parametrize(
    ("overrides", "size"),
    [([], 84), (["presets=pi05"], 224), (["presets=pictures32"], 32), (["presets=pictures48"], 48)],
)
def test_picture_sizes(overrides: list[str], size: int) -> None:
    cfg = parse_task_cfg(TASK, NUM_ENVS, "cpu", overrides)
    for camera in (cfg.scene.agentview, cfg.scene.wrist):
        assert (camera.width, camera.height) == (size, size)
        assert camera.renderer_cfg.enable_shadows == (size > 48)
    assert cfg.events.friction is cfg.events.mass is cfg.events.camera_jitter is None


def test_pictures(env: Any) -> None:
    obs, _ = env.reset(seed=0)
    assert obs["policy"].shape == (NUM_ENVS, 49)
    assert set(obs["images"]) == {"agentview", "wrist"}
    for picture in obs["images"].values():
        assert picture.shape == (NUM_ENVS, 84, 84, 3) and picture.dtype == torch.uint8
        # Something is seen, and each environment sees its own nut.
        assert picture.float().std(dim=(1, 2)).min() > 5.0
        assert difference(picture[:1], picture[1:]).min() > 0.1


def test_only_the_wrist_camera_moves_with_the_hand(env: Any) -> None:
    before = {name: picture.clone() for name, picture in env.reset(seed=0)[0]["images"].items()}
    action = torch.zeros(NUM_ENVS, 7)
    action[:, 1], action[:, 6] = 1.0, -1.0
    for _ in range(8):
        after = env.step(action)[0]["images"]
    # The table's near corner stays where it is in the fixed view; the whole of the wrist's view shifts.
    corner = (slice(None), slice(60, 84), slice(0, 84))
    assert difference(before["agentview"][corner], after["agentview"][corner]).max() < 3.0
    assert difference(before["wrist"], after["wrist"]).min() > 3.0


def test_pictures_before_and_after_a_reset(env: Any) -> None:
    env.reset(seed=0)
    stand_still(env, 3)
    env.episode_length_buf[1] = env.max_episode_length - 1
    before = env.observation_manager.compute()["images"]["agentview"].clone()
    obs, _, _, truncated, extras = env.step(torch.zeros(NUM_ENVS, 7))
    assert truncated.tolist() == [False, True, False, False]
    final, new = extras["final_obs"]["images"]["agentview"], obs["images"]["agentview"]
    assert difference(final, before).max() < 0.5
    changed = difference(new, final)
    assert changed[1] > 1.0 and changed[[0, 2, 3]].max() == 0.0


def rendered(env: Any, name: str) -> list[float]:
    """Share of each environment's picture that is rendered when it is read now."""
    camera = env.scene[name]
    pictures = camera._data.output["rgb"].torch
    before = pictures.clone()
    pictures.fill_(7)
    camera._data_dirty = True
    changed = (camera.data.output["rgb"].torch != 7).float().mean(dim=(1, 2, 3)).tolist()
    pictures.copy_(before)
    return changed


@pytest.mark.parametrize("name", ["agentview", "wrist"])
def test_only_outdated_and_watched_environments_are_rendered(env: Any, name: str) -> None:
    """And all of them at the next step, from where their cameras are by then."""
    env.reset(seed=0)
    stand_still(env, 2)
    before = env.observation_manager.compute()["images"][name]
    assert rendered(env, name) == [0.0] * NUM_ENVS
    env.scene.reset(torch.tensor([2]))
    assert [share > 0.5 for share in rendered(env, name)] == [False, False, True, False]
    env.ignore_pictures(torch.tensor([True, False, False, True]))
    action = torch.zeros(NUM_ENVS, 7)
    action[:, 1] = 1.0
    for _ in range(8):
        after = env.step(action)[0]["images"][name]
    changed = difference(before, after)
    assert changed[[0, 3]].max() == 0.0 and changed[[1, 2]].min() > 0.5
    env.ignore_pictures(None)
    after = env.step(action)[0]["images"][name]
    assert difference(before, after).min() > 0.5


def test_camera_jitter_and_mass_are_drawn_at_each_reset(env: Any) -> None:
    def draw() -> tuple[Tensor, Tensor]:
        env.reset()
        stand_still(env, 1)
        camera, nut = env.scene["agentview"].data, env.scene["nut"].data
        position = camera.pos_w.torch - env.scene.env_origins
        # The solver's own copy of the mass, not only Isaac Lab's.
        from isaaclab_newton.physics import NewtonManager

        solver: Any = NewtonManager._solver
        solved = torch.from_numpy(solver.mjw_model.body_mass.numpy())
        mass = nut.body_mass.torch.flatten().clone()
        assert any(torch.allclose(column, mass) for column in solved.T)
        return position.clone(), mass

    (position, mass), (other_position, other_mass) = draw(), draw()
    assert (position - other_position).abs().max() > 1e-3
    assert (position - position.mean(dim=0)).abs().max() < 0.04
    assert (mass - other_mass).abs().max() > 1e-3 and ((mass > 0.069) & (mass < 0.131)).all()


def test_friction_changes_how_far_the_nut_slides(env: Any) -> None:
    from isaaclab_newton.physics import NewtonManager

    env.reset()
    nut = env.scene["nut"]
    ids = torch.arange(NUM_ENVS, dtype=torch.int32)
    pose = nut.data.root_link_pose_w.torch.clone()
    pose[:, :3] = env.scene.env_origins + torch.tensor([0.45, -0.3, 0.012])
    pose[:, 3:] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    nut.write_root_pose_to_sim_index(root_pose=pose, env_ids=ids)
    stand_still(env, 6)
    start = nut.data.root_link_pose_w.torch[:, 1].clone()
    velocity = torch.zeros(NUM_ENVS, 6)
    velocity[:, 1] = 1.0
    nut.write_root_velocity_to_sim_index(root_velocity=velocity, env_ids=ids)
    stand_still(env, 12)
    distance = nut.data.root_link_pose_w.torch[:, 1] - start
    solver: Any = NewtonManager._solver
    friction = torch.from_numpy(solver.mjw_model.geom_friction.numpy())[:, -1, 0]
    assert ((friction > 0.79) & (friction < 1.21)).all() and friction.std() > 0.01
    assert distance.argsort(descending=True).tolist() == friction.argsort().tolist()


def test_recording_keeps_the_pictures(env: Any, tmp_path: Path) -> None:
    expert = make_expert(TASK, env)
    episodes = collect(env, expert, num_demonstrations=2, noise=0.05, disturbance=0.0, seed=0)
    path = tmp_path / "demos.hdf5"
    write_demonstrations(path, episodes, TASK, seed=0, noise=0.05, overrides=["presets=randomized"])
    demos = load_demonstrations(path, task=TASK)
    assert demos.num_episodes == 2 and demos.obs.shape[1] == 49
    with h5py.File(path) as file:
        length = int(demos.lengths[0])
        for name in ("agentview", "wrist"):
            images = file[f"data/demo_0/obs/images/{name}"]
            assert isinstance(images, h5py.Dataset)
            assert images.shape == (length, 84, 84, 3) and images.dtype == "uint8"
        assert "data/demo_0/next_obs/images" not in file
        assert file["data"].attrs["overrides"] == '["presets=randomized"]'
