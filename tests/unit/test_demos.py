# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstration files, written by Isaac Lab's own handler, in all the states a user can bring them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest
import torch
from demo_cases import TASK, add_pictures, write_file
from tensordict import TensorDict

from cohoff.data.demonstrations import Demonstrations, load_demonstrations
from cohoff.data.stored import stored_observations
from cohoff.errors import InputError


def test_layout(tmp_path: Path) -> None:
    demos = load_demonstrations(write_file(tmp_path / "d.hdf5"), task=TASK, sizes={"policy": 4}, action_dim=2)
    assert demos.num_episodes == 2 and demos.num_transitions == 8
    assert demos.starts.tolist() == [0, 3] and demos.lengths.tolist() == [3, 5]
    assert demos.episode_of.tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert demos.step_of.tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
    assert torch.equal(demos.obs[:, 0].long(), demos.episode_of) and torch.equal(demos.obs[:, 1].long(), demos.step_of)
    assert torch.equal(demos.next_obs[:, 1], demos.obs[:, 1] + 1)
    assert demos.obs.dtype == demos.actions.dtype == torch.float32


def test_order_is_numeric_and_limit_takes_the_first(tmp_path: Path) -> None:
    path = write_file(tmp_path / "d.hdf5", lengths=[2] * 12)
    demos = load_demonstrations(path)
    assert demos.obs[demos.starts, 0].tolist() == list(range(12))
    assert load_demonstrations(path, limit=3).obs[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


def test_subset(tmp_path: Path) -> None:
    demos = load_demonstrations(write_file(tmp_path / "d.hdf5", lengths=(3, 5, 2)))
    part = demos.subset([2, 0])
    assert part.lengths.tolist() == [2, 3] and part.starts.tolist() == [0, 2]
    assert part.obs[:, 0].tolist() == [2, 2, 0, 0, 0] and part.obs[:, 1].tolist() == [0, 1, 0, 1, 2]
    assert part.episode_of.tolist() == [0, 0, 1, 1, 1]


def refused(match: str, path: Path, **kwargs) -> None:
    """Loading ends in one line that names the file."""
    with pytest.raises(InputError, match=match) as info:
        load_demonstrations(path, **kwargs)
    assert path.name in str(info.value) and "\n" not in str(info.value)


def test_missing(tmp_path: Path) -> None:
    refused("does not exist", tmp_path / "none.hdf5")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
def test_truncated(tmp_path: Path, keep: float) -> None:
    path = write_file(tmp_path / "d.hdf5", lengths=[50] * 5)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    refused("is damaged", path)


def test_not_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "d.hdf5"
    path.write_text("not a data file")
    refused("not an HDF5 file", path)
    path.write_bytes(b"")
    refused("not an HDF5 file", path)


def test_foreign_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "d.hdf5"
    with h5py.File(path, "w") as file:
        file["x"] = [1.0]
    refused("not written by cohoff", path)


def test_damaged_block(tmp_path: Path) -> None:
    path = write_file(tmp_path / "d.hdf5", lengths=[400] * 3)
    with h5py.File(path) as file:
        chunk = file["data/demo_1/obs/policy"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    refused("damaged", path)


def test_another_task(tmp_path: Path) -> None:
    refused("'Other'", write_file(tmp_path / "d.hdf5", task="Other"), task=TASK)


def test_sizes(tmp_path: Path) -> None:
    path = write_file(tmp_path / "d.hdf5")
    refused("'obs/policy' of size 4, not 5", path, sizes={"policy": 5})
    refused("'actions' of size 2, not 7", path, action_dim=7)


def test_sizes_that_differ_between_episodes(tmp_path: Path) -> None:
    def widen(index: int, data: dict[str, Any]) -> None:
        if index == 1:
            data["obs"]["policy"] = data["next_obs"]["policy"] = torch.zeros(5, 6)

    refused("demo_1", write_file(tmp_path / "d.hdf5", edit=widen))


def test_empty(tmp_path: Path) -> None:
    refused("no demonstrations", write_file(tmp_path / "d.hdf5", lengths=()))
    refused("holds 2", write_file(tmp_path / "e.hdf5"), limit=3)


def test_failures_are_refused(tmp_path: Path) -> None:
    refused("demo_0.*not marked as a success", write_file(tmp_path / "d.hdf5", success=False))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_non_finite(tmp_path: Path, value: float) -> None:
    def spoil(index: int, data: dict[str, Any]) -> None:
        if index == 1:
            data["next_obs"]["policy"][2, 0] = value

    refused("demo_1.*non-finite.*next_obs/policy", write_file(tmp_path / "d.hdf5", edit=spoil))


def test_missing_key_and_unequal_lengths(tmp_path: Path) -> None:
    refused(
        "no two-dimensional 'next_obs/policy'", write_file(tmp_path / "d.hdf5", edit=lambda i, d: d.pop("next_obs"))
    )

    def shorten(index: int, data: dict[str, Any]) -> None:
        data["actions"] = data["actions"][:-1]

    refused("demo_0.*inconsistent", write_file(tmp_path / "e.hdf5", edit=shorten))


def test_actions_out_of_range(tmp_path: Path) -> None:
    def enlarge(index: int, data: dict[str, Any]) -> None:
        data["actions"][0] = -1.5

    refused("up to 1.5", write_file(tmp_path / "d.hdf5", edit=enlarge))


def stored(demos: Demonstrations, step: int, *names: str) -> TensorDict:
    with stored_observations(demos, names) as read:
        return read(step)


def test_stored_pictures_are_read_step_by_step(tmp_path: Path) -> None:
    demos = load_demonstrations(write_file(tmp_path / "d.hdf5", lengths=(3, 5), edit=add_pictures))
    pictures = stored(demos, 1, "images/wrist")["images", "wrist"]
    assert pictures.shape == (2, 4, 6, 3) and pictures.dtype == torch.uint8
    assert pictures[:, 0, 0, 0].tolist() == [1, 101]
    # The first episode has ended: its last picture stays.
    assert stored(demos, 4, "images/wrist")["images", "wrist"][:, 3, 5, 2].tolist() == [2, 104]


def test_stored_pictures_follow_limit_and_subset(tmp_path: Path) -> None:
    path = write_file(tmp_path / "d.hdf5", lengths=(3, 5), edit=add_pictures)
    assert stored(load_demonstrations(path, limit=1), 0, "images/wrist").batch_size == (1,)
    part = load_demonstrations(path).subset([1, 0])
    assert stored(part, 9, "images/wrist")["images", "wrist"][:, 0, 0, 0].tolist() == [104, 2]


def test_without_names_the_file_is_not_opened(tmp_path: Path) -> None:
    path = write_file(tmp_path / "d.hdf5")
    demos = load_demonstrations(path)
    path.unlink()
    assert list(stored(demos, 0).keys()) == []
    with pytest.raises(InputError, match="does not exist"):
        stored(demos, 0, "images/wrist")


def test_stored_pictures_that_are_missing_or_differ(tmp_path: Path) -> None:
    def of_other_size(index: int, data: dict[str, Any]) -> None:
        add_pictures(index, data)
        if index == 1:
            data["obs"]["images"]["wrist"] = data["obs"]["images"]["wrist"][:, :2]

    def too_few(index: int, data: dict[str, Any]) -> None:
        add_pictures(index, data)
        data["obs"]["images"]["wrist"] = data["obs"]["images"]["wrist"][1:]

    for edit, message in (
        (lambda index, data: index or add_pictures(index, data), "demo_1 .*lacks the observation 'images/wrist'"),
        (of_other_size, r"demo_1 .*has 'images/wrist' of shape \(5, 2, 6, 3\), not \(5, 4, 6, 3\)"),
        (too_few, r"demo_0 .*of shape \(2, 4, 6, 3\), not \(3, 4, 6, 3\)"),
    ):
        path = write_file(tmp_path / "d.hdf5", edit=edit)
        with pytest.raises(InputError, match=message) as info:
            stored(load_demonstrations(path), 0, "images/wrist")
        assert str(path) in str(info.value) and "\n" not in str(info.value)
