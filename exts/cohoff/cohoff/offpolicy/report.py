# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a run reports: means of the updates' metrics, outcomes of episodes, and progress.jsonl."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cohoff.files import atomic_path
from cohoff.offpolicy.episodes import EpisodeStatistics
from cohoff.offpolicy.finite import finite_or_zero
from cohoff.run_folder import PROGRESS_FILE


class MetricMeans:
    """Means of named device scalars that are finite, summed in place and read with one host synchronization."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}

    def add(self, metrics: dict[str, Tensor]) -> None:
        """Add one value of each metric that is finite; metrics of a new name allocate their sum."""
        for name, value in metrics.items():
            if name not in self._sums:
                self._sums[name], self._counts[name] = torch.zeros_like(value), torch.zeros_like(value)
        values = torch.stack(list(metrics.values()))
        finite = values.isfinite()
        torch._foreach_add_([self._sums[name] for name in metrics], list(finite_or_zero(values).unbind()))
        torch._foreach_add_([self._counts[name] for name in metrics], list(finite.to(values.dtype).unbind()))

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
        self.totals: dict[str, int] = {}
        """The further numbers as they were last written."""
        self._resumed = False
        self.fewest = dict.fromkeys(episodes, 0)
        """Episodes that every environment of a group has finished, as they were last read."""

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken so far."""
        return time.monotonic() - self._started

    def carry_over(self, folder: Path, iteration: int, seconds: float) -> None:
        """Begin with what the run in ``folder`` wrote up to ``iteration``, ``seconds`` after its start."""
        self._started = time.monotonic() - seconds
        self._resumed = True
        self.fewest = {group: int(statistics.summary()[-1]) for group, statistics in self._episodes.items()}
        source = folder / PROGRESS_FILE
        if self._file is not None and source.is_file():
            kept = [line for line in source.read_text(encoding="utf-8").splitlines() if _iteration(line) <= iteration]
            with atomic_path(self._file) as temporary:
                temporary.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def add(self, metrics: dict[str, Tensor]) -> None:
        """Add the metrics of one update."""
        self._means.add(metrics)

    def write(self, counters: dict[str, int]) -> dict[str, float]:
        """Append a line with the counters, outcomes and means of this iteration; return the means."""
        outcomes = [statistics.summary() for statistics in self._episodes.values()]
        totals = torch.stack(list(self._totals.values()))
        values = torch.cat([*outcomes, totals]).tolist()
        metrics = self._means.pop()
        self.totals = dict(zip(self._totals, map(int, values[-len(totals) :]), strict=True))
        counters = counters | self.totals
        line: dict[str, Any] = counters | {"seconds": self.seconds} | ({"resumed": True} if self._resumed else {})
        self._resumed = False
        self.log = {f"Learner/{name}": float(value) for name, value in counters.items() if name != "iteration"}
        for group, outcome in zip(self._episodes, itertools.batched(values[: -len(totals)], 5), strict=True):
            rate, episodes, successes, invalid, fewest = outcome
            self.fewest[group] = int(fewest)
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


def _iteration(line: str) -> float:
    """Iteration of a line of progress; infinite where a kill has left half a line."""
    try:
        return json.loads(line)["iteration"]
    except json.JSONDecodeError:
        return math.inf
