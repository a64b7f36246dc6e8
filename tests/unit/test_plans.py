# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Whole plans of the base policy drawn from the replay buffer."""

from __future__ import annotations

import pytest
import torch

from cohoff.offpolicy.batch import assemble
from cohoff.offpolicy.plans import sample_plans
from cohoff.offpolicy.replay_buffer import FLAGS, ReplayBuffer


def buffer_of_plans(ages: list[list[int]], **flags: dict[tuple[int, int], bool]) -> ReplayBuffer:
    """Two environments; entry ``ages[t][i]`` is the age of the plan of environment i at step t, its reward is t."""

    def state(step: int) -> dict[str, torch.Tensor]:
        row = torch.tensor(ages[step])
        return {
            "actor": torch.full((2, 1), float(step)), "base_action": torch.zeros(2, 1),
            "features/steps_since_plan": row,
        }  # fmt: skip

    buffer = ReplayBuffer(6, 2, state(0), 1)
    for step in range(len(ages) - 1):
        given = {
            name: torch.tensor([flags.get(name, {}).get((step, i), name == "valid") for i in range(2)])
            for name in FLAGS
        }
        reward = torch.full((2,), float(step))
        buffer.extend(state(step), state(step + 1), action=torch.zeros(2, 1), reward=reward, **given)
    return buffer


def drawn_plans(buffer: ReplayBuffer) -> set[tuple[int, int, int]]:
    """Environment, first step and number of steps of the plans that are drawn; none has another start."""
    rows, mask = sample_plans(buffer, 600, 3)
    steps, length = buffer.states["actor"][rows, 0].long(), mask.sum(1)
    assert (buffer.states["features/steps_since_plan"][rows[:, 0]][length > 0] == 0).all()
    environment = rows[:, 0] % 2
    found = torch.stack([environment, steps[:, 0], length], 1)[length > 0]
    return {tuple(plan) for plan in found.tolist()}


def test_windows_are_whole_plans() -> None:
    """Environment 1 was reset before step 1, and plans at its fixed time again: its first plan has one step."""
    buffer = buffer_of_plans([[0, 0], [1, 0], [2, 1], [0, 2], [1, 0], [2, 1], [0, 2]])
    assert drawn_plans(buffer) == {(0, 0, 3), (0, 3, 3), (1, 0, 1), (1, 1, 3)}


def test_overwritten_plans_are_not_drawn() -> None:
    """The buffer holds the last six steps of eight; the plans that began before are incomplete."""
    ages = [[0, 0], [1, 1], [2, 2], [0, 0], [1, 1], [2, 2], [0, 0], [1, 1], [2, 2]]
    assert drawn_plans(buffer_of_plans(ages)) == {(0, 3, 3), (1, 3, 3)}


def test_an_episode_ends_its_plan_and_an_invalid_step_removes_it() -> None:
    ages = [[0, 0], [1, 1], [2, 2], [0, 0], [1, 1], [0, 2], [1, 0]]
    buffer = buffer_of_plans(ages, done={(4, 0): True}, valid={(1, 1): False})
    assert drawn_plans(buffer) == {(0, 0, 3), (0, 3, 2), (1, 3, 3)}


def test_a_plan_is_discounted_by_its_steps() -> None:
    buffer = buffer_of_plans([[0, 0], [1, 0], [2, 1], [0, 2], [1, 0], [2, 1], [0, 2]], success={(5, 0): True})
    rows, mask = torch.tensor([[6, 8, 10], [0, 2, 4]]), torch.ones(2, 3, dtype=torch.bool)
    batch = assemble(buffer, rows, mask, buffer.transitions["reward"][rows], 0.5)
    assert batch.returns.tolist() == pytest.approx([3.0 + 2.0 + 1.25, 0.0 + 0.5 + 0.5])
    assert batch.discount.tolist() == pytest.approx([0.0, 0.125])
    assert batch.next.actor[:, 0].tolist() == [6.0, 3.0]
