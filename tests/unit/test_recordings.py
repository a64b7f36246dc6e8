# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files of other recorders: what can be replayed, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from demo_cases import TASK, write_file

from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.formats.isaaclab import check_recording
from cohoff.errors import InputError


def recorded(path: Path, env_name: str = TASK, **edit: Any) -> Path:
    """A file as Isaac Lab's recorder writes it: flat observations, the initial state, no task of ours."""

    def change(index: int, data: dict[str, Any]) -> None:
        del data["next_obs"]
        data["obs"] = data["obs"]["policy"]
        data["initial_state"] = {"articulation": {"robot": {"joint_position": torch.zeros(1, 9)}}}
        data.update(edit)
        for key in [key for key, value in data.items() if value is None]:
            del data[key]

    write_file(path, task=env_name, edit=change, success=False)
    with h5py.File(path, "a") as file:
        for key in ("task", "seed", "noise", "versions"):
            del file["data"].attrs[key]
    return path


def test_files_of_the_recorder_can_be_replayed(tmp_path: Path) -> None:
    check_recording(recorded(tmp_path / "named.hdf5"), TASK)
    check_recording(recorded(tmp_path / "nameless.hdf5", env_name=""), TASK)


def test_files_that_cannot_be_replayed(tmp_path: Path) -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"initial_state": None}, "demo_0 of .*no initial_state"),
        ({"actions": torch.full((3, 2), torch.nan)}, "demo_0 of .*non-finite values in 'actions'"),
        ({"env_name": "Other"}, "recorded on task 'Other', not"),
    )
    for number, (edit, match) in enumerate(cases):
        with pytest.raises(InputError, match=match) as info:
            check_recording(recorded(tmp_path / f"{number}.hdf5", **edit), TASK)
        assert "\n" not in str(info.value)
    with pytest.raises(InputError, match="holds no demonstrations"):
        check_recording(write_file(tmp_path / "empty.hdf5", lengths=()), TASK)


def test_files_of_the_recorder_are_learned_from_only_after_a_replay(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no attribute task, demo_0 no obs/policy, next_obs/policy; replay.*--record"):
        load_demonstrations(recorded(tmp_path / "d.hdf5"))


def test_observations_of_other_names(tmp_path: Path) -> None:
    """What robomimic's files have, and what ours must have, is listed."""
    path = tmp_path / "d.hdf5"
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs.update(env_args='{"env_name": "NutAssemblySquare", "type": 1}', total=4)
        for when in ("obs", "next_obs"):
            for name in ("object", "robot0_eef_pos"):
                data[f"demo_0/{when}/{name}"] = np.zeros((4, 3))
        data["demo_0/actions"], data["demo_0/states"] = np.zeros((4, 7)), np.zeros((4, 45))
    message = r"no attribute task, demo_0 no obs/policy, next_obs/policy \(it has obs/object, obs/robot0_eef_pos\)"
    with pytest.raises(InputError, match=f"{message}; use scripts/collect_demos.py"):
        load_demonstrations(path)
    with h5py.File(path, "a") as file:
        file["data"].attrs.update(task="NutAssemblySquare")
        file["data/demo_0"].attrs["success"] = True
    with pytest.raises(InputError, match=r"no .*'obs/policy' of numbers \(it has obs/object, obs/robot0_eef_pos\)"):
        load_demonstrations(path)
