# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Replay buffer on the device: a ring for the environments' experience, a fixed set for the demonstrations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

Fields = dict[str, Tensor]
"""Tensors by name that share their first dimension, the rows."""

FLAGS = ("success", "done", "valid")
"""Boolean fields of a transition."""


class ReplayBuffer:
    """Transitions of ``stride`` environments side by side; the next step of row i is row i + ``stride``.

    A state is stored once. The state that a transition leads to is the next row's, and only the last state of an
    episode, which no transition starts from, is stored apart. ``successor`` [rows] holds the row of each transition's
    next state in :attr:`states`.

    Everything is allocated once, from an example of a state, and written in place. The write position and the number
    of steps are tensors, so that neither writing nor sampling reads from the device or changes shape.

    Args:
        num_steps: Steps that the buffer holds for each environment.
        stride: Number of environments; 1 for a set of contiguous episodes.
        state: Example of the states of one step: any fields, with at least one row.
        action_dim: Size of an action.
        num_ends: Last states of episodes that are kept. When more episodes have ended, the transitions that led to the
            oldest of them become invalid. None is one for every 16 transitions.
    """

    def __init__(
        self, num_steps: int, stride: int, state: Mapping[str, Tensor], action_dim: int, num_ends: int | None = None
    ):
        device = next(iter(state.values())).device
        self.num_steps, self.stride, self.device = num_steps, stride, device
        # One step more than transitions: the state that the newest transition led to.
        self.num_slots = num_steps + 1
        rows = self.num_slots * stride
        self.num_ends = max(stride, rows // 16) if num_ends is None else num_ends
        self.first_end = rows
        # The last row of each of the following is scratch: rows without anything to write are written there.
        self.states: Fields = {
            name: value.new_zeros(rows + self.num_ends + 1, *value.shape[1:]) for name, value in state.items()
        }
        self.transitions: Fields = {
            "action": torch.zeros(rows + 1, action_dim, device=device),
            "reward": torch.zeros(rows + 1, device=device),
            **{name: torch.zeros(rows + 1, dtype=torch.bool, device=device) for name in FLAGS},
        }
        self.successor = torch.zeros(rows + 1, dtype=torch.long, device=device)
        self.end_owner = torch.full((self.num_ends + 1,), rows, dtype=torch.long, device=device)
        self.head = torch.zeros((), dtype=torch.long, device=device)
        self.filled = torch.zeros((), dtype=torch.long, device=device)
        self.end_head = torch.zeros((), dtype=torch.long, device=device)
        self.num_lost = torch.zeros((), dtype=torch.long, device=device)
        """Transitions that became invalid because the last state of their episode was overwritten."""
        self._environments = torch.arange(stride, device=device)
        self._stride = torch.tensor(stride, device=device)

    def __len__(self) -> int:
        """Number of transitions; waits for the device."""
        return int(self.filled) * self.stride

    @property
    def num_bytes(self) -> int:
        """Memory of all tensors [byte]."""
        fields = (*self.states.values(), *self.transitions.values(), self.successor, self.end_owner)
        return sum(value.nbytes for value in fields)

    def extend(self, state: Fields, next_state: Fields, **transition: Tensor) -> None:
        """Append one step of all environments.

        Args:
            state: States before the step, [stride].
            next_state: States that the step led to, before any reset, [stride].
            transition: ``action`` [stride, A], ``reward``, ``success``, ``done``, ``valid`` [stride].
        """
        rows = self.head * self.stride + self._environments
        following = (self.head + 1) % self.num_slots * self.stride + self._environments
        _write(self.states, rows, state)
        _write(self.states, following, next_state)
        _write(self.transitions, rows, transition)
        self.successor.index_copy_(0, rows, following)
        self._store_ends(rows, next_state, transition["done"])
        self.head.copy_((self.head + 1) % self.num_slots)
        self.filled.copy_((self.filled + 1).clamp_max(self.num_steps))

    def _store_ends(self, rows: Tensor, next_state: Fields, done: Tensor) -> None:
        """Keep the states that ``rows`` led to where an episode ended; one of the same place in the ring goes."""
        count = done.long().cumsum(0)
        place = torch.where(done, (self.end_head + count - 1) % self.num_ends, self.num_ends)
        end = self.first_end + place
        owner = self.end_owner[place]
        lost = done & (self.successor[owner] == end)
        self.num_lost += lost.sum()
        valid = self.transitions["valid"]
        valid.index_copy_(0, owner, valid[owner] & ~lost)
        self.end_owner.index_copy_(0, place, torch.where(done, rows, self.first_end))
        self.successor.index_copy_(0, rows, torch.where(done, end, self.successor[rows]))
        _write(self.states, end, next_state)
        self.end_head.copy_((self.end_head + count[-1]) % self.num_ends)

    def fill(self, states: Fields, last_states: Fields, **transitions: Tensor) -> None:
        """Write contiguous episodes at once into a buffer of stride 1 with a place for each of their ends.

        Args:
            states: States before each of the M transitions, [M = num_steps].
            last_states: State after each episode, [E = num_ends].
            transitions: As in :meth:`extend`, [M, ...]; ``done`` at the last transition of each episode.
        """
        rows = torch.arange(self.num_steps, device=self.device)
        ends = torch.arange(self.num_ends, device=self.device)
        _write(self.states, rows, states)
        _write(self.states, self.first_end + ends, last_states)
        _write(self.transitions, rows, transitions)
        self.successor[: self.num_steps] = rows + 1
        self.successor[: self.num_steps][transitions["done"]] = self.first_end + ends
        self.filled.fill_(self.num_steps)
        self.head.fill_(self.num_steps)

    def close_episodes(self) -> None:
        """End the episodes that the newest transitions belong to, as a time-out would: none of them goes on."""
        newest = (self.head - 1) % self.num_slots * self.stride + self._environments
        running = ~self.transitions["done"][newest] & (self.filled > 0)
        self.transitions["done"].index_copy_(0, newest, self.transitions["done"][newest] | running)
        self._store_ends(newest, self.state(self.successor[newest]), running)

    def state(self, rows: Tensor) -> Fields:
        """States ``rows`` [B]."""
        return {name: value.index_select(0, rows) for name, value in self.states.items()}

    def sample(self, batch_size: int, horizon: int) -> tuple[Tensor, Tensor]:
        """Draw windows of up to ``horizon`` consecutive transitions, uniformly over their starts.

        Returns:
            Rows [B, horizon] (clamped where a window has ended) and their mask [B, horizon]: true up to and with the
            episode's end, the newest row, or the row before an invalid one. A window whose first row is invalid has an
            empty mask and must get no weight.
        """
        return self.windows(*self.draw_starts(batch_size), horizon)

    def draw_starts(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """Age, counted from the oldest step, and environment of transitions drawn uniformly, [B, 1] each."""
        return draw(self.filled, batch_size), draw(self._stride, batch_size)

    def rows(self, age: Tensor, environment: Tensor) -> Tensor:
        """Rows of transitions by their age [B, n], below the number of steps, and environment [B, 1]."""
        return (self.head - self.filled + age) % self.num_slots * self.stride + environment

    def windows(self, start: Tensor, environment: Tensor, horizon: int) -> tuple[Tensor, Tensor]:
        """As :meth:`sample`, windows that start at the age ``start`` in ``environment``, [B, 1] each."""
        # Ages count from the oldest step: windows cross the ring's seam, never its write position.
        age = start + torch.arange(horizon, device=self.device)
        inside = age < self.filled
        rows = self.rows(age.clamp_max(self.filled - 1), environment)
        inside &= self.transitions["valid"][rows]
        # A window goes on behind a transition that is inside it and does not end its episode.
        inside[:, 1:] &= ~self.transitions["done"][rows[:, :-1]]
        return rows, inside.cumprod(1).bool()

    def state_dict(self) -> dict[str, Tensor]:
        """What has been written, by flat names, for a file beside the checkpoint; waits for the device."""
        rows = min(int(self.filled) + 1, self.num_slots) * self.stride
        state = {f"states/{name}": value[:rows] for name, value in self.states.items()}
        state |= {f"ends/{name}": value[self.first_end :] for name, value in self.states.items()}
        state |= {f"transitions/{name}": value[:rows] for name, value in self.transitions.items()}
        state |= {"successor": self.successor[:rows], "end_owner": self.end_owner}
        state |= {name: getattr(self, name) for name in ("head", "filled", "end_head", "num_lost")}
        return state | {"shape": torch.tensor([self.num_steps, self.stride, self.num_ends])}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what :meth:`state_dict` returned.

        Raises:
            ValueError: The saved buffer has another number of steps, environments or ends.
            KeyError: A field is missing.
            RuntimeError: A field has another shape, or points outside of the buffer.
        """
        num_steps, stride, num_ends = state["shape"].tolist()
        if (num_steps, stride, num_ends) != (self.num_steps, self.stride, self.num_ends):
            raise ValueError(
                f"the saved replay buffer holds {num_steps} steps of {stride} environments, "
                f"this run's {self.num_steps} steps of {self.stride}"
            )
        largest = {
            "head": self.num_slots - 1, "filled": self.num_steps, "end_head": self.num_ends - 1,
            "successor": self.first_end + self.num_ends, "end_owner": self.first_end,
        }  # fmt: skip
        for name, limit in largest.items():
            if not ((state[name] >= 0) & (state[name] <= limit)).all():
                raise RuntimeError(f"{name} points outside of the replay buffer")
        self.filled.copy_(state["filled"])
        for name, value in self.state_dict().items():
            value.copy_(state[name])


def draw(bound: Tensor, count: int) -> Tensor:
    """Integers from 0 to ``bound`` (a scalar tensor) - 1, uniform, shape [count, 1]. The bound stays on the device."""
    uniform = torch.rand(count, 1, dtype=torch.double, device=bound.device)
    return (uniform * bound).long()


def _write(target: Fields, rows: Tensor, value: Mapping[str, Tensor]) -> None:
    """Copy ``value`` into ``rows`` of ``target``, in place. Rows that are named twice must be scratch."""
    for name, tensor in target.items():
        tensor.index_copy_(0, rows, value[name])
