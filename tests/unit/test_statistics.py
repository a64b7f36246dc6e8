# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Statistics over runs, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from cohoff.experiments.statistics import (
    area_under_curve,
    interquartile_mean,
    paired_interval,
    paired_outcomes,
    probability_of_improvement,
    steps_to,
)


def test_interquartile_mean_is_that_of_the_middle_half_of_all_scores() -> None:
    mean, low, high = interquartile_mean([[0, 7, 2, 5], [4, 3, 6, 1]])
    assert mean == 3.5  # of 2, 3, 4, 5
    assert low < 3.5 < high


def test_the_interval_is_stratified_by_task() -> None:
    """Only the number k of .9 in the second task varies: .5 for k = 0 (p = .32), .475 for 1, .45 for more (p = .26)."""
    assert interquartile_mean([[0, 0, 0, 0], [1, 1, 1, 0.9]]) == pytest.approx((0.475, 0.45, 0.5))


def test_scores_without_spread_have_an_interval_without_width() -> None:
    assert interquartile_mean([[0.5, 0.5], [1.0, 1.0]]) == (0.75, 0.75, 0.75)


def test_one_seed_has_no_interval() -> None:
    mean, low, high = interquartile_mean([[0.25], [0.5, 0.75]])
    assert mean == 0.5 and math.isnan(low) and math.isnan(high)


@pytest.mark.parametrize(
    ("outcomes", "others", "expected"),
    [
        ("1110", "1001", (2, 1, 1.0)),
        ("11111", "00000", (5, 0, 2 / 2**5)),
        ("0000000", "0111111", (0, 6, 2 / 2**6)),
        ("11110", "00001", (4, 1, 2 * (1 + 5) / 2**5)),
        ("0101", "0101", (0, 0, 1.0)),
    ],
)
def test_paired_outcomes(outcomes: str, others: str, expected: tuple[int, int, float]) -> None:
    assert paired_outcomes(outcomes, others) == pytest.approx(expected)


def test_pairs_need_the_same_number_of_episodes() -> None:
    with pytest.raises(ValueError):
        paired_outcomes("101", "10")


def test_paired_interval() -> None:
    """10 won, 4 lost of 100: .06 with half width 1.96 sqrt(14 - 6^2 / 100) / 100 = .0724."""
    outcomes, others = "1" * 10 + "0" * 4 + "1" * 86, "0" * 10 + "1" * 90
    assert paired_interval(outcomes, others) == pytest.approx((-0.0124, 0.1324), abs=5e-5)
    assert paired_interval("1111", "0000") == (1.0, 1.0)


def test_a_tie_is_half_an_improvement() -> None:
    assert probability_of_improvement([[1, 2]], [[1, 0]]) == 3.5 / 4
    assert probability_of_improvement([[1, 2], [0]], [[1, 0], [1]]) == (3.5 / 4 + 0) / 2
    assert probability_of_improvement([[1, 1]], [[1, 1, 1]]) == 0.5


def test_area_under_curve_weights_by_steps() -> None:
    assert area_under_curve([0, 10, 40], [0.0, 1.0, 1.0]) == (5 + 30) / 40


def test_steps_to() -> None:
    steps, success = [0, 10, 20, 30], [0.5, 0.9, 0.8, 0.95]
    assert [steps_to(threshold, steps, success) for threshold in (0.4, 0.9, 0.91, 0.99)] == [0, 10, 30, None]
