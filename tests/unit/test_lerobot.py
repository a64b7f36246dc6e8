# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Demonstrations as a LeRobotDataset and back. `make parity` has lerobot itself read and write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pytest
import torch
from demo_cases import TASK, write_file
from pyarrow import parquet

from cohoff.commands import import_lerobot
from cohoff.data.demonstrations import load_demonstrations
from cohoff.data.formats import lerobot, lerobot_v3
from cohoff.data.formats.lerobot_export import export_dataset
from cohoff.data.formats.lerobot_import import open_dataset
from cohoff.errors import InputError

DATA, CAMERAS = "data/chunk-000/file-000.parquet", "observation.images."


def fill(index: int, data: dict[str, Any]) -> None:
    """Everything that a file may hold: random values and pixels, a group of size 1, an initial state."""
    length, generator = len(data["actions"]), torch.Generator().manual_seed(index)

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator)

    data["actions"], data["intended_actions"] = draw(length, 2), draw(length, 2)
    data["obs"] = {"policy": draw(length, 4), "gripper": draw(length, 1)}
    data["next_obs"] = {"policy": draw(length, 4), "gripper": draw(length, 1)}
    pixels = (256 * draw(2, length, 4, 6, 3)).to(torch.uint8)
    data["obs"] |= {
        "images": {"agentview": pixels[0], "wrist": pixels[1]},
        "instruction": torch.full((length,), index),
    }
    data["rewards"], data["dones"] = draw(length), torch.arange(length) == length - 1
    data["initial_state"] = {"robot": {"joint_position": draw(1, 9)}, "drawer": {"joint_position": draw(1, 1)}}


def make(tmp_path: Path, edit: Callable[[int, dict[str, Any]], None] | None = fill, **kwargs: Any) -> tuple[Path, Path]:
    """A file of demonstrations and its export."""
    demos, output = write_file(tmp_path / "demos.hdf5", lengths=(3, 5), edit=edit, seed=7), tmp_path / "dataset"
    with h5py.File(demos, "a") as file:
        file["data"].attrs.update(disturbance=0.2, overrides='["presets=d1"]')
    export_dataset(load_demonstrations(demos), output, "put it there", 20, **kwargs)
    return demos, output


def back(dataset: Path) -> Path:
    """The file of demonstrations that a dataset is imported as."""
    output = dataset.with_suffix(".hdf5")
    import_lerobot.main(["--task", TASK, "--dataset", str(dataset), "--output", str(output)])
    return output


def content(path: Path) -> dict[str, Any]:
    """Attributes and values of everything in a file, with their types."""
    found: dict[str, Any] = {}

    def look(name: str, item: Any) -> None:
        value = (item.dtype.name, item.shape, item[:].tobytes()) if isinstance(item, h5py.Dataset) else None
        found[name] = (dict(item.attrs), value)

    with h5py.File(path) as file:
        file.visititems(look)
    return found


def edit_info(dataset: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    info = json.loads((dataset / lerobot.INFO).read_text())
    edit(info)
    (dataset / lerobot.INFO).write_text(json.dumps(info))


def edit_table(dataset: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    parquet.write_table(edit(parquet.read_table(dataset / DATA)), dataset / DATA)


def set_column(dataset: Path, name: str, values: pa.Array) -> None:
    edit_table(dataset, lambda table: table.set_column(table.column_names.index(name), name, values))


@pytest.mark.parametrize("columns", [None, [2, 0], [3]])
def test_the_same_file_comes_back(tmp_path: Path, columns: list[int] | None) -> None:
    demos, dataset = make(tmp_path, state_columns=columns)
    assert content(back(dataset)) == content(demos)


def test_what_trainers_read(tmp_path: Path) -> None:
    demos, dataset = make(tmp_path, state_columns=[2, 0])
    loaded = load_demonstrations(demos)
    features = json.loads((dataset / lerobot.INFO).read_text())["features"]
    assert {name for name in features if name.startswith(("observation", "action"))} == {
        "observation.state", "observation.images.agentview", "observation.images.wrist", "action"
    }  # fmt: skip
    assert features["observation.images.wrist"]["shape"] == [4, 6, 3] and features["action"]["shape"] == [2]
    table = parquet.read_table(dataset / DATA).to_pydict()
    assert np.array_equal(np.float32(table["observation.state"]), loaded.obs[:, [2, 0]])
    assert np.array_equal(np.float32(table["action"]), loaded.actions)
    assert table["frame_index"] == [0, 1, 2, 0, 1, 2, 3, 4] and table["index"] == list(range(8))
    assert table["episode_index"] == [0] * 3 + [1] * 5 and set(table["task_index"]) == {0}
    assert np.allclose(table["timestamp"], np.array(table["frame_index"]) / 20)
    assert table["next.success"] == [False] * 2 + [True] + [False] * 4 + [True]
    tasks = parquet.read_table(dataset / lerobot.TASKS)
    assert tasks.to_pydict() == {"task_index": [0], "task": ["put it there"]}
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    episodes = parquet.read_table(dataset / lerobot.EPISODES.format(chunk_index=0, file_index=0)).to_pydict()
    assert episodes["length"] == [3, 5] and episodes["tasks"] == [["put it there"]] * 2
    assert episodes["dataset_from_index"] == [0, 3] and episodes["dataset_to_index"] == [3, 8]
    # One row group for each episode, so that a trainer can read one alone.
    assert parquet.read_metadata(dataset / DATA).num_row_groups == 2


def test_statistics_are_of_all_frames(tmp_path: Path) -> None:
    demos, dataset = make(tmp_path)
    loaded = load_demonstrations(demos)
    stats = json.loads((dataset / lerobot.STATS).read_text())
    actions = loaded.actions.double().numpy()
    assert np.allclose(stats["action"]["mean"], actions.mean(0)) and np.allclose(stats["action"]["std"], actions.std(0))
    assert np.allclose(stats["action"]["q01"], np.quantile(actions, 0.01, axis=0))
    assert stats["action"]["count"] == stats["observation.images.wrist"]["count"] == [8]
    with h5py.File(demos) as file:
        pictures: Any = [file[f"data/demo_{i}/obs/images/wrist"][:] for i in range(2)]  # pyright: ignore
    pixels = np.concatenate(pictures).reshape(-1, 3) / 255
    found = {key: np.array(value) for key, value in stats["observation.images.wrist"].items()}
    assert found["mean"].shape == (3, 1, 1)
    for key, expected in (
        ("min", pixels.min(0)),
        ("max", pixels.max(0)),
        ("mean", pixels.mean(0)),
        ("std", pixels.std(0)),
    ):
        assert np.allclose(found[key].ravel(), expected), key
    assert np.allclose(found["q10"].ravel(), np.quantile(pixels, 0.1, axis=0, method="inverted_cdf"))
    episodes = parquet.read_table(dataset / lerobot.EPISODES.format(chunk_index=0, file_index=0)).to_pydict()
    assert np.allclose(episodes["stats/action/max"][1], actions[3:].max(0))


def test_large_datasets_have_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lerobot_v3, "FILE_SIZE", 0)
    demos, dataset = make(tmp_path)
    assert (dataset / "data/chunk-000/file-001.parquet").is_file()
    episodes = parquet.read_table(dataset / lerobot.EPISODES.format(chunk_index=0, file_index=0)).to_pydict()
    assert episodes["data/file_index"] == [0, 1]
    assert content(back(dataset)) == content(demos)


def test_the_layout_that_openpi_reads(tmp_path: Path) -> None:
    demos, dataset = make(tmp_path, version="v2.1")
    loaded = load_demonstrations(demos)
    info = json.loads((dataset / lerobot.INFO).read_text())
    assert info["codebase_version"] == "v2.1" and info["total_chunks"] == 1 and info["total_episodes"] == 2
    for number, rows in enumerate(loaded.actions.split([3, 5])):
        path = info["data_path"].format(episode_chunk=0, episode_index=number)
        assert np.array_equal(np.float32(parquet.read_table(dataset / path)["action"].to_pylist()), rows)
    lines = {
        name: [json.loads(line) for line in (dataset / f"meta/{name}.jsonl").read_text().splitlines()]
        for name in ("tasks", "episodes", "episodes_stats")
    }
    assert lines["tasks"] == [{"task_index": 0, "task": "put it there"}]
    assert [(line["episode_index"], line["length"]) for line in lines["episodes"]] == [(0, 3), (1, 5)]
    found = lines["episodes_stats"][1]["stats"]
    assert np.allclose(found["action"]["max"], loaded.actions[3:].max(0).values)
    assert np.shape(found["observation.images.wrist"]["mean"]) == (3, 1, 1)


def test_states_alone(tmp_path: Path) -> None:
    demos, dataset = make(tmp_path, pictures=False)
    expected = {name: value for name, value in content(demos).items() if "images" not in name}
    assert content(back(dataset)) == expected


def test_a_dataset_of_other_origin(tmp_path: Path) -> None:
    """Without the observations after an action and our attributes, and with a failure."""
    demos, dataset = make(tmp_path)
    (dataset / lerobot.ORIGIN).unlink()
    for name in ("next_obs.policy", "next_obs.gripper", "intended_actions"):
        edit_info(dataset, lambda info, name=name: info["features"].pop(name))
    set_column(dataset, "next.success", pa.array([False] * 7 + [True]))
    loaded, expected = load_demonstrations(back(dataset), task=TASK), load_demonstrations(demos).subset([1])
    assert torch.equal(loaded.obs, expected.obs) and torch.equal(loaded.actions, expected.actions)
    assert torch.equal(loaded.next_obs, expected.obs[[1, 2, 3, 4, 4]])


def test_exports_that_are_refused(tmp_path: Path) -> None:
    def add_to_the_second(index: int, data: dict[str, Any]) -> None:
        if index == 1:
            data["more"] = torch.zeros(5, 2)

    with pytest.raises(InputError, match="demo_0 of .*demos.hdf5.* has no pictures.*--no_pictures"):
        make(tmp_path, edit=None)
    with pytest.raises(InputError, match="columns of the state are .*7.*0 to 3"):
        make(tmp_path, state_columns=[0, 7])
    with pytest.raises(InputError, match=r"demo_0 of .*'obs/odd' of shape \(2, 2\)"):
        make(tmp_path, edit=lambda index, data: data["obs"].update(odd=torch.zeros(2, 2)))
    for odd in ("timestamp", "a.b", "action"):
        with pytest.raises(InputError, match=f"demo_0 of .*'{odd}', a name"):
            make(tmp_path, edit=lambda index, data, odd=odd: data.update({odd: torch.zeros(len(data["actions"]))}))
    with pytest.raises(InputError, match="demo_1 of .* other data than demo_0"):
        make(tmp_path, edit=add_to_the_second, pictures=False)
    assert not (tmp_path / "dataset").exists()
    make(tmp_path)
    with pytest.raises(InputError, match="dataset.*exists.*new folder"):
        make(tmp_path)


def test_an_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["demos.hdf5"]


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lerobot, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'cohoff\[lerobot\]'"):
        make(tmp_path)


def edit_wrist(**changes: Any) -> Callable[[Path], None]:
    return lambda dataset: edit_info(dataset, lambda info: info["features"][f"{CAMERAS}wrist"].update(changes))


def keep(*rows: int) -> Callable[[Path], None]:
    return lambda dataset: edit_table(dataset, lambda table: table.take(list(rows)))


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda dataset: (dataset / lerobot.INFO).unlink(), "no LeRobot dataset"),
        (lambda dataset: (dataset / lerobot.INFO).write_text("{"), "damaged"),
        (lambda dataset: edit_info(dataset, lambda info: info.update(codebase_version="v2.1")), "'v2.1', not 'v3.0'"),
        (lambda dataset: (dataset / lerobot.ORIGIN).write_text('{"task": "Other"}'), "task 'Other', not"),
        (
            lambda dataset: edit_info(dataset, lambda info: info["features"].pop("next.success")),
            "lacks next.success; it has action, episode_index",
        ),
        (edit_wrist(dtype="video"), "'observation.images.wrist' as a video.*use_videos=False"),
        (edit_wrist(dtype="string"), r"'observation.images.wrist' of type string \[4, 6, 3\]; leave it out"),
        (
            lambda dataset: edit_info(dataset, lambda info: info["features"]["action"].update(dtype="string")),
            r"'action' of type string \[2\]",
        ),
        (edit_wrist(shape=[4, 4, 3]), r"\(4, 6, 3\), not \(4, 4, 3\)"),
        (lambda dataset: (dataset / DATA).write_bytes((dataset / DATA).read_bytes()[:2000]), "damaged"),
        (lambda dataset: (dataset / DATA).unlink(), "damaged"),
        (keep(0, 1, 2, 3, 5, 6, 7), "episode 1 .*lacks frames"),
        (keep(*range(7)), "holds 7 of 8 frames"),
    ],
)
def test_datasets_that_are_refused(tmp_path: Path, edit: Callable[[Path], object], match: str) -> None:
    dataset = make(tmp_path)[1]
    edit(dataset)
    with pytest.raises(InputError, match=match) as info:
        back(dataset)
    assert str(dataset) in str(info.value) and "\n" not in str(info.value)
    assert not dataset.with_suffix(".hdf5").exists() and not list(tmp_path.glob(".*"))


def test_bad_values_of_a_dataset_leave_no_file(tmp_path: Path) -> None:
    dataset = make(tmp_path)[1]
    set_column(dataset, "action", pa.FixedSizeListArray.from_arrays(pa.array(np.full(16, 1.5, np.float32)), 2))
    with pytest.raises(InputError, match=f"demo_0 of '{dataset}' holds actions up to 1.5"):
        back(dataset)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "demos.hdf5"]


def test_episodes_are_read_one_by_one(tmp_path: Path) -> None:
    """The first episode is there before a damaged one is reached."""
    dataset = make(tmp_path)[1]
    edit_table(dataset, lambda table: table.slice(0, 3))
    episodes = open_dataset(dataset, TASK).episodes()
    assert next(episodes) is not None
    with pytest.raises(InputError, match="episode 1"):
        next(episodes)
