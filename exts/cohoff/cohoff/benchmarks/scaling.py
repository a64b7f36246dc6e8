# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What training in N processes would take, computed from measured times of one and an assumed network.

Each process has its own environments and batches, so N of them collect and learn from N times as much in an iteration.
What they add to it is the averaging of gradients.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from cohoff.benchmarks.learner import POLICY_DELAY, draw, filled_buffer, make_learner
from cohoff.experiments.timing import milliseconds
from cohoff.offpolicy.batch import concatenate
from cohoff.offpolicy.distributed import Ranks, average_, running_statistics


@dataclass(frozen=True)
class Link:
    """A connection between processes."""

    bandwidth: float
    """Of each process, in one direction [GB/s]."""
    latency: float
    """Of a message [µs]."""


@dataclass(frozen=True)
class Machine:
    """One process and how it reaches the others."""

    step_ms: float
    """Time of a control step of its environments, learner's share included [ms]."""
    update_ms: float
    """Time of an update [ms]."""
    packing_ms: float
    """Time to put what is averaged into one tensor and back, for each update [ms]."""
    num_envs: int
    """Environments of a process."""
    inside: Link
    """Between processes of one node."""
    across: Link
    """Between nodes."""
    per_node: int = 8
    """Processes of a node."""


@dataclass(frozen=True)
class Exchange:
    """What the processes exchange."""

    calls: float
    """Calls for each update."""
    bytes: float
    """Bytes of all calls of an update, the mean over updates with and without the actor."""


def averaging_ms(count: int, machine: Machine, exchange: Exchange) -> float:
    """Time to average over ``count`` processes for one update, once all of them are there [ms].

    Inside of a node, each process reduces a part of the tensor and hands out the sum; a ring takes 2·(n − 1)/n of the
    bytes for that. Between nodes, each process exchanges its part with those of the same place. Messages pass the links
    2·log2(n) times, as in a tree.
    """
    if count == 1:
        return 0.0
    inside = min(count, machine.per_node)
    nodes = math.ceil(count / machine.per_node)
    seconds = 0.0
    for link, members, size in ((machine.inside, inside, 1.0), (machine.across, nodes, 1.0 / inside)):
        passed = 2.0 * (members - 1) / members * size * exchange.bytes
        delays = 2.0 * math.ceil(math.log2(members)) * exchange.calls
        seconds += passed / (1e9 * link.bandwidth) + delays * 1e-6 * link.latency
    return machine.packing_ms + 1e3 * seconds


def scaling_row(count: int, machine: Machine, exchange: Exchange, steps: int, updates: int) -> dict[str, Any]:
    """Times of an iteration of ``steps`` control steps and ``updates`` updates in ``count`` processes."""
    averaging = averaging_ms(count, machine, exchange)
    alone = steps * machine.step_ms + updates * machine.update_ms
    iteration = alone + updates * averaging
    return {
        "processes": count,
        "averaging_ms": averaging,
        "iteration_ms": iteration,
        "env_steps_per_second": 1e3 * count * machine.num_envs * steps / iteration,
        "efficiency": alone / iteration,
    }


class Meter(Ranks):
    """Two ranks of which one is there: counts what would be exchanged."""

    def __init__(self) -> None:
        super().__init__(rank=0, size=2)
        self.calls = self.bytes = 0

    def sum_(self, value: Tensor) -> Tensor:
        """Count ``value``, and leave it."""
        self.calls += 1
        self.bytes += value.numel() * value.element_size()
        return value


def measure_exchange(hidden_dims: tuple[int, ...], batch_size: int, calls: int) -> dict[str, Any]:
    """What an update of CSIL++ exchanges, its time, and that of packing it [ms], on the CPU."""
    learner, buffer = make_learner("cpu", hidden_dims), filled_buffer(64, 64, "cpu")
    meter, half = Meter(), batch_size // 2
    statistics = running_statistics(learner.modules)

    def cycle() -> None:
        for index in range(POLICY_DELAY):
            learner.update(concatenate(draw(buffer, half), draw(buffer, half)), half, index == 0)

    def pack() -> None:
        with meter.averaging(statistics):
            for index in range(POLICY_DELAY):
                average_(gradients["critic"], loss)
                if index == 0:
                    average_(gradients["actor"], loss)

    update_ms = milliseconds("cpu", cycle, calls) / POLICY_DELAY
    loss = torch.zeros(())
    gradients = {
        name: [p.grad for p in optimizer.param_groups[0]["params"] if p.grad is not None]
        for name, optimizer in learner.optimizers.items()
    }
    pack()
    exchange = Exchange(meter.calls / POLICY_DELAY, meter.bytes / POLICY_DELAY)
    packing_ms = milliseconds("cpu", pack, calls) / POLICY_DELAY
    return asdict(exchange) | {"batch": batch_size, "update_ms": update_ms, "packing_ms": packing_ms}


def time_gloo(rank: int, size: int, port: int, numbers: int, calls: int) -> float:
    """Shortest time of an average of ``numbers`` floats over ``size`` processes on this machine [ms].

    The shortest, because other programs that run on the same cores only make it longer.
    """
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=size)
    ranks, value = Ranks(rank, size), torch.ones(numbers)
    times = [milliseconds("wall", lambda: ranks.sum_(value).div_(size), 1) for _ in range(calls)]
    torch.distributed.destroy_process_group()
    return min(times)
