# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Base policies by kind: what a checkpoint is recognized as, and how a further kind is added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pi05_cases import write_lerobot
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.base_checkpoint import read_checkpoint, write_checkpoint
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec
from cohoff.policies.loading import BASE_KINDS, BaseKind, base_path, load_base

TASK = "Cohoff-Square-Franka"


class Toy:
    """Plans the one chunk that its checkpoint holds."""

    observations: tuple[str, ...] = ("policy",)
    noise_dim = 0

    def __init__(self, chunk: torch.Tensor) -> None:
        self.chunk = chunk
        self.horizon, self.action_dim = chunk.shape

    def plan(self, obs: TensorDict, noise: Tensor | None = None) -> Tensor:
        return self.chunk.expand(obs.batch_size[0], -1, -1)


def load_toy(path: Path, task: str | None, device: str) -> Toy:
    return Toy(read_checkpoint(path, device)[0]["chunk"])


@pytest.fixture
def flow_file(tmp_path: Path) -> Path:
    path = tmp_path / "base.safetensors"
    FlowPolicy(FlowPolicySpec(3, 2, horizon=4, hidden_dim=8, num_blocks=1)).save(path, TASK)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_lerobot(tmp_path / "pi05", instructions=["put the nut on the peg"])


@pytest.mark.parametrize("load", [load_toy, f"{__name__}:load_toy"], ids=["function", "name"])
def test_a_third_kind_is_one_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, load: Any) -> None:
    path, chunk = tmp_path / "toy.safetensors", torch.rand(5, 2)
    write_checkpoint(path, {"chunk": chunk}, {"kind": "toy", "task": TASK})
    monkeypatch.setitem(BASE_KINDS, "toy", BaseKind(load))
    policy = load_base(base_path("toy", str(path)) or "", TASK)
    assert isinstance(policy, Toy)
    assert torch.equal(policy.chunk, chunk)


def test_a_kind_with_files_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Recognized by the end of its name, found by a name of its own; the task and the device reach the loader."""
    seen = []
    path = tmp_path / "weights.toy"
    path.write_bytes(b"\x00" * 64)
    monkeypatch.setitem(
        BASE_KINDS,
        "toy",
        BaseKind(
            lambda *arguments: seen.append(arguments) or Toy(torch.zeros(3, 1)),
            recognizes=lambda path: path.suffix == ".toy",
            locate=lambda name: tmp_path / f"{name}.toy",
        ),
    )
    assert base_path("toy", "weights") == str(path)
    assert load_base(path, TASK, "cpu").horizon == 3
    assert seen == [(path, TASK, "cpu")]


def test_each_kind_is_recognized(flow_file: Path, folder: Path) -> None:
    assert type(load_base(flow_file)).__name__ == "FlowPolicy"
    assert type(load_base(folder)).__name__ == "Pi05Policy"


def test_options_that_name_a_base(flow_file: Path, folder: Path) -> None:
    assert base_path(None, None) is None
    assert base_path("base.safetensors", None) == "base.safetensors"
    assert base_path(None, "base.safetensors") == "base.safetensors"
    assert base_path("pi05", str(folder)) == base_path(None, str(folder)) == str(folder)
    assert base_path("flow", str(flow_file)) == str(flow_file)
    assert base_path("flow", "not-yet-there.safetensors") == "not-yet-there.safetensors"


@pytest.mark.parametrize(
    ("base", "checkpoint", "message"),
    [
        ("pi05", None, "base pi05 needs its weights; give its file or folder as base_checkpoint"),
        ("pi05", "nowhere", "no pi-0.5 weights at 'nowhere'"),
        ("other.safetensors", "base.safetensors", "with base_checkpoint, base must be one of flow, pi05"),
        ("flow", ".", "base_checkpoint '.' is not of kind flow; give a file of scripts/pretrain.py"),
        ("pi05", ".", "base_checkpoint '.' is not of kind pi05; give a folder with the config.json of a pi-0.5"),
    ],
)
def test_options_that_name_no_base(base: str | None, checkpoint: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        base_path(base, checkpoint)


def test_folder_of_no_known_kind(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"type": "act", "chunk_size": 100}')
    with pytest.raises(InputError, match=r"is not a base policy of a known kind \(flow: .*; pi05: a folder with"):
        load_base(tmp_path)


def test_unusable_device(flow_file: Path) -> None:
    with pytest.raises(InputError, match="device 'cuda:99' of the base policy cannot be used here"):
        load_base(flow_file, device="cuda:99")
