# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""CUDA graphs of functions that are called over and over on the same tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import Protocol

import torch

from cohoff.errors import InputError

WARM_UP = 3
"""Calls before the capture, in which libraries, optimizers and metrics allocate what they keep."""


class Recorder(Protocol):
    """Records the work of a function on a device, to repeat it without the function."""

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run ``function`` in the conditions in which it will be recorded."""
        ...

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return a function that repeats the work of ``function``, which itself has no effect on tensors here."""
        ...


class CudaRecorder:
    """Records CUDA graphs. They share their memory, so only tensors made outside of them last between replays."""

    def __init__(self, device: torch.device):
        self.device = device
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run ``function`` on the stream of the capture."""
        current = torch.cuda.current_stream(self.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream), warnings.catch_warnings():
            # Capturable optimizers warn when they run without a capture, as they do here on purpose.
            warnings.filterwarnings("ignore", message="This instance was constructed with capturable=True")
            function()
        current.wait_stream(self._stream)

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Capture ``function``; random numbers come from the default generator, which each replay moves on."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            function()
        return graph.replay


class CapturedCalls:
    """Calls a function of a few choices of arguments; each choice is recorded once and repeated from then on.

    The function may depend on its arguments, and on tensors that are changed in place. It must not read tensors on the
    host, and what it leaves behind must be in tensors that existed after its first calls. Arguments are what the host
    decides between calls, for example whether the actor is updated as well.

    Args:
        function: What is called.
        recorder: Records it.
    """

    def __init__(self, function: Callable[..., None], recorder: Recorder):
        self._function, self._recorder = function, recorder
        self._calls: dict[Hashable, int] = {}
        self._replays: dict[Hashable, Callable[[], None]] = {}

    def __call__(self, *choice: Hashable) -> None:
        """Do what ``function(*choice)`` does.

        Raises:
            RuntimeError: The function cannot be captured.
        """
        calls = self._calls[choice] = self._calls.get(choice, 0) + 1
        if calls <= WARM_UP:
            self._recorder.warm_up(lambda: self._function(*choice))
            return
        if choice not in self._replays:
            try:
                self._replays[choice] = self._recorder.record(lambda: self._function(*choice))
            except RuntimeError as error:
                raise RuntimeError(
                    "the update cannot be captured in a CUDA graph; it may not read tensors on the host, and its "
                    "optimizers must be capturable (agent.algorithm.capture=false runs it without)"
                ) from error
        self._replays[choice]()


def use_capture(wanted: bool | None, device: torch.device) -> bool:
    """Whether updates on ``device`` are captured: as ``wanted``, or for None on CUDA alone.

    Raises:
        InputError: It is wanted elsewhere than on CUDA.
    """
    is_cuda = device.type == "cuda"
    if wanted and not is_cuda:
        raise InputError(f"agent.algorithm.capture=true needs a CUDA device, and the learner is on {device}")
    return is_cuda if wanted is None else wanted
