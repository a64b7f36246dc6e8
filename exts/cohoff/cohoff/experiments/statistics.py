# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What several runs say together, after Agarwal et al., "Deep RL at the edge of the statistical precipice" (2021)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

RESAMPLES = 2_000
"""Bootstrap resamples of an interval."""


def interquartile_mean(scores: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Mean of the middle half of all scores and its 95% interval, from a bootstrap stratified by task.

    Args:
        scores: Scores of each task's seeds. With fewer than two seeds in a task there is no interval (NaN).
    """

    def statistic(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return stats.trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis)

    samples = [np.asarray(one, dtype=float) for one in scores]
    mean = float(statistic(*samples))
    if min(len(one) for one in samples) < 2:
        return mean, float("nan"), float("nan")
    if all(np.ptp(one) == 0.0 for one in samples):
        return mean, mean, mean
    interval = stats.bootstrap(
        samples, statistic, n_resamples=RESAMPLES, method="percentile", vectorized=True, rng=0
    ).confidence_interval
    return mean, float(interval.low), float(interval.high)


def probability_of_improvement(scores: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> float:
    """Probability that a run of the first beats one of the second, mean over tasks; a tie counts half."""
    differences = [np.subtract.outer(one, other) for one, other in zip(scores, others, strict=True)]
    return float(np.mean([np.heaviside(difference, 0.5).mean() for difference in differences]))


def paired_outcomes(outcomes: str, others: str) -> tuple[int, int, float]:
    """Episodes that only the first won, that only the second won, and the exact p-value of McNemar's test.

    Args:
        outcomes: ``1`` or ``0`` for each episode, of the policy.
        others: The same for the policy that it is compared with, from the same initial states.

    Raises:
        ValueError: They have different numbers of episodes.
    """
    pairs = list(zip(outcomes, others, strict=True))
    won, lost = pairs.count(("1", "0")), pairs.count(("0", "1"))
    p_value = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    return won, lost, float(p_value)


def paired_interval(outcomes: str, others: str) -> tuple[float, float]:
    """95% interval of the difference of two success rates from the same initial states (normal approximation)."""
    won, lost, _ = paired_outcomes(outcomes, others)
    count = len(outcomes)
    difference = (won - lost) / count
    half = stats.norm.ppf(0.975) * np.sqrt(max(won + lost - (won - lost) ** 2 / count, 0.0)) / count
    return float(difference - half), float(difference + half)


def area_under_curve(env_steps: Sequence[float], success: Sequence[float]) -> float:
    """Mean success over training, with straight lines between evaluations."""
    return float(np.trapezoid(success, env_steps) / (env_steps[-1] - env_steps[0]))


def steps_to(threshold: float, env_steps: Sequence[int], success: Sequence[float]) -> int | None:
    """Environment steps of the first evaluation with at least ``threshold``; None if there is none."""
    return next((steps for steps, rate in zip(env_steps, success, strict=True) if rate >= threshold), None)
