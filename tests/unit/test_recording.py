# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recorded demonstrations on a disk that is full."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import h5py
import pytest
import torch
from isaaclab.utils.datasets import EpisodeData

from cohoff.errors import InputError
from cohoff.isaac.recording import write_demonstrations


def episodes(count: int) -> list[EpisodeData]:
    """Episodes of 40 kB each."""
    made = []
    for _ in range(count):
        episode = EpisodeData()
        episode.data = {"obs": {"policy": torch.zeros(1_000, 8)}, "actions": torch.zeros(1_000, 2)}
        episode.success = True
        made.append(episode)
    return made


@pytest.mark.parametrize(("free", "saved"), [(200_000, 3), (10_000, 0)])
def test_what_fits_on_a_full_disk_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, saved: int
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    path = tmp_path / "demos.hdf5"
    with pytest.raises(InputError, match="is full"):
        write_demonstrations(path, episodes(5), "Test", 0, 0.0)
    assert path.is_file() == (saved > 0)
    if saved:
        with h5py.File(path) as file:
            assert len(file["data"].keys()) == saved  # pyright: ignore[reportAttributeAccessIssue]
