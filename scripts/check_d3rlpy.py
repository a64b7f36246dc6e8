# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Compare offline methods with d3rlpy's on the point mass of the tests: same episodes, sizes and number of updates.

It needs the environment that `make oracle` creates::

    python scripts/check_d3rlpy.py --json results/offline/oracle.json
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import h5py
import torch
from scipy import stats

from cohoff.algorithms.offline.configure import configure
from cohoff.algorithms.offline.training import OfflineTraining
from cohoff.cli import add_json, command_parser, run, show_progress
from cohoff.data.recording import Recording, load_recording
from cohoff.errors import InputError
from cohoff.files import write_json
from cohoff.policies.acting import ActingPolicy
from cohoff.provenance import provenance
from cohoff.stress import point_mass

D3RLPY = Path(__file__).parents[1] / ".venv-oracle" / "bin" / "python"
PAIRS = {"iql": "iql", "iql_60": "iql", "td3bc": "td3bc", "cql": "saq_cql"}
"""d3rlpy's methods, and ours that each is held against. ``iql_60`` has a factor of 60 instead of 3 on the advantage:
that of ours is in units of the advantage's spread, which is about a twentieth here."""
SEEDS = (0, 1, 2)
UPDATES, BATCH_SIZE, LEARNING_RATE, TARGET_RATE, HIDDEN_DIMS = 800, 128, 1e-3, 0.03, (64, 64)
"""Settings of both sides, those of the learning test; all others are the defaults of each."""


class Oracle:
    """d3rlpy in a process of its own."""

    def __init__(self) -> None:
        worker = Path(__file__).with_name("d3rlpy_worker.py")
        self._process = subprocess.Popen(
            [str(D3RLPY), str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Its answer to a request."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise InputError(f"d3rlpy ended while it was asked for {request.get('method', 'actions')}")
        return json.loads(answer)

    def __call__(self, obs: Any) -> torch.Tensor:
        """Actions [N, A] of what was trained last."""
        return torch.tensor(self.ask(observations=obs["policy"].tolist())["actions"])

    def reset(self, dones: torch.Tensor) -> None:
        """Nothing is kept between steps."""


def mixed_recording(folder: Path) -> Recording:
    """80 episodes of a poor policy and 15 of an expert."""
    point_mass.write_base_episodes(folder / "base.hdf5")
    point_mass.write_demonstrations(folder / "demos.hdf5", count=15)
    return load_recording([folder / "base.hdf5", folder / "demos.hdf5"])


def write_arrays(recording: Recording, path: Path) -> None:
    """The recording as d3rlpy reads it: an episode ends by a terminal where it succeeded, else by a time-out."""
    ends = recording.step_of + 1 == recording.lengths[recording.episode_of]
    won = recording.success[recording.episode_of]
    assert recording.rewards is not None
    arrays = {
        "observations": recording.obs, "actions": recording.actions, "rewards": recording.rewards,
        "terminals": ends & won, "timeouts": ends & ~won,
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            file[name] = value.float().numpy()


def our_training(method: str, recording: Recording, seed: int) -> OfflineTraining:
    """A training run of ours, not started."""
    changes = [
        f"updates={UPDATES}", f"batch_size={BATCH_SIZE}", f"learning_rate={LEARNING_RATE}", "policy_delay=1",
        f"final_learning_rate={LEARNING_RATE}", f"target_rate={TARGET_RATE}", f"hidden_dims={HIDDEN_DIMS}",
        "effective_horizon=1.5", *(["code_steps=500"] if method.startswith("saq") else []),
    ]  # fmt: skip
    found, settings, loop = configure(method, changes)
    return OfflineTraining(method, found.learner, settings, loop, recording, None, "cpu", seed)


def compared(theirs: Sequence[float], ours: Sequence[float]) -> dict[str, Any]:
    """Success of both, and whether our mean lies in the 95% t-interval of d3rlpy's mean over seeds."""
    half = float(stats.t.ppf(0.975, len(theirs) - 1)) * stdev(theirs) / math.sqrt(len(theirs))
    low, high = max(fmean(theirs) - half, 0.0), min(fmean(theirs) + half, 1.0)
    return {"d3rlpy": theirs, "interval": [low, high], "ours": ours, "within": low <= fmean(ours) <= high}


def main() -> None:
    """Train both, print, and write what was found."""
    parser = command_parser("check_d3rlpy", __doc__)
    parser.add_argument("--methods", nargs="+", choices=PAIRS, default=list(PAIRS), help="of d3rlpy (default: all)")
    add_json(parser)
    args = parser.parse_args()
    if not D3RLPY.is_file():
        raise InputError("the environment .venv-oracle is missing; create it with make oracle")
    with tempfile.TemporaryDirectory() as name:
        folder, oracle = Path(name), Oracle()
        recording = mixed_recording(folder)
        write_arrays(recording, folder / "data.hdf5")
        for theirs in args.methods:
            ours = PAIRS[theirs]
            success: dict[str, list[float]] = {"d3rlpy": [], "ours": []}
            for seed in SEEDS:
                discount = our_training(ours, recording, seed).discount
                oracle.ask(
                    data=str(folder / "data.hdf5"), method=theirs, seed=seed, updates=UPDATES, batch_size=BATCH_SIZE,
                    learning_rate=LEARNING_RATE, target_rate=TARGET_RATE, hidden_dims=HIDDEN_DIMS,
                    discount=discount,
                )  # fmt: skip
                success["d3rlpy"].append(point_mass.success_rate(oracle))
                training = our_training(ours, recording, seed)
                training.run(show_progress)
                policy = training.learner.policy("trained")
                assert policy is not None
                success["ours"].append(point_mass.success_rate(ActingPolicy(policy, training.observe, None)))
            result = {"method": ours, **compared(success["d3rlpy"], success["ours"])}
            print(f"{theirs}: {result}", flush=True)
            if args.json:
                keep(Path(args.json), recording, theirs, result | provenance())


def keep(path: Path, recording: Recording, method: str, result: dict[str, Any]) -> None:
    """Write the result of a method to a file beside those of others."""
    methods = json.loads(path.read_text())["methods"] if path.is_file() else {}
    data = {"episodes": recording.num_episodes, "successes": int(recording.success.sum())}
    found = {name: {**methods, method: result}[name] for name in PAIRS if name in {*methods, method}}
    write_json(path, {"data": data, "updates": UPDATES, "seeds": SEEDS, "methods": found})


if __name__ == "__main__":
    run(main)
