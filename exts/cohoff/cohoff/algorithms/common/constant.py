# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Networks that a loss passes through without training them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def constant(module: nn.Module) -> Iterator[None]:
    """Treat the module's parameters as constants: their gradients would be a third of the actor's backward pass."""
    module.requires_grad_(False)
    yield
    module.requires_grad_(True)
