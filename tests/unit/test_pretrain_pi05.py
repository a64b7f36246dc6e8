# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``scripts/pretrain.py --base pi05``: a checkpoint, a run that goes on, or one line."""

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
from pi05_cases import train_vocabulary, write_lerobot
from pi05_training_cases import TASK, write_camera_demos
from safetensors.torch import load_file, save_file

from cohoff.policies.loading import load_base
from cohoff.policies.pi05.finetuning.run_state import FILE
from cohoff.policies.pi05.policy import Pi05Policy

SCRIPT = Path(__file__).parents[2] / "scripts" / "pretrain.py"
SHORT = ("--steps", "2", "--batch_size", "2")


@pytest.fixture
def pretrain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run the script beside demonstrations and a checkpoint; return its exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    write_camera_demos(tmp_path / "demos.hdf5")
    write_lerobot(tmp_path / "base")
    handler = signal.getsignal(signal.SIGTERM)

    def call(*options: str) -> tuple[int, str, str]:
        common = ["--task", TASK, "--demos", "demos.hdf5", "--output", "out", "--device", "cpu", "--base", "pi05"]
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *common, *options])
        with pytest.raises(SystemExit) as info:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        captured = capsys.readouterr()
        return int(info.value.code or 0), captured.out, captured.err

    yield call
    signal.signal(signal.SIGTERM, handler)


def test_checkpoint_and_its_origin(pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    status, out, error = pretrain("--base_checkpoint", "base", "--train", "expert", *SHORT)
    assert status == 0 and error == "" and "out: 2 steps, loss" in out
    policy = load_base(tmp_path / "out")
    assert isinstance(policy, Pi05Policy) and policy.cfg.instructions == ("put the nut on the peg",)
    origin = json.loads((tmp_path / "out" / "training.json").read_text())
    assert origin["task"] == TASK and origin["demos"] == "demos.hdf5" and origin["num_demonstrations"] == 4
    assert origin["training"]["scope"] == "expert" and origin["training"]["flow_times"] == 4
    # The result can be the start of another run, with its statistics.
    again = ("--base_checkpoint", "out", "--keep_statistics", "--output", "again", "--train", "lora")
    assert pretrain(*again, *SHORT)[0] == 0
    statistics = [load_file(tmp_path / name / STATISTICS) for name in ("out", "again")]
    assert all(torch.allclose(statistics[0][key], statistics[1][key], atol=1e-6) for key in statistics[0])


STATISTICS = "policy_postprocessor_step_0_unnormalizer_processor.safetensors"


def test_random_weights(pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    write_camera_demos(tmp_path / "large.hdf5", side=56)
    train_vocabulary(tmp_path / "tokenizer.model")
    options = ("--size", "tiny", "--tokenizer", "tokenizer.model", "--instruction", "put the nut on the peg")
    status, _, error = pretrain(*options, *SHORT, "--demos", "large.hdf5", "--cameras", "wrist")
    assert status == 0 and error == ""
    assert load_base(tmp_path / "out").horizon == 50


def test_interrupted_runs_go_on(
    pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM after the first step; the same command ends with the weights of a run that was left alone."""
    from cohoff.policies.pi05.finetuning import finetune

    original: Callable[..., float] = finetune.train

    def interrupted(*arguments: Any) -> float:
        *others, after_step = arguments

        def once(taken: int) -> None:
            if taken == 1:
                signal.raise_signal(signal.SIGTERM)
            after_step(taken)

        return original(*others, once)

    options = ("--base_checkpoint", "base", "--steps", "3", "--batch_size", "2")
    assert pretrain(*options, "--output", "whole")[0] == 0
    monkeypatch.setattr(finetune, "train", interrupted)
    status, _, error = pretrain(*options)
    assert status == 128 + signal.SIGTERM and "goes on after step 1" in error
    assert [file.name for file in (tmp_path / "out").iterdir()] == [FILE]
    monkeypatch.setattr(finetune, "train", original)
    assert pretrain(*options)[0] == 0
    whole, cut = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "out"))
    assert whole.keys() == cut.keys() and all(torch.equal(whole[name], cut[name]) for name in whole)


def spoil(tmp_path: Path) -> None:
    """Demonstrations without images, larger ones, and checkpoints that do not fit."""
    write_camera_demos(tmp_path / "blind.hdf5")
    with h5py.File(tmp_path / "blind.hdf5", "a") as file:
        for index in range(4):
            del file[f"data/demo_{index}/obs/images"]
    write_camera_demos(tmp_path / "large.hdf5", side=84)
    for name, state in (("other", torch.zeros(7)), ("far", torch.full((5,), 90.0))):
        folder = write_lerobot(tmp_path / name)
        statistics = load_file(folder / "statistics.safetensors")
        bounds = {"observation.state.q01": state, "observation.state.q99": state + 1.0}
        save_file(statistics | bounds, folder / "statistics.safetensors")
    write_lerobot(tmp_path / "sizes", spec={"depth": 3, "image": 28})
    bare = write_lerobot(tmp_path / "bare")
    (bare / "cohoff.json").unlink()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--base_checkpoint", "base", "--demos", "blind.hdf5"), ["demo_0", "images/agentview", "-Camera-"]),
        (("--base_checkpoint", "base", "--demos", "large.hdf5"), ["84 x 84", "28 x 28", "presets=pi05"]),
        (("--base_checkpoint", "other", "--keep_statistics"), ["'other'", "7 state", "5", "another robot"]),
        (("--base_checkpoint", "far", "--keep_statistics"), ["'far'", "far outside", "another robot"]),
        (("--base_checkpoint", "base", "--train", "lora", "--lora_rank", "0"), ["ranks are 0 and 32", "at least 1"]),
        (("--base_checkpoint", "sizes"), ["'sizes'", "another size"]),
        (("--base_checkpoint", "bare"), ["--instruction"]),
        (("--base_checkpoint", "none"), ["'none'", "lerobot/pi05_base"]),
        ((), ["--base_checkpoint", "--size"]),
        (("--base_checkpoint", "base", "--size", "tiny"), ["--base_checkpoint", "--size"]),
        (("--size", "tiny", "--instruction", "a"), ["--tokenizer"]),
        (("--base_checkpoint", "base", "--cameras", "front"), ["images/front"]),
        (("--base_checkpoint", "base", "--state", "joints"), ["joints"]),
        (("--base_checkpoint", "base", "--state_columns", "4", "5"), ["5 columns", "4, 5"]),
        (("--base_checkpoint", "base", "--batch_size", "3", "--micro_batch", "2"), ["multiple of 1 x 2"]),
        (("--base_checkpoint", "base", "--output", "base"), ["'base'", "new folder"]),
        (("--base", "flow", "--train", "lora"), ["--train", "--base pi05 only"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_input(
    pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path, options: tuple[str, ...], words: list[str]
) -> None:
    spoil(tmp_path)
    before = set(tmp_path.rglob("*"))
    status, _, error = pretrain("--steps", "2", *options)
    assert status == 2 and error.startswith("error: ") and error.count("\n") == 1, error
    assert all(word in error for word in words), error
    assert set(tmp_path.rglob("*")) == before


def test_too_little_memory(
    pretrain: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cohoff.policies.pi05.finetuning.training_memory.free_memory", lambda device: 1000)
    status, _, error = pretrain("--base_checkpoint", "base", *SHORT)
    assert status == 2 and "GiB are free" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
