# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The success rate of running environments."""

from __future__ import annotations

import math

import torch

from cohoff.offpolicy.episodes import EpisodeStatistics
from cohoff.offpolicy.report import Report


def end(statistics: EpisodeStatistics, done: list[bool], success: list[bool]) -> list[float]:
    flags = (torch.tensor(done), torch.tensor(success), torch.zeros(len(done), dtype=torch.bool))
    statistics.record(*flags)
    return statistics.summary().tolist()


def test_there_is_no_rate_until_every_environment_has_an_outcome() -> None:
    """Two of three succeed early; the third fails at the time limit. The rate never reads 1."""
    statistics = EpisodeStatistics(3, "cpu")
    for _ in range(2):
        rate, *_ = end(statistics, [True, True, False], [True, True, False])
        assert math.isnan(rate)
    rate, episodes, successes, _, fewest = end(statistics, [False, False, True], [False, False, False])
    assert math.isclose(rate, 2 / 3, rel_tol=1e-6) and (episodes, successes, fewest) == (5, 4, 1)


def test_the_rate_is_the_mean_of_the_environments_last_outcomes() -> None:
    statistics = EpisodeStatistics(2, "cpu", window=2)
    for success in (False, False, True, True):
        end(statistics, [True, False], [success, False])
    rate, *_ = end(statistics, [False, True], [False, False])
    assert rate == 0.5  # the first environment's failures are older than two episodes


def test_the_fewest_episodes_are_those_of_the_environment_that_lags_behind() -> None:
    """Counted for each group; what ended since the last line is told with the next one."""
    groups = {"train": EpisodeStatistics(3, "cpu"), "eval": EpisodeStatistics(1, "cpu")}
    for done in ([True, True, False], [True, True, True]):
        end(groups["train"], done, [False, True, False])
    report = Report(None, groups, {"skipped_updates": torch.zeros((), dtype=torch.long)})
    assert report.fewest == {"train": 0, "eval": 0}
    report.write({"iteration": 1})
    assert report.fewest == {"train": 1, "eval": 0}
    end(groups["train"], [False, False, True], [False, False, False])
    end(groups["eval"], [True], [True])
    assert report.fewest == {"train": 1, "eval": 0}
    report.write({"iteration": 2})
    assert report.fewest == {"train": 2, "eval": 1}
