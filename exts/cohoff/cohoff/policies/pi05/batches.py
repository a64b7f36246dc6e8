# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The network in batches of a few fixed sizes, captured as CUDA graphs on a GPU, and optionally compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cohoff.errors import InputError
from cohoff.policies.pi05.network import Pi05
from cohoff.policies.pi05.spec import Pi05Shapes

MODES = ("eager", "graph", "compile")
"""Ways of running the network."""

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class _Captured:
    """A captured call; every replay overwrites its tensors."""

    graph: torch.cuda.CUDAGraph
    inputs: Inputs
    output: Tensor


class MicroBatches:
    """Splits any number of environments into batches of at most a fixed size.

    A larger batch gains nothing once the device is busy, and its memory grows. In the modes ``graph`` and ``compile``
    the last batch is filled up to a power of two, and each size is captured or compiled at first use; the eager network
    takes it as it is.
    """

    def __init__(self, model: Pi05, cameras: int, tokens: int, size: int = 32, mode: str | None = None) -> None:
        """Allocate the keys and values of one batch.

        Args:
            model: Network.
            cameras: Images per environment.
            tokens: Length of the padded prompts.
            size: Largest batch.
            mode: One of :data:`MODES`; ``compile`` also captures on CUDA. None is ``graph`` on CUDA, else ``eager``.

        Raises:
            InputError: Bad size or mode, graphs without CUDA, or too little memory.
        """
        mode = mode or ("graph" if model.device.type == "cuda" else "eager")
        if mode not in MODES:
            raise InputError(f"mode is {mode!r}; use one of {', '.join(MODES)}")
        if mode == "graph" and model.device.type != "cuda":
            raise InputError(
                f"mode 'graph' needs a CUDA device, the planner is on {model.device}; use 'eager' or 'compile'"
            )
        if size < 1:
            raise InputError(f"micro_batch is {size}; it must be at least 1")
        self.model = model
        self.size = size
        self.mode = mode
        self._captures = mode != "eager" and model.device.type == "cuda"
        self._sizes = [*(2**power for power in range((size - 1).bit_length())), size]
        self._cache = model.new_cache(Pi05Shapes(size, cameras, tokens))
        self._run: Callable[..., Tensor] = (model.compiled() if mode == "compile" else model).integrate
        self._captured: dict[int, _Captured] = {}
        self._pool = torch.cuda.graph_pool_handle() if self._captures else None

    @torch.no_grad()
    def __call__(
        self, images: Tensor, image_masks: Tensor, tokens: Tensor, token_mask: Tensor, noise: Tensor
    ) -> Tensor:
        """As :meth:`Pi05.sample_actions`, for any batch size."""
        inputs = (images, image_masks, tokens, token_mask, noise)
        self.model.check_inputs(*inputs)
        parts = zip(*(tensor.split(self.size) for tensor in inputs), strict=True)
        return torch.cat([self._run_part(part) for part in parts])

    def _run_part(self, inputs: Inputs) -> Tensor:
        count = len(inputs[0])
        if self.mode == "eager":
            return self._run(*inputs, self._cache.first(count))
        size = next(size for size in self._sizes if size >= count)
        if not self._captures:
            return self._run(*(_fill(tensor, size) for tensor in inputs), self._cache.first(size))[:count]
        if size not in self._captured:
            self._captured[size] = self._capture(tuple(_fill(tensor, size) for tensor in inputs))
        captured = self._captured[size]
        for static, tensor in zip(captured.inputs, inputs, strict=True):
            static[:count].copy_(tensor)
        captured.graph.replay()
        return captured.output[:count].clone()

    @torch.inference_mode(False)
    @torch.no_grad()
    def _capture(self, example: Inputs) -> _Captured:
        """Capture a call on inputs like ``example``."""
        inputs = tuple(tensor.clone() for tensor in example)
        cache = self._cache.first(len(inputs[0]))
        device = self.model.device
        # Libraries allocate their workspaces in the first calls, which must not be captured.
        stream = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(2):
                self._run(*inputs, cache)
        torch.cuda.current_stream(device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device), torch.cuda.graph(graph, pool=self._pool):
            output = self._run(*inputs, cache)
        return _Captured(graph, inputs, output)


def _fill(tensor: Tensor, size: int) -> Tensor:
    """``tensor`` with its last row repeated up to ``size`` rows."""
    missing = size - len(tensor)
    return torch.cat([tensor, tensor[-1:].expand(missing, *tensor.shape[1:])]) if missing else tensor
