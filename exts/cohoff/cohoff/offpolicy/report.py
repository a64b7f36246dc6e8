# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a run reports: means of the updates' metrics, outcomes of episodes, and progress.jsonl."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cohoff.offpolicy.episodes import EpisodeStatistics

PROGRESS_FILE = "progress.jsonl"
"""One line of JSON for each iteration, in the log folder of a run."""


class MetricMeans:
    """Means of named device scalars, summed in place and read together with one host synchronization."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}

    def add(self, metrics: dict[str, Tensor]) -> None:
        """Add one value of each metric; metrics of a new name allocate their sum."""
        for name, value in metrics.items():
            if name not in self._sums:
                self._sums[name], self._counts[name] = torch.zeros_like(value), torch.zeros_like(value)
        torch._foreach_add_([self._sums[name] for name in metrics], list(metrics.values()))
        torch._foreach_add_([self._counts[name] for name in metrics], 1.0)

    def pop(self) -> dict[str, float]:
        """The means since the last call, of the metrics that were added since."""
        if not self._sums:
            return {}
        tensors = [*self._sums.values(), *self._counts.values()]
        values = torch.stack(tensors).tolist()
        torch._foreach_zero_(tensors)
        sums, counts = values[: len(self._sums)], values[len(self._sums) :]
        return {name: total / count for name, total, count in zip(self._sums, sums, counts, strict=True) if count}


class Report:
    """Reads an iteration's measurements, the one host synchronization of an iteration, and writes them down.

    Args:
        log_dir: Folder of the run; None writes no file.
        episodes: Outcomes of the groups of environments, by name: ``train``, ``eval``.
        totals: Further numbers by name, integer scalars that change in place.
    """

    def __init__(self, log_dir: Path | None, episodes: dict[str, EpisodeStatistics], totals: Mapping[str, Tensor]):
        self._file = None if log_dir is None else log_dir / PROGRESS_FILE
        self._episodes, self._totals = episodes, totals
        self._means = MetricMeans()
        self._started = time.monotonic()
        self.log: dict[str, float] = {}
        """Entries for the runner's logger."""

    def restart_clock(self) -> None:
        """Count ``seconds`` from now on."""
        self._started = time.monotonic()

    def add(self, metrics: dict[str, Tensor]) -> None:
        """Add the metrics of one update."""
        self._means.add(metrics)

    def write(self, counters: dict[str, int]) -> dict[str, float]:
        """Append a line with the counters, outcomes and means of this iteration; return the means."""
        outcomes = [statistics.summary() for statistics in self._episodes.values()]
        totals = torch.stack(list(self._totals.values()))
        values = torch.cat([*outcomes, totals]).tolist()
        metrics = self._means.pop()
        counters = counters | dict(zip(self._totals, map(int, values[-len(totals) :]), strict=True))
        line: dict[str, Any] = counters | {"seconds": time.monotonic() - self._started}
        self.log = {f"Learner/{name}": float(value) for name, value in counters.items() if name != "iteration"}
        for group, outcome in zip(self._episodes, itertools.batched(values[: -len(totals)], 4), strict=True):
            rate, episodes, successes, invalid = outcome
            known = rate == rate  # NaN until every environment has an outcome
            line |= {f"{group}_success": rate if known else None, f"{group}_episodes": episodes}
            line |= {f"{group}_successes": successes, f"{group}_invalid": invalid}
            if known:
                self.log[f"{group.capitalize()}/success_rate"] = rate
        self.log |= {f"Learner/{name}": value for name, value in metrics.items()}
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | metrics) + "\n")
        return metrics
