# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Malformed inputs: each must end in one line, or work. None may end in a traceback, or be accepted as it is."""

from __future__ import annotations

import resource
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from cohoff.data.demonstrations import load_demonstrations
from cohoff.errors import InputError
from cohoff.experiments.results import read_result
from cohoff.offpolicy.checkpoint import read_checkpoint
from cohoff.offpolicy.inference import load_policy
from cohoff.offpolicy.replay_buffer import ReplayBuffer
from cohoff.offpolicy.replay_file import restore_replay
from cohoff.policies.loading import load_base
from cohoff.policies.pi05.checkpoint_folder import read_recipe, read_spec
from cohoff.policies.pi05.policy_cfg import read_cfg
from cohoff.run_folder import last_progress
from cohoff.stress import point_mass
from cohoff.stress.edits import (
    Edit,
    append,
    as_folder,
    as_loop,
    attribute,
    both,
    checkpoint,
    content,
    declare_actions,
    edit_json,
    flip_header,
    gone,
    hdf5,
    inside,
    move_actions_out,
    put,
    tensors,
    truncate,
)  # fmt: skip
from cohoff.stress.good_files import make_good

SECONDS, MEBIBYTES = 20.0, 500
"""What reading one of these small files may take at most."""


@dataclass(frozen=True)
class Outcome:
    """What became of one malformed input."""

    kind: str
    """What kind of file it was."""
    name: str
    """What is wrong with it."""
    result: str
    """``one line``, ``works``, or what went wrong."""
    message: str
    """The line, or the end of the traceback."""

    @property
    def is_fault(self) -> bool:
        """Whether a user would be left alone with it."""
        return self.result not in ("one line", "works")


WORKS = " (works)"
"""Marks what is to be accepted."""


def run_malformed(folder: Path) -> Iterator[Outcome]:
    """Make a run and its inputs in ``folder``, then try all malformed inputs, one after the other."""
    good = make_good(folder / "good")
    for kind, (edits, read) in CASES.items():
        for number, (name, edit) in enumerate({"nothing (works)": lambda path: None, **edits}.items()):
            target = folder / kind.replace(" ", "_") / str(number)
            target.mkdir(parents=True)
            path = good.copy(kind, target)
            edit(path)
            yield attempt(
                kind, name.removesuffix(" (works)"), lambda path=path, read=read: read(path), "(works)" in name
            )


def attempt(kind: str, name: str, read: Callable[[], Any], works: bool = False) -> Outcome:
    """Read a malformed input; ``works`` if it is to be accepted."""
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    message = ""
    try:
        read()
        result = "works" if works else "accepted"
    except InputError as error:
        result, message = "refused" if works else "one line", " ".join(str(error).split())
    except Exception:  # that is what is looked for
        result, message = "traceback", traceback.format_exc().strip().splitlines()[-1]
    if time.monotonic() - start > SECONDS:
        result = "slow"
    if (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 > MEBIBYTES:
        result = "memory"
    return Outcome(kind, name, result, message)


ANY_FILE: dict[str, Edit] = {
    "empty": content(b""), "text": content(b"hello"), "zeros": content(bytes(10_000)), "missing": gone,
    "a folder": as_folder, "a link to itself": as_loop, "first half": truncate(0.5), "first 1%": truncate(0.01),
    "all but the last byte": truncate(1.0 - 1e-9), "a picture's header": content(b"\x89PNG\r\n\x1a\n" + bytes(64)),
}  # fmt: skip

ACTIONS = "demo_0/actions"
DEMONSTRATIONS: dict[str, Edit] = ANY_FILE | {
    "env_args is no JSON": attribute("", "env_args", "{env"),
    "env_args is a list": attribute("", "env_args", "[1]"),
    "env_args is a number": attribute("", "env_args", 3),
    "no env_args": attribute("", "env_args", None),
    "no task": attribute("", "task", None),
    "another task": attribute("", "task", "Other"),
    "task is bytes": attribute("", "task", np.void(b"\xff\xfe")),
    "success is the text False": attribute("demo_0", "success", "False"),
    "success is the text True": attribute("demo_0", "success", "True"),
    "success is an array": attribute("demo_0", "success", np.ones(3)),
    "a failed demonstration": attribute("demo_1", "success", False),
    "text where numbers belong": put(ACTIONS, ["a", "b"]),
    "complex numbers": put(ACTIONS, np.ones((5, 2), dtype=complex)),
    "actions of rank 1": put(ACTIONS, np.zeros(5)),
    "actions of rank 3": put(ACTIONS, np.zeros((5, 2, 1))),
    "actions of no rows": put(ACTIONS, np.zeros((0, 2))),
    "actions of no columns": put(ACTIONS, np.zeros((5, 0))),
    "actions of another width": put(ACTIONS, np.zeros((5, 3))),
    "actions of another length": put(ACTIONS, np.zeros((5, 2))),
    "actions of NaN": put(ACTIONS, np.full((5, 2), np.nan)),
    "actions of infinity": put(ACTIONS, np.full((5, 2), np.inf)),
    "actions beyond 1": put(ACTIONS, np.full((5, 2), 3.0)),
    "observations of NaN": put("demo_2/obs/policy", np.full((5, 4), np.nan)),
    "a group where actions belong": hdf5(lambda data: [data.pop(ACTIONS), data.create_group(ACTIONS)]),
    "a dataset where a demonstration belongs": hdf5(lambda data: data.__setitem__("demo_9", np.zeros(3))),
    "a demonstration named otherwise": hdf5(lambda data: data.create_group("trial_1")),
    "no next observations": hdf5(lambda data: data.__delitem__("demo_0/next_obs")),
    "no demonstrations": hdf5(lambda data: [data.__delitem__(name) for name in list(data)]),
    "a link to nothing": hdf5(lambda data: data.__setitem__("demo_9", h5py.SoftLink("/nowhere"))),
    "a link to a missing file": hdf5(lambda data: data.__setitem__("demo_9", h5py.ExternalLink("gone.hdf5", "/"))),
    "actions in another file": hdf5(move_actions_out),
    "24 GB that are only declared": hdf5(declare_actions),
    "16 flipped bits in the header": flip_header,
}  # fmt: skip

BASES: dict[str, Edit] = ANY_FILE | {
    "a missing tensor": tensors(lambda state: state.pop(next(iter(state)))),
    "a further tensor": tensors(lambda state: state.__setitem__("more", torch.zeros(2))),
    "a tensor of another shape": tensors(lambda state: state.__setitem__("obs_mean", torch.zeros(9))),
    "NaN in a weight": tensors(lambda state: next(iter(state.values())).fill_(torch.nan)),
    "infinity in the statistics": tensors(lambda state: state["obs_std"].fill_(torch.inf)),
    "no metadata": tensors(lambda state: None, {}),
    "metadata that are no JSON": tensors(lambda state: None, {"cohoff": "{kind"}),
    "metadata that are a list": tensors(lambda state: None, {"cohoff": "[]"}),
    "metadata without sizes": tensors(lambda state: None, {"cohoff": '{"kind": "flow", "task": "PointMass"}'}),
    "an unknown kind": tensors(lambda state: None, {"cohoff": '{"kind": "magic", "task": "PointMass"}'}),
    "another task": tensors(lambda state: None, {"cohoff": '{"kind": "flow", "task": "Other", "spec": {}}'}),
    "sizes that are text": tensors(
        lambda state: None, {"cohoff": '{"kind": "flow", "task": "PointMass", "spec": {"obs_dim": "4"}}'}
    ),
    "a huge declared header": content((2**60).to_bytes(8, "little") + b"{}"),
}  # fmt: skip

RUNS: dict[str, Edit] = {f"both checkpoints {name}": both(edit) for name, edit in ANY_FILE.items() if name != "missing"}
RUNS |= {
    "the newest torn (works)": inside("model_1.pt", truncate(0.5)),
    "the newest empty (works)": inside("model_1.pt", content(b"")),
    "a model_best.pt beside (works)": inside("model_best.pt", content(b"x")),
    "a replay_old.safetensors beside (works)": inside("replay_old.safetensors", content(b"x")),
    "no checkpoint": lambda folder: [path.unlink() for path in folder.glob("model_*.pt")],
    "only weights": checkpoint(lambda state: [state.pop(key) for key in list(state) if key != "model"]),
    "a list": both(lambda path: torch.save([1, 2], path)),
    "NaN in a weight": checkpoint(lambda state: next(iter(state["model"].values())).fill_(torch.nan)),
    "a missing weight": checkpoint(lambda state: state["model"].pop(next(iter(state["model"])))),
    "a weight of another shape": checkpoint(
        lambda state: state["model"].update({next(iter(state["model"])): torch.zeros(99)})
    ),
    "an unknown learner": checkpoint(lambda state: state["meta"].update(learner="nowhere:Nothing")),
    "an unknown setting": checkpoint(lambda state: state["meta"]["settings"].update(magic=1)),
    "no settings": checkpoint(lambda state: state["meta"].pop("settings")),
    "settings that are text": checkpoint(lambda state: state["meta"].update(settings="x")),
    "a base that is gone": checkpoint(lambda state: state["meta"].update(base="gone.safetensors")),
    "sizes that are text": checkpoint(lambda state: state["meta"]["problem"].update(actor_dim="4")),
    "no observation groups": checkpoint(lambda state: state["meta"].update(obs_groups={})),
}  # fmt: skip

REPLAYS: dict[str, Edit] = ANY_FILE | {
    "a missing field": tensors(lambda state: state.pop("head")),
    "a field of another shape": tensors(lambda state: state.__setitem__("transitions/reward", torch.zeros(3))),
    "NaN": tensors(lambda state: state["transitions/reward"].fill_(torch.nan)),
    "another number of environments": tensors(lambda state: state["shape"].fill_(3)),
    "more steps than it holds": tensors(lambda state: state["filled"].fill_(10**6)),
    "a write position outside": tensors(lambda state: state["head"].fill_(10**6)),
    "rows that do not exist": tensors(lambda state: state["successor"].fill_(10**9)),
}  # fmt: skip

STATISTICS = "assets/robot/norm_stats.json"
PI05: dict[str, Edit] = {f"config.json {name}": inside("config.json", edit) for name, edit in ANY_FILE.items()} | {
    "config.json a list": inside("config.json", content(b"[]")),
    "config.json with NaN sizes": inside("config.json", content(b'{"paligemma_variant": NaN, "action_horizon": 10}')),
    "an unknown variant": edit_json("config.json", lambda value: value.update(paligemma_variant="gemma_9b")),
    "no action size": edit_json("config.json", lambda value: value.pop("action_dim")),
    "an action size that is text": edit_json("config.json", lambda value: value.update(action_dim="many")),
    "a negative horizon": edit_json("config.json", lambda value: value.update(action_horizon=-1)),
    "no statistics": lambda folder: (folder / STATISTICS).unlink(),
    "statistics of a matrix": edit_json(STATISTICS, lambda v: v["norm_stats"]["state"].update(q01=[[1.0]])),
    "statistics of two sizes": edit_json(STATISTICS, lambda v: v["norm_stats"]["state"].update(q01=[1.0])),
    "statistics of text": edit_json(STATISTICS, lambda v: v["norm_stats"]["state"].update(q01=["a"])),
    "statistics of NaN": edit_json(STATISTICS, lambda v: v["norm_stats"]["state"].update(q01=[float("nan")] * 7)),
    "statistics without bounds": edit_json(STATISTICS, lambda v: v["norm_stats"].update(state={})),
    "statistics that are a list": inside(STATISTICS, content(b"[]")),
    "settings that are no JSON": inside("cohoff.json", content(b"{")),
    "settings that are unknown": inside("cohoff.json", content(b'{"instructions": ["go"], "magic": 1}')),
    "no instructions": inside("cohoff.json", content(b"{}")),
    "instructions that are numbers": inside("cohoff.json", content(b'{"instructions": [1]}')),
}  # fmt: skip

RESULTS: dict[str, Edit] = {name: edit for name, edit in ANY_FILE.items() if "byte" not in name} | {
    "a list": content(b"[]"),
    "without an interval": content(b'{"task": "Point", "success": 0.5}'),
    "not UTF-8": content(b"\xff\xfe\x00"),
}  # fmt: skip

PROGRESS: dict[str, Edit] = {
    "a torn last line (works)": inside("progress.jsonl", append('{"iterat')),
    "empty (works)": inside("progress.jsonl", content(b"")),
    "text": inside("progress.jsonl", content(b"hello\n")),
}  # fmt: skip


def read_demonstrations(path: Path) -> None:
    """As training does."""
    load_demonstrations(path, point_mass.TASK, {"policy": point_mass.OBS_DIM}, point_mass.ACTION_DIM)


def read_replay(path: Path) -> None:
    """As resuming does."""
    state = {
        "actor": torch.zeros(1, 4), "base_action": torch.zeros(1, 2),
        "features/prior_mean": torch.zeros(1, 2), "features/prior_std": torch.zeros(1, 2),
    }  # fmt: skip
    restore_replay(ReplayBuffer(50, 7, state, 2), str(path))


def read_run(folder: Path) -> None:
    """As evaluation does."""
    read_checkpoint(folder)
    load_policy(folder, 2, "cpu", task=point_mass.TASK)


def read_pi05(folder: Path) -> None:
    """All of a checkpoint but its weights."""
    read_spec(folder)
    read_recipe(folder)
    read_cfg(folder)


CASES: dict[str, tuple[dict[str, Edit], Callable[[Path], Any]]] = {
    "demonstrations": (DEMONSTRATIONS, read_demonstrations),
    "base policy": (BASES, lambda path: load_base(path, point_mass.TASK)),
    "run": (RUNS, read_run),
    "replay": (REPLAYS, read_replay),
    "pi-0.5": (PI05, read_pi05),
    "result": (RESULTS, read_result),
    "progress": (PROGRESS, last_progress),
}
"""Kinds of files: what can be wrong, and who reads them."""
