# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is computed about training in several processes."""

from __future__ import annotations

import pytest

from cohoff.benchmarks.scaling import Exchange, Link, Machine, averaging_ms, measure_exchange, scaling_row

MACHINE = Machine(
    step_ms=10.0, update_ms=2.0, packing_ms=0.0, num_envs=100, inside=Link(10.0, 0.0), across=Link(1.0, 0.0), per_node=4
)
EXCHANGE = Exchange(calls=1.0, bytes=4e6)


def test_the_time_to_average_follows_the_links() -> None:
    assert averaging_ms(1, MACHINE, EXCHANGE) == 0.0
    assert averaging_ms(2, MACHINE, EXCHANGE) == pytest.approx(0.4)  # 2 * 1/2 * 4 MB at 10 GB/s
    assert averaging_ms(4, MACHINE, EXCHANGE) == pytest.approx(0.6)  # 2 * 3/4 * 4 MB
    assert averaging_ms(8, MACHINE, EXCHANGE) == pytest.approx(0.6 + 1.0)  # and 2 * 1/2 * 1 MB at 1 GB/s
    slow = Machine(10.0, 2.0, 0.5, 100, Link(10.0, 1000.0), Link(1.0, 0.0), 4)
    assert averaging_ms(4, slow, Exchange(3.0, 0.0)) == pytest.approx(
        0.5 + 3 * 2 * 2 * 1.0
    )  # 2 * log2(4) passes of 1 ms


def test_efficiency_is_the_time_alone_over_the_time_together() -> None:
    row = scaling_row(4, MACHINE, EXCHANGE, steps=8, updates=10)
    assert row["iteration_ms"] == pytest.approx(8 * 10 + 10 * 2.6)
    assert row["env_steps_per_second"] == pytest.approx(4 * 100 * 8 / 0.106)
    assert row["efficiency"] == pytest.approx(100 / 106)
    assert scaling_row(1, MACHINE, EXCHANGE, 8, 10)["efficiency"] == 1.0


def test_the_exchange_is_every_gradient_once() -> None:
    measured = measure_exchange((8,), batch_size=8, calls=1)
    assert measured["calls"] == pytest.approx(4 / 3)  # the critic, and every third time the actor
    obs, action, atoms, members = 40, 7, 101, 2
    width = obs + action + action  # observation with base action, and action
    critic = members * (width * 8 + width + 2 * 8 + 8 * atoms + atoms)
    statistics = 2 * 2 * (width + members * 8)  # mean and variance of critic and target
    actor = measured["bytes"] * 3 / 4 - 3 * (critic + statistics + 1) - (statistics + 1)
    body = obs * 256 + 256 + 256 * 256 + 256 + 256 * 12 + 12
    assert actor == pytest.approx(body + 12 * 64 + 12 + 128 * 7 + 7 * 128**2)
