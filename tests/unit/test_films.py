# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What the films of training show, and what the log tells about the machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from isaaclab.envs.utils import video_recorder
from isaaclab.envs.utils.video_recorder_cfg import VideoRecorderCfg

from cohoff.isaac.films import EvaluationFilm
from cohoff.isaac.video import CAMERA
from cohoff.offpolicy.resources import resources
from cohoff.stress import point_mass

N, H, W = 8, 4, 6


def film_of(monkeypatch: pytest.MonkeyPatch, reserved: int, folder: Path) -> list[np.ndarray]:
    """Frames of a clip of 3 steps; the pixels of environment i are i, the fourth channel is 255."""
    pictures = torch.arange(N, dtype=torch.uint8)[:, None, None, None].expand(N, H, W, 4).clone()
    pictures[..., 3] = 255
    sensor = SimpleNamespace(data=SimpleNamespace(output={"rgb": SimpleNamespace(torch=pictures)}))
    env = SimpleNamespace(scene={CAMERA: sensor}, num_envs=N, reserved_envs=reserved, step_dt=0.05)
    env.unwrapped = env
    clips: list[list[np.ndarray]] = []

    class Clip:
        def __init__(self, frames: list[np.ndarray], fps: int) -> None:
            clips.append(frames)

        def write_videofile(self, path: str, **options: object) -> None:
            Path(path).touch()

    monkeypatch.setattr(video_recorder, "ImageSequenceClip", Clip)
    recorder = EvaluationFilm(VideoRecorderCfg(output_dir=str(folder), video_length=3, video_interval=10), env)
    for _ in range(10):
        recorder.step()
    assert [path.name for path in folder.iterdir()] == ["clip_0000.mp4"]
    return clips[0]


@pytest.mark.parametrize(("reserved", "shown"), [(0, [0]), (1, [7]), (3, [5, 6, 7]), (6, [4, 5, 6, 7])])
def test_films_show_the_last_reserved_environments(
    reserved: int, shown: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = film_of(monkeypatch, reserved, tmp_path)
    assert len(frames) == 3 and frames[0].shape == (H, W * len(shown), 3)
    assert frames[0][0, ::W, 0].tolist() == shown


def test_a_learner_tells_how_many_it_reserves(tmp_path: Path) -> None:
    trained = point_mass.train(point_mass.smallest_csil(tmp_path), tmp_path, iterations=0, num_envs=16)
    assert trained.env.reserved_envs == 2


def test_the_memory_in_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resources(torch.device("cpu"))
    kept = torch.ones(25_000_000)
    after = resources(torch.device("cpu"))
    assert set(after) == {"memory_gb", "memory_left_gb"}
    assert after["memory_gb"] - before["memory_gb"] == pytest.approx(kept.nbytes / 1e9, abs=0.02)


def test_a_gpu_is_told_with_all_that_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3_000_000_000, 8_000_000_000))
    for name in ("memory_reserved", "memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, lambda device: 0)
    monkeypatch.setattr(torch.cuda, "utilization", lambda device: 42)
    monkeypatch.setattr("cohoff.offpolicy.resources.find_spec", lambda name: object())
    used = resources(torch.device("cuda:0"))
    assert (used["gpu_memory_gb"], used["gpu_use_percent"], used["memory_left_gb"]) == (5.0, 42.0, 3.0)
    monkeypatch.setattr("cohoff.offpolicy.resources.find_spec", lambda name: None)
    assert "gpu_use_percent" not in resources(torch.device("cuda:0"))
