# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Windows drawn from the ring: seam, write position, episode ends, invalid rows."""

from __future__ import annotations

import pytest
import torch

from cohoff.algorithms.csil.updates import assemble
from cohoff.offpolicy.replay_buffer import TransitionStore


def write(store: TransitionStore, step: int, **flags: list[bool]) -> None:
    """Write one time step whose obs, reward and next_obs tell the step."""
    n = store.stride
    value = torch.full((n, 1), float(step))
    given = {name: torch.tensor(flags.get(name, [name == "valid"] * n)) for name in store.FLAGS}
    store.extend(
        obs=value, next_obs=value + 0.5, action=value, base_action=value, next_base_action=value,
        reward=value[:, 0], **given,
    )  # fmt: skip


def test_ring_overwrites_the_oldest_and_windows_never_cross_the_write_position() -> None:
    torch.manual_seed(0)
    store = TransitionStore(4, 2, 1, 1, "cpu")
    for step in range(6):
        write(store, step)
    assert len(store) == 8
    assert sorted(store.rows["obs"][:, 0].tolist()) == [2, 2, 3, 3, 4, 4, 5, 5]
    index, mask = store.sample(500, 3)
    steps = store.rows["obs"][index][..., 0]
    for offset in (1, 2):
        inside = mask[:, offset]
        assert (steps[inside, offset] == steps[inside, 0] + offset).all()
        assert (inside == (steps[:, 0] + offset <= 5)).all()
    assert set(steps[:, 0].tolist()) == {2.0, 3.0, 4.0, 5.0}


def test_windows_end_with_the_episode_and_before_an_invalid_step() -> None:
    torch.manual_seed(0)
    store = TransitionStore(4, 1, 1, 1, "cpu")
    write(store, 0)
    write(store, 1, done=[True])
    write(store, 2)
    write(store, 3, valid=[False], done=[True])
    index, mask = store.sample(300, 3)
    first = store.rows["obs"][index[:, 0], 0]
    lengths = {step: mask[first == step].sum(1).unique().tolist() for step in range(4)}
    assert lengths == {0: [2], 1: [1], 2: [1], 3: [0]}


def test_n_step_sum_bootstrap_and_weights_by_hand() -> None:
    store = TransitionStore(3, 1, 1, 1, "cpu")
    write(store, 1)
    write(store, 2, done=[True])  # a time-out: bootstraps from the true final observation
    write(store, 3, done=[True], success=[True])
    index = torch.tensor([[0, 1, 1], [2, 2, 2], [0, 0, 0]])
    mask = torch.tensor([[True, True, False], [True, False, False], [False, False, False]])
    batch = assemble(store, index, mask, store.rows["reward"][index], discount=0.5)
    assert batch.returns.tolist() == [1.0 + 0.5 * 2.0, 3.0, 0.0]
    assert batch.discount.tolist() == [0.25, 0.0, 1.0]
    assert batch.next_obs[:2, 0].tolist() == [2.5, 3.5]
    assert batch.weight.tolist() == [1.0, 1.0, 0.0]


def test_state_round_trip_and_refusal_of_another_ring() -> None:
    store, other = TransitionStore(4, 2, 1, 1, "cpu"), TransitionStore(4, 2, 1, 1, "cpu")
    for step in range(5):
        write(store, step)
    other.load_state_dict(store.state_dict())
    assert (other.rows["obs"] == store.rows["obs"]).all()
    write(store, 9), write(other, 9)
    assert (other.rows["obs"] == store.rows["obs"]).all()
    with pytest.raises(ValueError, match="4 steps of 2 environments"):
        TransitionStore(4, 3, 1, 1, "cpu").load_state_dict(store.state_dict())
