# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Rejection of bad values without making the host wait for the device."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.errors import InputError


class InputGuard:
    """Turns flags on the device into :class:`~cohoff.errors.InputError` on the host.

    On the CPU a flag is read at once. On a GPU it is copied to the host asynchronously and read at the next call.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_host = device.type == "cpu"
        self._in_flight: dict[str, tuple[Tensor, torch.cuda.Event]] = {}

    def reject(self, bad: Tensor, message: str) -> None:
        """Reject the input if ``bad``, a bool scalar on the device, is true.

        Raises:
            InputError: ``bad`` is true, or on a GPU was true at the last call with this message.
        """
        if self._on_host:
            if bad:
                raise InputError(message)
            return
        if message in self._in_flight:
            flag, arrived = self._in_flight.pop(message)
            arrived.synchronize()
            if flag:
                raise InputError(message)
        flag = torch.empty((), dtype=torch.bool, pin_memory=True).copy_(bad, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record(torch.cuda.current_stream(bad.device))
        self._in_flight[message] = (flag, arrived)
