# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Check that the network fits into memory, before anything is allocated."""

from __future__ import annotations

import torch

from cohoff.errors import InputError
from cohoff.memory import free_memory
from cohoff.policies.pi05.spec import Pi05Shapes, Pi05Spec, activations, parameters

_GIB = 2**30


def check_memory(
    spec: Pi05Spec, shapes: Pi05Shapes, dtype: torch.dtype, device: torch.device, loaded: bool = False
) -> None:
    """Check that calls of these shapes fit, and the weights too unless they are ``loaded``.

    Raises:
        InputError: The free memory is too small.
    """
    numbers = shapes.batch * activations(spec, shapes) + (0 if loaded else parameters(spec))
    needed, free = numbers * dtype.itemsize, free_memory(device)
    if needed > free:
        raise InputError(
            f"pi-0.5 needs about {needed / _GIB:.1f} GiB more on {device} for {shapes.batch} x {shapes.cameras} images "
            f"and {shapes.tokens} tokens in {dtype}, and {free / _GIB:.1f} GiB are free; use bfloat16, a smaller "
            "micro-batch or another device"
        )
