# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Recordings that can be replayed, whoever wrote them: Isaac Lab's recorder, a teleoperation, this project."""

from __future__ import annotations

import json
import os
from typing import Any

import h5py

from cohoff.data.episode_file import CURE, episode_names, open_file, read_array
from cohoff.errors import InputError
from cohoff.files import reading


def check_recording(path: str | os.PathLike[str], task: str) -> None:
    """Check that every episode of an HDF5 file has the actions and the initial state that a replay on ``task`` needs.

    Isaac Lab's recorder writes them by ``ActionStateRecorderManagerCfg``, and the task only if the configuration of the
    environment has an ``env_name``; a file without one is taken as a file of ``task``.

    Raises:
        InputError: The file is missing, truncated, foreign, empty or of another task, or an episode lacks finite
            actions or its initial state.
    """
    name = repr(str(path))
    with open_file(path) as file, reading(path, CURE):
        data = file.get("data")
        if not isinstance(data, h5py.Group) or not (demos := episode_names(data)):
            raise InputError(f"{name} holds no demonstrations (no /data/demo_0); give a file of Isaac Lab's recorder")
        attributes: dict[str, Any] = dict(data.attrs)
        recorded = attributes.get("task") or json.loads(attributes.get("env_args", "{}")).get("env_name")
        if recorded and recorded != task:
            raise InputError(f"{name} was recorded on task {recorded!r}, not {task!r}; give a file of {task!r}")
        for demo in demos:
            episode: Any = data[demo]
            read_array(episode, "actions", f"{demo} of {name}")
            if not isinstance(episode.get("initial_state"), h5py.Group):
                raise InputError(
                    f"{demo} of {name} has no initial_state, from which a replay starts; record it with Isaac Lab's "
                    "InitialStateRecorder or with scripts/collect_demos.py"
                )
