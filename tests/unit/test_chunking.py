# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Sequence

import pytest
import torch
from tensordict import TensorDict
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.base import ChunkPolicy
from cohoff.policies.chunking import ChunkEngine, plan_batch_sizes

H = 4  # actions in a chunk
R = 3  # steps between two plans


class Recorder:
    """Plans ``100 * (number of the plan) + env + 0.1 * (position in the chunk)`` and keeps the rows of every plan."""

    observations: tuple[str, ...] = ("policy",)
    noise_dim = 2

    def __init__(self, horizon: int = H, action_dim: int = 1) -> None:
        self.horizon = horizon
        self.action_dim = action_dim
        self.rows: list[list[int]] = []
        self.noise: list[torch.Tensor] = []

    def plan(self, obs: TensorDict, noise: torch.Tensor | None = None) -> torch.Tensor:
        rows = obs["policy"][:, 0]
        assert noise is not None
        self.noise.append(noise)
        self.rows.append(rows.int().tolist())
        first = 100.0 * len(self.rows) + rows
        steps = 0.1 * torch.arange(self.horizon)
        return (first[:, None] + steps)[..., None].expand(-1, -1, self.action_dim)


def make(num_envs: int, replan_interval: int = R, horizon: int = H) -> tuple[Recorder, ChunkEngine, TensorDict]:
    """Recorder, engine and observations whose only entry is the number of the environment."""
    policy = Recorder(horizon)
    obs = TensorDict({"policy": torch.arange(num_envs)[:, None].float()}, batch_size=[num_envs])
    return policy, ChunkEngine(policy, num_envs, "cpu", replan_interval), obs


def dones(num_envs: int, *finished: int) -> torch.Tensor:
    mask = torch.zeros(num_envs, dtype=torch.bool)
    mask[list(finished)] = True
    return mask


def values(actions: torch.Tensor) -> list[float]:
    return [round(value, 1) for value in actions[:, 0].tolist()]


def test_recorder_is_a_chunk_policy() -> None:
    assert isinstance(Recorder(), ChunkPolicy)


def test_queues_without_resets() -> None:
    """Five environments, a plan every three steps: all plan at step 0, then slots {1, 4}, {2}, {0, 3} in turn.

    The batch of slot {2} is filled up to two rows with environment 0, which keeps the chunk it has.
    """
    policy, engine, obs = make(5)
    actions = [values(engine.act(obs)) for _ in range(7)]
    assert policy.rows == [[0, 1, 2, 3, 4], [1, 4], [2, 0], [0, 3], [1, 4], [2, 0], [0, 3]]
    assert actions == [
        [100.0, 101.0, 102.0, 103.0, 104.0],
        [100.1, 201.0, 102.1, 103.1, 204.0],
        [100.2, 201.1, 302.0, 103.2, 204.1],
        [400.0, 201.2, 302.1, 403.0, 204.2],
        [400.1, 501.0, 302.2, 403.1, 504.0],
        [400.2, 501.1, 602.0, 403.2, 504.1],
        [700.0, 501.2, 602.1, 703.0, 504.2],
    ]


@pytest.mark.parametrize(
    ("num_envs", "replan_interval", "sizes"),
    [
        (64, 10, (8, 16, 32, 64)),
        (60, 10, (6, 12, 24, 48, 60)),
        (5, 3, (2, 4, 5)),
        (8, 4, (2, 4, 8)),
        (9, 3, (4, 8, 9)),
        (4, 10, (1, 2, 4)),
        (5, 1, (5,)),
        (30, 1, (30,)),
        (1, 1, (1,)),
    ],
)
def test_batch_sizes(num_envs: int, replan_interval: int, sizes: Sequence[int]) -> None:
    assert plan_batch_sizes(num_envs, replan_interval) == sizes


@pytest.mark.parametrize(
    ("num_resets", "size"),
    [(0, 8), (1, 8), (2, 16), (9, 16), (10, 32), (25, 32), (26, 64), (64, 64)],
)
def test_smallest_batch_with_room_for_all(num_resets: int, size: int) -> None:
    """Sixty-four environments: the slot of step 1 has seven, all of which are due beside those that were reset."""
    policy, engine, obs = make(64, 10, horizon=11)
    engine.act(obs)
    # None of the slot {1, 11, ..., 61} among the first, so that the counts add up.
    order = sorted(range(64), key=lambda env: env % 10 == 1)
    engine.reset(dones(64, *order[:num_resets]), num_resets)
    action = values(engine.act(obs))
    assert len(policy.rows[1]) == size
    due = {*order[:num_resets], *range(1, 64, 10)}
    assert action == [200.0 + env if env in due else round(100.1 + env, 1) for env in range(64)]


@pytest.mark.parametrize(("num_envs", "replan_interval"), [(20, 10), (64, 8), (30, 1)])
def test_spread_plans_an_equal_share_at_every_step(num_envs: int, replan_interval: int) -> None:
    policy, engine, obs = make(num_envs, replan_interval, horizon=replan_interval + 1)
    for _ in range(2 * replan_interval + 1):
        engine.act(obs)
        engine.reset(dones(num_envs), 0)
    assert [len(rows) for rows in policy.rows[1:]] == [num_envs // replan_interval] * (2 * replan_interval)


def test_every_row_is_planned_once_per_interval() -> None:
    """Slots 0 to 3 have seven environments, the others six; every batch has eight rows."""
    policy, engine, obs = make(64, 10, horizon=16)
    for _ in range(11):
        engine.act(obs)
    assert [len(rows) for rows in policy.rows[1:]] == [8] * 10
    planned = [rows[: 7 if step % 10 < 4 else 6] for step, rows in enumerate(policy.rows[1:], 1)]
    assert sorted(sum(planned, [])) == list(range(64))


def test_fewer_environments_than_slots() -> None:
    """Steps whose slot is empty plan nothing, and do not call the policy."""
    policy, engine, obs = make(1)
    actions = [values(engine.act(obs)) for _ in range(4)]
    assert actions == [[100.0], [100.1], [100.2], [200.0]]
    assert policy.rows == [[0], [0]]


def test_reset_replaces_the_chunk_at_the_next_step() -> None:
    """Environments 0 and 3 finish at step 1: they plan at step 2 with slot {2}, and again at their slot in step 3."""
    policy, engine, obs = make(5)
    engine.act(obs)
    engine.act(obs)
    engine.reset(dones(5, 0, 3), 2)
    assert values(engine.act(obs)) == [300.0, 201.1, 302.0, 303.0, 204.1]
    assert values(engine.act(obs)) == [400.0, 201.2, 302.1, 403.0, 204.2]
    assert policy.rows == [[0, 1, 2, 3, 4], [1, 4], [0, 2, 3, 1], [0, 3]]


def test_reset_on_its_own_slot_is_planned_once() -> None:
    """Environment 4 finishes just before its slot and is counted twice; rows that are not due keep their chunks."""
    policy, engine, obs = make(5)
    engine.act(obs)
    engine.reset(dones(5, 4), 1)
    assert values(engine.act(obs)) == [100.1, 201.0, 102.1, 103.1, 204.0]
    assert policy.rows[1] == [1, 4, 0, 2]
    assert values(engine.act(obs)) == [100.2, 201.1, 302.0, 103.2, 204.1]
    assert policy.rows[2] == [2, 0]


def test_all_finish_at_once() -> None:
    policy, engine, obs = make(5)
    engine.act(obs)
    engine.act(obs)
    engine.reset(dones(5, 0, 1, 2, 3, 4), 5)
    assert values(engine.act(obs)) == [300.0, 301.0, 302.0, 303.0, 304.0]
    assert policy.rows[2] == [0, 1, 2, 3, 4]
    engine.act(obs)
    assert policy.rows[3] == [0, 3]


def test_two_resets_before_one_step() -> None:
    """Environment 3 of the first call and 0 and 1 of the second all plan; 1 is in its slot, too, and plans once."""
    policy, engine, obs = make(5)
    engine.act(obs)
    engine.reset(dones(5, 3), 1)
    engine.reset(dones(5, 0, 1), 2)
    assert values(engine.act(obs)) == [200.0, 201.0, 102.1, 203.0, 204.0]
    engine.reset(dones(5), 0)
    engine.act(obs)
    assert policy.rows[1:] == [[0, 1, 3, 4, 2], [2, 0]]


def test_reset_counts_when_not_told() -> None:
    """Integer flags, as rsl_rl passes them, and no count."""
    policy, engine, obs = make(5)
    engine.act(obs)
    engine.reset(dones(5, 3).long())
    engine.act(obs)
    assert policy.rows[1] == [1, 3, 4, 0]


def test_no_chunk_crosses_a_reset() -> None:
    """Long random run: each action comes from a plan not older than the episode nor than ``replan_interval`` steps."""
    num_envs, replan_interval = 13, 5
    policy, engine, obs = make(num_envs, replan_interval, horizon=6)
    generator = torch.Generator().manual_seed(3)
    plan_step: list[int] = []  # control step of each plan
    episode_start = torch.zeros(num_envs)
    for step in range(200):
        action = engine.act(obs)[:, 0]
        plan_step += [step] * (len(policy.rows) - len(plan_step))
        number = (action / 100).floor().int()
        planned_at = torch.tensor([plan_step[i - 1] for i in number.tolist()])
        position = step - planned_at
        torch.testing.assert_close(action, 100.0 * number + torch.arange(num_envs) + 0.1 * position)
        assert (planned_at >= episode_start).all()
        assert (position < replan_interval).all()
        finished = torch.rand(num_envs, generator=generator) < 0.15
        episode_start[finished] = step + 1
        engine.reset(finished, int(finished.sum()))


def test_peek_is_the_next_action_where_no_plan_is_due() -> None:
    _, engine, obs = make(5)
    engine.act(obs)
    engine.act(obs)
    peeked = values(engine.peek())
    assert peeked == [100.2, 201.1, 102.2, 103.2, 204.1]
    assert values(engine.peek()) == peeked  # nothing moved
    acted = values(engine.act(obs))
    assert [a for i, a in enumerate(acted) if i != 2] == [a for i, a in enumerate(peeked) if i != 2]


def test_peek_at_the_end_of_a_full_interval() -> None:
    """After ``replan_interval`` actions the chunk's next one, never executed, is still there."""
    _, engine, obs = make(3)
    for _ in range(3):
        engine.act(obs)
    assert values(engine.peek()) == [100.3, 201.2, 302.1]


def test_returned_actions_are_not_overwritten() -> None:
    _, engine, obs = make(5)
    first = engine.act(obs)
    kept = first.clone()
    engine.act(obs)
    assert torch.equal(first, kept)


def test_state_round_trip() -> None:
    """A copy restored in mid-run, with a reset pending, plans the same rows and acts the same."""
    policy, engine, obs = make(5)
    for _ in range(4):
        engine.act(obs)
    engine.reset(dones(5, 0), 1)
    state = engine.state_dict()
    other_policy, other, _ = make(5)
    other_policy.rows = [list(rows) for rows in policy.rows]
    other.load_state_dict(state)
    assert torch.equal(engine.noise, other.noise)
    for _ in range(5):
        assert torch.equal(engine.act(obs), other.act(obs))
    assert other_policy.rows == policy.rows
    assert torch.equal(other.peek(), engine.peek())


def test_state_is_a_copy() -> None:
    _, engine, obs = make(5)
    engine.act(obs)
    engine.reset(dones(5, 3), 1)
    state = engine.state_dict()
    kept = {name: state[name].clone() for name in ("chunk", "age", "noise", "pending")}
    engine.act(obs)
    assert not torch.equal(engine.state_dict()["chunk"], kept["chunk"])
    assert all(torch.equal(state[name], tensor) for name, tensor in kept.items())


def test_state_of_another_size() -> None:
    _, engine, _ = make(5)
    with pytest.raises(ValueError, match=r"shape \(6, 4, 1\), expected \(5, 4, 1\)"):
        engine.load_state_dict(make(6)[1].state_dict())


def test_only_due_rows_are_encoded() -> None:
    """The policy sees the observations of the due rows in all groups."""
    seen = []

    class Spy(Recorder):
        def plan(self, obs: TensorDict, noise: Tensor | None = None) -> Tensor:
            seen.append((obs.batch_size[0], tuple(obs["images"].shape)))
            return super().plan(obs, noise)

    obs = TensorDict({"policy": torch.arange(6)[:, None].float(), "images": torch.zeros(6, 3, 8, 8)}, batch_size=[6])
    engine = ChunkEngine(Spy(), 6, "cpu", R)
    engine.act(obs)
    engine.act(obs)
    assert seen == [(6, (6, 3, 8, 8)), (2, (2, 3, 8, 8))]


def test_noise_is_drawn_from_the_global_random_state() -> None:
    policy, engine, obs = make(5)
    torch.manual_seed(4)
    engine.act(obs)
    engine.act(obs)
    torch.manual_seed(4)
    for noise, rows in zip(policy.noise, (5, 2), strict=True):
        assert torch.equal(noise, torch.randn(rows, 2))


def test_noise_may_be_chosen_for_the_environments_that_plan() -> None:
    """By their observations and numbers; environments that only fill up the batch keep the noise they have."""
    policy, engine, obs = make(5)
    calls: list[list[int]] = []

    def choose(planning: TensorDict, rows: Tensor) -> Tensor:
        assert torch.equal(planning["policy"][:, 0].long(), rows)
        calls.append(rows.tolist())
        return 10.0 * len(calls) + rows[:, None].float().expand(-1, 2)

    engine.choose_noise = choose
    ages = []
    for _ in range(3):
        engine.act(obs)
        ages.append(engine.steps_since_plan.tolist())
    assert calls == policy.rows == [[0, 1, 2, 3, 4], [1, 4], [2, 0]]
    assert torch.equal(policy.noise[1], torch.tensor([[21.0, 21.0], [24.0, 24.0]]))
    assert engine.noise[:, 0].tolist() == [10.0, 21.0, 32.0, 13.0, 24.0]
    assert ages == [[0, 0, 0, 0, 0], [1, 0, 1, 1, 0], [2, 1, 0, 2, 1]]


def test_no_gradient_reaches_the_policy() -> None:
    class Trainable(Recorder):
        weight = torch.ones(1, requires_grad=True)

        def plan(self, obs: TensorDict, noise: Tensor | None = None) -> Tensor:
            return super().plan(obs, noise) * self.weight

    engine = ChunkEngine(Trainable(), 5, "cpu", R)
    assert not engine.act(make(5)[2]).requires_grad


@pytest.mark.parametrize(
    ("num_envs", "replan_interval", "message"),
    [
        (0, R, "num_envs is 0"),
        (5, 0, "replan_interval is 0"),
        (5, 4, "replan_interval is 4 but the policy plans 4 actions; use replan_interval of at most 3"),
    ],
)
def test_bad_sizes(num_envs: int, replan_interval: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ChunkEngine(Recorder(), num_envs, "cpu", replan_interval)


def test_bad_resets() -> None:
    _, engine, _ = make(5)
    with pytest.raises(ValueError, match=r"dones has shape \(4,\), expected \(5,\)"):
        engine.reset(dones(4, 0), 1)
    with pytest.raises(ValueError, match="num_resets is 6"):
        engine.reset(dones(5), 6)


def test_plan_of_a_wrong_shape() -> None:
    class Wrong(Recorder):
        def plan(self, obs: TensorDict, noise: Tensor | None = None) -> Tensor:
            return super().plan(obs, noise)[:, 1:]

    with pytest.raises(ValueError, match=r"planned shape \(5, 3, 1\), expected \(5, 4, 1\)"):
        ChunkEngine(Wrong(), 5, "cpu", R).act(make(5)[2])
