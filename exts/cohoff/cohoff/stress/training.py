# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""One process of training on the point mass through rsl_rl's runner, which :mod:`cohoff.stress.kills` kills.

``python -m torch.distributed.run --nproc_per_node N -m cohoff.stress.training ...`` trains in N processes.
"""

from __future__ import annotations

import argparse
import copy
import os
import random
import resource
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rsl_rl.runners import OnPolicyRunner

from cohoff.cli import run
from cohoff.offpolicy.runner import OffPolicyRunner
from cohoff.stress.gloo import GlooRunner, rank_folder
from cohoff.stress.point_mass import PointMass, smallest_run

NUM_ENVS = 8


def make_runner(cfg: dict[str, Any], folder: Path, env: Any = None, seed: int = 0) -> OffPolicyRunner:
    """The runner of a run in ``folder``, built as Isaac Lab builds it, which seeds all generators.

    Where ``RANK`` and ``WORLD_SIZE`` are set, it is one of several, with a seed of its own.
    """
    rank = int(os.environ.get("RANK", "0"))
    seed += rank
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    own_folder = rank_folder(folder, rank)
    own_folder.mkdir(parents=True, exist_ok=True)
    env = env or PointMass(NUM_ENVS, own_folder, seed=rank)
    kind = OnPolicyRunner if "WORLD_SIZE" not in os.environ else GlooRunner
    runner = kind(env, copy.deepcopy(cfg), str(folder), "cpu")
    assert isinstance(runner, OffPolicyRunner)
    return runner


def die_writing(runner: OffPolicyRunner, iteration: int, size: int) -> None:
    """Have the system kill this process in the first file after ``iteration`` that grows beyond ``size`` bytes."""
    save = runner.save

    def save_and_die(path: str, infos: dict | None = None) -> None:
        if runner.alg.iteration >= iteration:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        save(path, infos)

    runner.save = save_and_die


def main(argv: Sequence[str] | None = None) -> None:
    """Train, after resuming where ``--source`` is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=Path, required=True, help="folder for demonstrations and base policy")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the run")
    parser.add_argument("--source", type=Path, help="run to go on with")
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--die_writing", type=int, nargs=2, metavar=("ITERATION", "SIZE"))
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(0)  # of the base policy's weights
    cfg = smallest_run(args.inputs) | {"max_iterations": args.iterations, "save_interval": 1}
    # A resumed run must not depend on the seed that it is started with.
    runner = make_runner(cfg, args.folder, seed=0 if args.source is None else 1)
    if args.source is not None:
        runner.load(str(args.source))
    if args.die_writing is not None:
        die_writing(runner, *args.die_writing)
    runner.learn(args.iterations)


if __name__ == "__main__":
    run(main)
