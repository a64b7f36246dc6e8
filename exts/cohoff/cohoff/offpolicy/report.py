# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What a run reports: means of the updates' metrics, outcomes of episodes, and progress.jsonl."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cohoff.files import atomic_path
from cohoff.offpolicy.distributed import ALONE, Ranks
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

    def pop(self, ranks: Ranks = ALONE) -> dict[str, float]:
        """The means over all ranks since the last call, of the metrics that were added since."""
        if not self._sums:
            return {}
        tensors = [*self._sums.values(), *self._counts.values()]
        values = ranks.sum_(torch.stack(tensors)).tolist()
        torch._foreach_zero_(tensors)
        sums, counts = values[: len(self._sums)], values[len(self._sums) :]
        return {name: total / count for name, total, count in zip(self._sums, sums, counts, strict=True) if count}


class Report:
    """Reads an iteration's measurements, the one host synchronization of an iteration, and writes them down.

    Counts are sums over all ranks, rates and metrics are means.

    Args:
        log_dir: Folder of the run; None writes no file.
        episodes: Outcomes of the groups of environments, by name: ``train``, ``eval``.
        totals: Further numbers by name, integer scalars that change in place.
        common: Names of those ``totals`` that are the same on all ranks.
        ranks: The processes that train together.
    """

    def __init__(
        self, log_dir: Path | None, episodes: dict[str, EpisodeStatistics], totals: Mapping[str, Tensor],
        common: Collection[str] = (), ranks: Ranks = ALONE,
    ):  # fmt: skip
        self._file = None if log_dir is None else log_dir / PROGRESS_FILE
        self._episodes, self._totals, self._common, self._ranks = episodes, totals, common, ranks
        self._means = MetricMeans()
        self._started = time.monotonic()
        self.log: dict[str, float] = {}
        """Entries for the runner's logger."""
        self.totals: dict[str, int] = {}
        """The further numbers as they were last written."""
        self._resumed = False
        self.fewest = dict.fromkeys(episodes, 0)
        """Episodes that every environment of a group has finished on every rank, as they were last read."""

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken so far."""
        return time.monotonic() - self._started

    def carry_over(self, folder: Path, iteration: int, seconds: float) -> None:
        """Begin with what the run in ``folder`` wrote up to ``iteration``, ``seconds`` after its start."""
        self._started = time.monotonic() - seconds
        self._resumed = True
        self.fewest = {
            group: int(self._ranks.gather(statistics.summary())[:, -1].min())
            for group, statistics in self._episodes.items()
        }
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
        values = self._ranks.gather(torch.cat([*outcomes, totals])).T.tolist()  # of each number, those of all ranks
        metrics = self._means.pop(self._ranks)
        self.totals = {
            name: int(of_ranks[0] if name in self._common else sum(of_ranks))
            for name, of_ranks in zip(self._totals, values[-len(totals) :], strict=True)
        }
        counters = counters | self.totals
        line: dict[str, Any] = counters | {"seconds": self.seconds} | ({"resumed": True} if self._resumed else {})
        self._resumed = False
        self.log = {f"Learner/{name}": float(value) for name, value in counters.items() if name != "iteration"}
        for group, outcome in zip(self._episodes, itertools.batched(values[: -len(totals)], 5), strict=True):
            rates, *counts, fewest = outcome
            rate = sum(rates) / len(rates)  # all ranks have the same number of environments
            episodes, successes, invalid = map(sum, counts)
            self.fewest[group] = int(min(fewest))
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
