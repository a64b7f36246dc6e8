# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Queues of planned actions, one per environment, refilled for a few environments at each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tensordict import TensorDict

from cohoff.errors import InputError
from cohoff.policies.base import ChunkPolicy

ChooseNoise = Callable[[TensorDict, torch.Tensor], torch.Tensor]
"""Noise of plans [B, noise_dim] from the observations [B] and the numbers [B] of the environments that plan."""


class ChunkEngine:
    """Turns a policy that plans chunks into one that acts at every control step.

    Environment ``i`` plans anew at the control steps ``t`` with ``t % replan_interval == i % replan_interval``, which
    spreads the cost evenly, and at the first step after its reset. Plans are made in batches of a few fixed sizes,
    planning from integers that the host knows: no shape depends on data, and no call waits for the device if the caller
    knows the number of resets. So :meth:`replan` can be compiled or captured once for each size.

    Example:
        .. code-block:: python

            action = engine.act(obs)
            obs, _, dones, extras = env.step(action)
            next_base_action = engine.peek()  # at the true final observation where an episode finished
            engine.reset(dones, extras["num_resets"])
    """

    def __init__(
        self, policy: ChunkPolicy, num_envs: int, device: torch.device | str, replan_interval: int = 10
    ) -> None:
        """Allocate the queues; every environment plans at the first step.

        Args:
            policy: Planner whose chunks are executed.
            num_envs: Number of environments N.
            device: Device of the observations, queues and actions.
            replan_interval: Control steps between two plans of one environment, R.

        Raises:
            InputError: ``num_envs`` or ``replan_interval`` is not positive, or the policy's horizon is below
                ``replan_interval + 1`` (one action more than is executed, which :meth:`peek` needs).
        """
        if num_envs < 1:
            raise InputError(f"num_envs is {num_envs}; the chunk engine needs at least 1 environment")
        if replan_interval < 1:
            raise InputError(f"replan_interval is {replan_interval}; it must be at least 1 control step")
        if policy.horizon < replan_interval + 1:
            raise InputError(
                f"replan_interval is {replan_interval} but the policy plans {policy.horizon} actions; "
                f"use replan_interval of at most {policy.horizon - 1}"
            )
        self.policy = policy
        self.num_envs = num_envs
        self.device = torch.device(device)
        self.replan_interval = replan_interval
        self.batch_sizes = plan_batch_sizes(num_envs, replan_interval)
        """Sizes of the batches in which plans are made, ascending."""
        self._chunk = torch.zeros(num_envs, policy.horizon, policy.action_dim, device=self.device)
        self._age = torch.zeros(num_envs, dtype=torch.long, device=self.device)
        self.choose_noise: ChooseNoise | None = None
        """What plans start from; None draws standard normal noise. Who acts sets it: an engine may be shared."""
        self.noise = torch.zeros(num_envs, policy.noise_dim, device=self.device)
        """What each environment's present chunk was planned from, [N, noise_dim]; written in place."""
        self._pending = torch.ones(num_envs, dtype=torch.bool, device=self.device)
        self._num_pending = num_envs
        self._clock = 0
        self._rows = torch.arange(num_envs, device=self.device)
        slots = range(min(replan_interval, num_envs))
        self._slot_masks = [self._rows % replan_interval == slot for slot in slots]
        self._slot_sizes = [len(range(slot, num_envs, replan_interval)) for slot in slots]

    @property
    def steps_since_plan(self) -> torch.Tensor:
        """Age of each environment's chunk at its last action, shape [N]: 0 where that is the first of a chunk."""
        return self._age - 1

    @property
    def plans(self) -> torch.Tensor:
        """What each environment's chunk is executed of until the next plan, shape [N, R, A]."""
        return self._chunk[:, : self.replan_interval]

    @torch.no_grad()
    def act(self, obs: TensorDict) -> torch.Tensor:
        """Plan for the environments that are due, then return every environment's next action, shape [N, A]."""
        slot = self._clock % self.replan_interval
        count = self._num_pending
        if slot < len(self._slot_sizes):
            # A reset that falls on its own slot is counted twice, so the count is an upper bound.
            count += self._slot_sizes[slot]
            self._pending |= self._slot_masks[slot]
        if count > 0:
            size = next(size for size in self.batch_sizes if size >= min(count, self.num_envs))
            self.replan(obs, size)
            self._num_pending = 0
        action = self._chunk[self._rows, self._age]
        self._age += 1
        self._clock += 1
        return action

    def replan(self, obs: TensorDict, size: int) -> None:
        """Plan for the environments that are due, in a batch of ``size`` rows that has room for all of them.

        The batch is filled up with environments that are not due; they keep the chunk they have.
        """
        rows = torch.argsort(self._pending.view(torch.uint8), descending=True, stable=True)[:size]
        due = self._pending[rows]
        planning = obs[rows]
        if self.choose_noise is None:
            noise = torch.randn(len(rows), self.policy.noise_dim, device=self.device)
        else:
            noise = self.choose_noise(planning, rows)
        chunk = torch.where(due[:, None, None], self._plan(planning, noise), self._chunk[rows])
        self._chunk.index_copy_(0, rows, chunk)
        self.noise.index_copy_(0, rows, torch.where(due[:, None], noise, self.noise[rows]))
        self._age.index_copy_(0, rows, self._age[rows].masked_fill(due, 0))
        self._pending.index_fill_(0, rows, False)

    def peek(self) -> torch.Tensor:
        """Return the next actions of the current chunks, shape [N, A], without advancing them.

        Between :meth:`act` and :meth:`reset` this is the base action at the observation after the step, as if no
        environment were due to plan. For a finished episode it belongs to the final observation.
        """
        return self._chunk[self._rows, self._age]

    def reset(self, dones: torch.Tensor, num_resets: int | None = None) -> None:
        """Mark finished environments: they plan at the next step, and the rest of their chunk is discarded.

        Args:
            dones: Finished environments, bool or integer, shape [N].
            num_resets: Number of environments marked in ``dones``, or an upper bound. None counts them, which waits
                for the device.

        Raises:
            ValueError: ``dones`` has another shape, or ``num_resets`` is outside [0, N].
        """
        if dones.shape != (self.num_envs,):
            raise ValueError(f"dones has shape {tuple(dones.shape)}, expected ({self.num_envs},)")
        if num_resets is None:
            num_resets = int(dones.count_nonzero())
        if not 0 <= num_resets <= self.num_envs:
            raise ValueError(f"num_resets is {num_resets}, expected 0 to {self.num_envs}")
        if num_resets == 0:
            return
        self._pending |= dones.bool()
        self._num_pending = min(self._num_pending + num_resets, self.num_envs)

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the queues and the schedule: tensors and integers."""
        return {
            "chunk": self._chunk.clone(),
            "age": self._age.clone(),
            "noise": self.noise.clone(),
            "pending": self._pending.clone(),
            "num_pending": self._num_pending,
            "clock": self._clock,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned.

        Raises:
            ValueError: The queues were saved for another number of environments, horizon or action size.
        """
        if state["chunk"].shape != self._chunk.shape:
            raise ValueError(
                f"saved action queues have shape {tuple(state['chunk'].shape)}, expected {tuple(self._chunk.shape)}"
            )
        self._chunk.copy_(state["chunk"])
        self._age.copy_(state["age"])
        self.noise.copy_(state["noise"])
        self._pending.copy_(state["pending"])
        self._num_pending = state["num_pending"]
        self._clock = state["clock"]

    def _plan(self, obs: TensorDict, noise: torch.Tensor) -> torch.Tensor:
        """Return plans for B observations from noise [B, noise_dim], shape [B, H, A]."""
        chunk = self.policy.plan(obs, noise)
        expected = (len(noise), *self._chunk.shape[1:])
        if chunk.shape != expected:
            raise ValueError(f"the policy planned shape {tuple(chunk.shape)}, expected {expected}")
        return chunk.to(self._chunk)  # the policy may live on another device


def plan_batch_sizes(num_envs: int, replan_interval: int) -> tuple[int, ...]:
    """Return the sizes of plan batches, ascending: the environments due at one step, twice that, ..., all of them."""
    due = -(-num_envs // replan_interval)
    # Matrix products are slow at odd numbers of rows, and a spare row leaves room for a reset.
    sizes = [min(due + due % 2 if due > 1 else due, num_envs)]
    while sizes[-1] < num_envs:
        sizes.append(min(2 * sizes[-1], num_envs))
    return tuple(sizes)
