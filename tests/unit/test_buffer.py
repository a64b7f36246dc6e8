# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Windows drawn from the ring: seam, write position, episode ends, invalid rows; and what a transition leads to."""

from __future__ import annotations

import pytest
import torch

from cohoff.offpolicy.batch import assemble
from cohoff.offpolicy.replay_buffer import FLAGS, ReplayBuffer


def state(value: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"actor": value[:, None], "base_action": 10.0 * value[:, None], "features/twice": 2.0 * value}


def make(num_steps: int, stride: int, num_ends: int | None = None) -> ReplayBuffer:
    return ReplayBuffer(num_steps, stride, state(torch.zeros(stride)), 1, num_ends)


def write(buffer: ReplayBuffer, step: int, **flags: list[bool]) -> None:
    """Write a step whose state is ``step``; it leads to ``step + 1``, or to ``step + 0.5`` where an episode ends."""
    n = buffer.stride
    given = {name: torch.tensor(flags.get(name, [name == "valid"] * n)) for name in FLAGS}
    value = torch.full((n,), float(step))
    following = torch.where(given["done"], value + 0.5, value + 1.0)
    buffer.extend(state(value), state(following), action=value[:, None], reward=value, **given)


def successors(buffer: ReplayBuffer, rows: list[int]) -> list[float]:
    return buffer.states["actor"][buffer.successor[rows], 0].tolist()


def test_ring_overwrites_the_oldest_and_windows_never_cross_the_write_position() -> None:
    buffer = make(4, 2)
    for step in range(7):
        write(buffer, step)
    assert len(buffer) == 8
    rows, mask = buffer.sample(800, 3)
    steps = buffer.states["actor"][rows][..., 0]
    for offset in (1, 2):
        inside = mask[:, offset]
        assert (steps[inside, offset] == steps[inside, 0] + offset).all()
        assert (inside == (steps[:, 0] + offset <= 6)).all()
    starts, counts = steps[:, 0].unique(return_counts=True)
    assert starts.tolist() == [3.0, 4.0, 5.0, 6.0]
    assert (counts > 140).all()
    assert (rows % 2).float().mean().item() == pytest.approx(0.5, abs=0.06)


def test_a_transition_leads_to_the_next_row_or_to_the_end_of_its_episode() -> None:
    buffer = make(4, 2)
    write(buffer, 0, done=[False, True])
    assert successors(buffer, [0, 1]) == [1.0, 0.5]
    write(buffer, 1)
    assert successors(buffer, [0, 1, 2, 3]) == [1.0, 0.5, 2.0, 2.0]
    end = buffer.state(buffer.successor[1:2])
    assert (end["base_action"].item(), end["features/twice"].item()) == (5.0, 1.0)


def test_transitions_whose_end_is_gone_become_invalid() -> None:
    """Room for two ends, three ended: the oldest one's transition is no longer used, the others keep theirs."""
    buffer = make(8, 1, num_ends=2)
    for step in range(4):
        write(buffer, step, done=[step != 1])
    assert buffer.transitions["valid"][:4].tolist() == [False, True, True, True]
    assert buffer.num_lost.item() == 1
    assert successors(buffer, [1, 2, 3]) == [2.0, 2.5, 3.5]


def test_ends_in_the_ring_are_not_mistaken_for_overwritten_owners() -> None:
    """The row that owned an end has been overwritten by a running step: it stays valid when the end is reused."""
    buffer = make(2, 1, num_ends=1)
    write(buffer, 0, done=[True])
    for step in range(1, 4):
        write(buffer, step)
    write(buffer, 4, done=[True])
    assert buffer.transitions["valid"][:3].all()


def test_windows_end_with_the_episode_and_before_an_invalid_step() -> None:
    buffer = make(4, 1, num_ends=4)
    write(buffer, 0)
    write(buffer, 1, done=[True])
    write(buffer, 2)
    write(buffer, 3, valid=[False], done=[True])
    rows, mask = buffer.sample(300, 3)
    first = buffer.states["actor"][rows[:, 0], 0]
    lengths = {step: mask[first == step].sum(1).unique().tolist() for step in range(4)}
    assert lengths == {0: [2], 1: [1], 2: [1], 3: [0]}


def test_n_step_sum_bootstrap_and_weights_by_hand() -> None:
    buffer = make(3, 1, num_ends=3)
    write(buffer, 1)
    write(buffer, 2, done=[True])  # a time-out: bootstraps from the true last observation
    write(buffer, 3, done=[True], success=[True])
    rows = torch.tensor([[0, 1, 1], [2, 2, 2], [0, 0, 0]])
    mask = torch.tensor([[True, True, False], [True, False, False], [False, False, False]])
    batch = assemble(buffer, rows, mask, buffer.transitions["reward"][rows], discount=0.5)
    assert batch.returns.tolist() == [1.0 + 0.5 * 2.0, 3.0, 0.0]
    assert batch.discount.tolist() == [0.25, 0.0, 1.0]
    assert batch.followed.tolist() == [0.5 + 0.25, 0.0, 1.0]
    assert batch.now.actor[:, 0].tolist() == [1.0, 3.0, 1.0]
    assert batch.now.critic is batch.now.actor
    assert batch.action[:, 0].tolist() == [1.0, 3.0, 1.0]
    assert batch.next.actor[:2, 0].tolist() == [2.5, 3.5]
    assert batch.next.base_action[:2, 0].tolist() == [25.0, 35.0]
    assert batch.next.features["twice"][:2].tolist() == [5.0, 7.0]
    assert batch.weight.tolist() == [1.0, 1.0, 0.0]


def test_followed_states_are_all_but_the_first_in_which_the_policy_chooses() -> None:
    """Discount 0.5: a window of n steps has n − 1 inside of it, and the one after it unless it ends in success."""
    buffer = make(6, 1)
    for step in range(6):
        write(buffer, step, done=[step == 4], success=[step == 4])
    rows = torch.tensor([[0, 0, 0], [0, 1, 2], [2, 3, 4], [3, 4, 4], [5, 5, 5]])
    lengths = torch.tensor([1, 3, 3, 2, 0])
    mask = torch.arange(3) < lengths[:, None]
    batch = assemble(buffer, rows, mask, torch.zeros(5, 3), discount=0.5)
    assert batch.discount.tolist() == [0.5, 0.125, 0.0, 0.0, 1.0]
    assert batch.followed[:4].tolist() == [0.5, 0.5 + 0.25 + 0.125, 0.5 + 0.25, 0.5]
    assert batch.weight.tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]  # the invalid one teaches nothing


def test_closing_ends_the_running_episodes_alone() -> None:
    buffer = make(4, 2)
    write(buffer, 0, done=[True, False])
    buffer.close_episodes()
    write(buffer, 7)
    assert buffer.transitions["done"][:4].tolist() == [True, True, False, False]
    assert successors(buffer, [0, 1]) == [0.5, 1.0]


def test_state_round_trip_and_refusal_of_another_ring() -> None:
    for steps in (2, 5):
        buffer, other = make(4, 2), make(4, 2)
        for step in range(steps):
            write(buffer, step, done=[step == 1, False])
        other.load_state_dict(buffer.state_dict())
        write(buffer, 9)
        write(other, 9)
        assert (other.states["actor"] == buffer.states["actor"]).all()
        assert (other.successor == buffer.successor).all() and len(other) == len(buffer)
    with pytest.raises(ValueError, match="4 steps of 2 environments"):
        make(4, 3).load_state_dict(buffer.state_dict())
