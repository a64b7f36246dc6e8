# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/pretrain.py``: a checkpoint with its origin, or one line and no file."""

from __future__ import annotations

import json
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
from tensordict import TensorDict

from cohoff.policies.base_checkpoint import read_metadata
from cohoff.policies.loading import load_base

SCRIPT = Path(__file__).parents[2] / "scripts" / "pretrain.py"
TASK = "Cohoff-Square-Franka"
SEEN_TASK = "Cohoff-Square-Camera-Franka"


def write_demos(path: Path, task: str = TASK, action_dims: tuple[int, ...] = (7,) * 10) -> None:
    """One episode of six steps for each of ``action_dims``, in the layout of ``scripts/collect_demos.py``."""
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update({"env_args": json.dumps({"env_name": task}), "task": task, "seed": 0})
        for index, action_dim in enumerate(action_dims):
            demo = data.create_group(f"demo_{index}")
            demo.attrs.update({"success": True, "num_samples": 6})
            for name, size in (("obs/policy", 5), ("next_obs/policy", 5), ("actions", action_dim)):
                demo[name] = (torch.rand(6, size) - 0.5).numpy()


def add_pictures(path: Path, groups: tuple[str, ...] = ("robot", "images")) -> None:
    """What a task with cameras records beside the state: two pictures and the robot."""
    with h5py.File(path, "r+") as file:
        for demo in file["data"].values():  # pyright: ignore[reportAttributeAccessIssue]
            if "robot" in groups:
                demo["obs/robot"], demo["next_obs/robot"] = torch.rand(6, 4).numpy(), torch.rand(6, 4).numpy()
            if "images" in groups:
                for camera in ("wrist", "agentview"):
                    demo[f"obs/images/{camera}"] = torch.randint(0, 256, (6, 16, 16, 3), dtype=torch.uint8).numpy()


@pytest.fixture
def pretrain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run the script in an empty folder; return its exit status and what it wrote to stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
        with pytest.raises(SystemExit) as info:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        captured = capsys.readouterr()
        return int(info.value.code or 0), captured.out, captured.err

    yield call
    signal.signal(signal.SIGTERM, handler)


def arguments(task: str = TASK, demos: str = "demos.hdf5", output: str = "base.safetensors") -> list[str]:
    return ["--task", task, "--demos", demos, "--output", output, "--device", "cpu"]


def test_checkpoint_and_its_origin(pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    write_demos(tmp_path / "demos.hdf5")
    status, out, error = pretrain(
        *arguments(output="new/base.safetensors"), "--steps", "3", "--num_demonstrations", "8", "--seed", "4"
    )
    assert status == 0 and error == "" and "8 demonstrations, 48 transitions, 3 steps" in " ".join(out.split())
    path = tmp_path / "new" / "base.safetensors"
    assert load_base(path, TASK).plan(TensorDict({"policy": torch.zeros(2, 5)}, batch_size=[2])).shape == (2, 16, 7)
    metadata = read_metadata(path)
    origin = {key: metadata[key] for key in ("kind", "task", "demos", "num_demonstrations", "seed", "steps")}
    assert origin == {
        "kind": "flow",
        "task": TASK,
        "demos": "demos.hdf5",
        "num_demonstrations": 8,
        "seed": 4,
        "steps": 3,
    }
    assert metadata["loss"] > 0 and metadata["holdout_loss"] > 0 and "torch" in metadata["versions"]
    assert [file.name for file in path.parent.iterdir()] == ["base.safetensors"]


def test_a_task_with_cameras_is_seen(pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """The base reads pictures and the robot, not the state, which is in the file, too."""
    write_demos(tmp_path / "demos.hdf5", SEEN_TASK)
    add_pictures(tmp_path / "demos.hdf5")
    status, out, error = pretrain(*arguments(SEEN_TASK), "--steps", "2")
    assert status == 0 and error == "" and "60 transitions, 2 steps" in " ".join(out.split())
    base = load_base(tmp_path / "base.safetensors", SEEN_TASK)
    assert base.observations == ("images/agentview", "images/wrist", "robot")
    picture = torch.zeros(3, 16, 16, 3, dtype=torch.uint8)
    obs = TensorDict({"images": {"agentview": picture, "wrist": picture}, "robot": torch.zeros(3, 4)}, batch_size=[3])
    assert base.plan(obs).shape == (3, 16, 7)
    metadata = read_metadata(tmp_path / "base.safetensors")
    assert metadata["encoder"]["cameras"] == {"agentview": [16, 16], "wrist": [16, 16]}
    assert metadata["training"]["shift"] == 0.05


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (("robot",), ["demo_0", "lacks images of cameras", "-Camera-"]),
        (("images",), ["demo_0", "'obs/robot'", "record it again"]),
    ],
)
def test_demonstrations_that_cannot_be_seen(
    pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path, groups: tuple[str, ...], words: list[str]
) -> None:
    write_demos(tmp_path / "demos.hdf5", SEEN_TASK)
    add_pictures(tmp_path / "demos.hdf5", groups)
    status, _, error = pretrain(*arguments(SEEN_TASK))
    assert status == 2 and error.startswith("error: ") and error.count("\n") == 1, error
    assert all(word in error for word in words), error
    assert not (tmp_path / "base.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (arguments(task="Nowhere"), ["'Nowhere'", TASK]),
        (arguments(demos="none.hdf5"), ["'none.hdf5'", "collect_demos.py"]),
        (arguments(demos="text.hdf5"), ["'text.hdf5'", "not an HDF5 file"]),
        (arguments(demos="cut.hdf5"), ["'cut.hdf5'", "collect_demos.py"]),
        (arguments(demos="coffee.hdf5"), ["'Cohoff-Coffee-Franka'", TASK]),
        (arguments(demos="mixed.hdf5"), ["action", "size 6", "not 7"]),
        ([*arguments(), "--num_demonstrations", "11"], ["11", "holds 10"]),
        ([*arguments(), "--num_demonstrations", "0"], ["--num_demonstrations", "at least 1, not 0"]),
        ([*arguments(), "--steps", "0"], ["--steps", "at least 1, not 0"]),
        ([*arguments(), "--seed", "-1"], ["--seed", "at least 0, not -1"]),
        ([*arguments(), "--device", "tpu"], ["'tpu'", "cpu"]),
        (arguments(output="."), ["'.'", "folder"]),
        (["--task", TASK], ["--demos", "--help"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_input(
    pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path, options: Any, words: list[str]
) -> None:
    write_demos(tmp_path / "demos.hdf5")
    write_demos(tmp_path / "coffee.hdf5", task="Cohoff-Coffee-Franka")
    write_demos(tmp_path / "mixed.hdf5", action_dims=(7, 6))
    (tmp_path / "text.hdf5").write_text("no demonstrations")
    (tmp_path / "cut.hdf5").write_bytes((tmp_path / "demos.hdf5").read_bytes()[:-2000])
    before = set(tmp_path.iterdir())
    status, _, error = pretrain(*options)
    assert status == 2 and error.startswith("error: ") and error.count("\n") == 1, error
    assert all(word in error for word in words), error
    assert set(tmp_path.iterdir()) == before
