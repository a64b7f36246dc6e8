# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
import torch.distributed
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.pi05.finetuning.batches import Batch, Batches
from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.network import TrainableNetwork
from cohoff.policies.pi05.finetuning.objective import flow_loss
from cohoff.policies.pi05.finetuning.optimizer import MasterOptimizer
from cohoff.policies.pi05.finetuning.processes import place


@dataclass(frozen=True)
class Report:
    """State of a run after ``step`` steps."""

    step: int
    """Number of optimizer steps taken."""
    loss: float
    """Mean loss since the last report, over all processes."""


def train(
    network: TrainableNetwork,
    optimizer: MasterOptimizer,
    batches: Batches,
    cfg: Pi05TrainingCfg,
    start: int = 0,
    progress: Callable[[Report], None] | None = None,
    after_step: Callable[[int], None] | None = None,
) -> float:
    """Train from step ``start`` to the end; in several processes if torch.distributed is initialized.

    Args:
        network: Network; all processes start with the same weights.
        optimizer: Optimizer of its leaves.
        batches: Batches.
        cfg: Settings.
        start: Number of steps taken before.
        progress: Called with a report every ``cfg.report_every`` steps and after the last.
        after_step: Called after every step with the number of steps taken.

    Returns:
        The loss of the last report.

    Raises:
        InputError: The loss is not finite, or the batch cannot be divided among the processes.
    """
    rank, processes = place()
    parts = cfg.parts(processes)
    first = parts * rank
    total = torch.zeros((), device=network.device)
    count, mean = 0, math.nan
    action_dim = batches.action.size
    taken = start
    for number, batch in enumerate(_ahead(batches, range(start, cfg.steps), range(first, first + parts))):
        loss = flow_loss(network, batch.inputs, batch.actions, batch.noise, batch.time, action_dim)
        loss = loss / (parts * processes)
        loss.backward()
        total += loss.detach()
        if (number + 1) % parts:
            continue
        optimizer.step(taken)
        taken += 1
        count += 1
        if taken % cfg.report_every == 0 or taken == cfg.steps:
            mean = _sum(total) / count
            if not math.isfinite(mean):
                raise InputError(f"training pi-0.5 diverged before step {taken}; lower its learning rate")
            if progress is not None:
                progress(Report(taken, mean))
            total.zero_()
            count = 0
        if after_step is not None:
            after_step(taken)
    return mean


def _ahead(batches: Batches, steps: range, parts: range) -> Iterator[Batch]:
    """Yield the micro-batches of all steps; the next one is read while one is in use."""
    order = ((step, part) for step in steps for part in parts)
    with ThreadPoolExecutor(1) as reader:
        pending = None
        for step, part in order:
            following = reader.submit(batches.read, step, part)
            if pending is not None:
                yield pending.result()
            pending = following
        if pending is not None:
            yield pending.result()


def _sum(total: Tensor) -> float:
    """Return the sum over all processes."""
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(total)
    return float(total)
