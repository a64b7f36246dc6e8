# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Transitions on the device: a ring for the environments' experience, a fixed set for the demonstrations."""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch import Tensor


class TransitionStore:
    """Rows of transitions in which the successor of row i is row i + ``stride``.

    With ``stride`` environments side by side this is a ring of time steps; with stride 1 it is a set of contiguous
    episodes. Buffers are allocated once; :meth:`extend` writes whole blocks of ``stride`` rows in place, the oldest
    are overwritten. Fields: obs [D], action [A] (executed), base_action [A], next_obs [D] (the true final observation
    where an episode ended), next_base_action [A], reward [] (see the learner), success, done, valid [] bool.
    """

    FLAGS = ("success", "done", "valid")

    def __init__(self, num_steps: int, stride: int, obs_dim: int, action_dim: int, device: str | torch.device):
        self.num_steps, self.stride = num_steps, stride
        rows = num_steps * stride
        fields = {"obs": obs_dim, "next_obs": obs_dim}
        fields |= dict.fromkeys(("action", "base_action", "next_base_action"), action_dim)
        buffers = {name: torch.zeros(rows, dim, device=device) for name, dim in fields.items()}
        buffers["reward"] = torch.zeros(rows, device=device)
        buffers |= {name: torch.zeros(rows, dtype=torch.bool, device=device) for name in self.FLAGS}
        self._buffers: dict[str, Tensor] = buffers
        self.rows = TensorDict(dict(buffers), batch_size=[rows], device=device)
        self.head = 0
        self.filled = 0
        self._window: dict[int, Tensor] = {}

    def __len__(self) -> int:
        """Number of rows written."""
        return self.filled * self.stride

    def extend(self, **fields: Tensor) -> None:
        """Append one time step: every field [stride, ...]."""
        start = self.head * self.stride
        for name, value in fields.items():
            self._buffers[name][start : start + self.stride].copy_(value)
        self.head = (self.head + 1) % self.num_steps
        self.filled = min(self.filled + 1, self.num_steps)

    def fill(self, **fields: Tensor) -> None:
        """Write all rows at once: every field [num_steps·stride, ...]."""
        for name, value in fields.items():
            self._buffers[name].copy_(value)
        self.head, self.filled = 0, self.num_steps

    def sample(self, batch_size: int, horizon: int) -> tuple[Tensor, Tensor]:
        """Draw windows of up to ``horizon`` consecutive rows, uniformly over starts.

        Returns:
            Row indices [B, horizon] (clamped where a window has ended) and their mask [B, horizon]: true up to and
            with the episode's end, the newest row, or the row before an invalid one. A window whose first row is
            invalid has an empty mask and must get no weight.
        """
        device = self.rows.device
        if horizon not in self._window:
            self._window[horizon] = torch.arange(horizon, device=device)
        # Age counts from the oldest row: windows may cross the ring's seam, never its write position.
        age = torch.randint(self.filled, (batch_size, 1), device=device) + self._window[horizon]
        inside = age < self.filled
        oldest = self.head if self.filled == self.num_steps else 0
        step = (age.clamp_max(self.filled - 1) + oldest) % self.num_steps
        index = step * self.stride + torch.randint(self.stride, (batch_size, 1), device=device)
        done, valid = self.rows["done"][index], self.rows["valid"][index]
        goes_on = torch.ones_like(inside)
        goes_on[:, 1:] = (~done[:, :-1]).cumprod(1).bool()
        return index, inside & goes_on & valid.cumprod(1).bool()

    def state_dict(self) -> dict[str, Tensor]:
        """The written rows and the write position, for a side file of the checkpoint."""
        state = {name: value[: len(self)] for name, value in self._buffers.items()}
        state["position"] = torch.tensor([self.head, self.filled, self.stride, self.num_steps])
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what :meth:`state_dict` saved.

        Raises:
            ValueError: If the saved rows come from another number of environments or do not fit.
        """
        head, filled, stride, num_steps = state["position"].tolist()
        if (stride, num_steps) != (self.stride, self.num_steps):
            raise ValueError(
                f"the saved replay is a ring of {num_steps} steps of {stride} environments, "
                f"this run's of {self.num_steps} steps of {self.stride}"
            )
        for name, value in self._buffers.items():
            value[: filled * stride].copy_(state[name])
        self.head, self.filled = head, filled
