# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Refusing bad values without making the host wait for the device."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.errors import InputError


class InputGuard:
    """Turns flags on the device into :class:`~cohoff.errors.InputError` on the host.

    On the CPU at once. On a GPU a flag travels back beside the computation and is read at the next call, when it has long arrived.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_host = device.type == "cpu"
        self._under_way: dict[str, tuple[Tensor, torch.cuda.Event]] = {}

    def refuse(self, bad: Tensor, message: str) -> None:
        """Note whether ``bad``, a bool scalar on the device, holds.

        Raises:
            InputError: It holds now, or did at the last call with this message.
        """
        if self._on_host:
            if bad:
                raise InputError(message)
            return
        if message in self._under_way:
            flag, arrived = self._under_way.pop(message)
            arrived.synchronize()
            if flag:
                raise InputError(message)
        flag = torch.empty((), dtype=torch.bool, pin_memory=True).copy_(bad, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record(torch.cuda.current_stream(bad.device))
        self._under_way[message] = (flag, arrived)
