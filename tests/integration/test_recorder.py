# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations of Isaac Lab's recorder, as a teleoperation writes them, become demonstrations to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from isaaclab.envs.mdp.recorders.recorders_cfg import ActionStateRecorderManagerCfg
from isaaclab.managers import RecorderManager
from tensordict import TensorDict

from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.formats.isaaclab import check_recording
from cohoff.errors import InputError
from cohoff.isaac.launch import make_env, make_expert
from cohoff.isaac.recording import write_demonstrations
from cohoff.isaac.replaying import check_episodes, read_episodes, replay

TASK = "Cohoff-Square-Franka"
NUM_ENVS = 2


@pytest.fixture(scope="module")
def env() -> Iterator[Any]:
    with make_env(TASK, NUM_ENVS, "cpu", seed=0) as env:
        yield env


@pytest.fixture(scope="module")
def recording(env: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of Isaac Lab's recorder, an episode of the expert in each environment; its actions exceed their bounds."""
    folder = tmp_path_factory.mktemp("recording")
    stock = env.recorder_manager
    cfg = ActionStateRecorderManagerCfg(dataset_export_dir_path=str(folder), dataset_filename="recorded")
    env.recorder_manager = RecorderManager(cfg, env)
    obs, _ = env.reset(seed=0)
    expert = make_expert(TASK, env)
    expert.reset(torch.ones(NUM_ENVS, dtype=torch.bool))
    finished = torch.zeros(NUM_ENVS, dtype=torch.bool)
    while not finished.all():
        action = expert(TensorDict(obs, batch_size=[NUM_ENVS])).clone()
        action[:, 6] *= 3.0
        obs, _, terminated, truncated, _ = env.step(action)
        expert.reset(terminated | truncated)
        finished |= terminated | truncated
    env.recorder_manager.close()
    env.recorder_manager = stock
    return folder / "recorded.hdf5"


def test_recordings_become_demonstrations(env: Any, recording: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"replay it .* --record"):
        load_demonstrations(recording)
    check_recording(recording, TASK)
    episodes = read_episodes(recording, "cpu")
    check_episodes(env, episodes, str(recording))
    assert len(episodes) >= NUM_ENVS and max(episode.data["actions"].abs().max() for episode in episodes) > 1.0
    success, replays = replay(env, episodes, record=True)
    assert success.all()
    write_demonstrations(tmp_path / "demos.hdf5", replays, TASK, 0, 0.0)
    demos = load_demonstrations(tmp_path / "demos.hdf5", TASK, {"policy": 49}, 7)
    assert demos.num_episodes == len(episodes) and demos.actions.abs().max() <= 1.0
    # The robot starts where it was recorded, and does what was recorded.
    recorded = torch.cat([episode.data["obs"][:1] for episode in episodes])
    torch.testing.assert_close(demos.obs[demos.starts], recorded, rtol=0.0, atol=1e-3)
    first = episodes[0].data["actions"].clamp(-1.0, 1.0)
    assert torch.equal(demos.actions[: len(first)], first[: int(demos.lengths[0])])


def test_recordings_of_another_scene(env: Any, recording: Path) -> None:
    episode = read_episodes(recording, "cpu")[0]
    state = episode.data["initial_state"]
    episode.data["initial_state"] = {**state, "rigid_object": {"mug": state["rigid_object"]["nut"]}}
    with pytest.raises(InputError, match="demo 0 of 'd' starts in another scene, it differs in rigid_object/mug"):
        check_episodes(env, [episode], "d")
    episode.data["actions"] = episode.data["actions"][:, :6]
    with pytest.raises(InputError, match="actions of size 6, not 7"):
        check_episodes(env, [episode], "d")
