# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Ways to make a malformed file of a good one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import torch
from safetensors.torch import load_file, save_file

Edit = Callable[[Path], Any]
"""Makes a malformed file or folder of a good one."""


def hdf5(change: Callable[[Any], Any]) -> Edit:
    """Edit an HDF5 file; ``change`` gets the group ``/data``."""

    def edit(path: Path) -> None:
        with h5py.File(path, "a") as file:
            change(file["data"])

    return edit


def put(key: str, value: Any) -> Edit:
    """Replace a dataset."""

    def change(data: Any) -> None:
        del data[key]
        data[key] = value

    return hdf5(change)


def attribute(key: str, name: str, value: Any) -> Edit:
    """Set an attribute of a group, or delete it for None."""

    def change(data: Any) -> None:
        group = data[key] if key else data
        if value is None:
            del group.attrs[name]
        else:
            group.attrs[name] = value

    return hdf5(change)


def truncate(share: float) -> Edit:
    """Keep the first part of a file."""
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def content(value: bytes) -> Edit:
    """Replace the content of a file."""
    return lambda path: path.write_bytes(value)


def append(text: str) -> Edit:
    """Append to a text file."""
    return lambda path: path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def gone(path: Path) -> None:
    """Remove a file."""
    path.unlink()


def as_folder(path: Path) -> None:
    """Put a folder where the file was."""
    path.unlink()
    path.mkdir()


def as_loop(path: Path) -> None:
    """Put a link to itself where the file was."""
    path.unlink()
    path.symlink_to(path)


def inside(name: str, edit: Edit) -> Edit:
    """Edit a file of a folder."""
    return lambda folder: edit(folder / name)


def tensors(change: Callable[[dict[str, torch.Tensor]], Any], metadata: dict[str, str] | None = None) -> Edit:
    """Edit a safetensors file; its metadata are kept unless others are given."""

    def edit(path: Path) -> None:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        state = load_file(path)
        change(state)
        save_file(state, path, header.get("__metadata__") if metadata is None else metadata)

    return edit


def checkpoint(change: Callable[[dict[str, Any]], Any]) -> Edit:
    """Edit both checkpoints of a run."""

    def edit(folder: Path) -> None:
        for path in folder.glob("model_*.pt"):
            state = torch.load(path, weights_only=True)
            change(state)
            torch.save(state, path)

    return edit


def both(edit: Edit) -> Edit:
    """Edit the files of both checkpoints of a run."""
    return lambda folder: [edit(folder / name) for name in ("model_0.pt", "model_1.pt")]


def edit_json(name: str, change: Callable[[Any], Any]) -> Edit:
    """Edit a JSON file in a folder."""

    def edit(folder: Path) -> None:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
        change(value)
        (folder / name).write_text(json.dumps(value), encoding="utf-8")

    return edit


def flip_header(path: Path) -> None:
    """Flip bits where HDF5 keeps its structure."""
    value, draw = bytearray(path.read_bytes()), random.Random(0)
    for _ in range(16):
        value[draw.randrange(8, 96)] ^= 1 << draw.randrange(8)
    path.write_bytes(value)


def move_actions_out(data: Any) -> None:
    """Keep the actions of a demonstration in a raw file beside."""
    shape = data["demo_0/actions"].shape
    del data["demo_0/actions"]
    (Path(data.file.filename).parent / "raw.bin").write_bytes(bytes(10_000))
    data.create_dataset("demo_0/actions", shape, "f4", external=[("raw.bin", 0, h5py.h5f.UNLIMITED)])


def declare_actions(data: Any) -> None:
    """Declare 24 GB of actions without writing any."""
    del data["demo_0/actions"]
    data.create_dataset("demo_0/actions", (10**9, 6), "f4", chunks=(1000, 6))
