# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Train d3rlpy on request. ``check_d3rlpy.py`` starts this in the environment of `make oracle`.

One JSON object per line on standard input, one answer per line on standard output:
``{"data": FILE, "method": NAME, "seed": N, ...}`` trains a method, with the settings that :func:`train` reads, and
answers ``{"seconds": s}``; ``{"observations": [[...]]}`` answers ``{"actions": [[...]]}`` of what was trained last.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import d3rlpy  # pyright: ignore[reportMissingImports]
import h5py
import numpy as np


def configuration(request: dict[str, Any]) -> Any:
    """d3rlpy's configuration of a method, its defaults but for sizes, rates and discount."""
    rate, encoder = request["learning_rate"], d3rlpy.models.VectorEncoderFactory(request["hidden_dims"])
    common = {
        "batch_size": request["batch_size"], "gamma": request["discount"], "tau": request["target_rate"],
        "actor_learning_rate": rate, "critic_learning_rate": rate, "actor_encoder_factory": encoder,
        "critic_encoder_factory": encoder, "observation_scaler": d3rlpy.preprocessing.StandardObservationScaler(),
    }  # fmt: skip
    match request["method"]:
        case "iql":
            return d3rlpy.algos.IQLConfig(**common, value_encoder_factory=encoder)
        case "iql_60":
            return d3rlpy.algos.IQLConfig(**common, value_encoder_factory=encoder, weight_temp=60.0)
        case "td3bc":
            return d3rlpy.algos.TD3PlusBCConfig(**common, update_actor_interval=1)
    return d3rlpy.algos.CQLConfig(**common, temp_learning_rate=rate, alpha_learning_rate=rate)


def train(request: dict[str, Any]) -> Any:
    """A method after ``updates`` of them on the episodes of an HDF5 file."""
    with h5py.File(request["data"]) as file:
        names = ("observations", "actions", "rewards", "terminals", "timeouts")
        dataset = d3rlpy.dataset.MDPDataset(**{name: np.asarray(file[name]) for name in names})
    d3rlpy.seed(request["seed"])
    method = configuration(request).create()
    count = request["updates"]
    logger = d3rlpy.logging.NoopAdapterFactory()
    method.fit(dataset, count, n_steps_per_epoch=count, logger_adapter=logger, show_progress=False)
    return method


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # d3rlpy logs to the standard output
    method = None
    for line in sys.stdin:
        request = json.loads(line)
        if "observations" in request:
            assert method is not None
            actions = method.predict(np.asarray(request["observations"], np.float32))
            answer = {"actions": actions.tolist()}
        else:
            start = time.perf_counter()
            method = train(request)
            answer = {"seconds": time.perf_counter() - start}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
