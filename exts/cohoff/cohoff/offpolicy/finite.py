# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What becomes of values that are not finite, decided on the device."""

from __future__ import annotations

import torch
from torch import Tensor

from cohoff.offpolicy.distributed import average_


def finite_or_zero(value: Tensor) -> Tensor:
    """``value`` with 0 for NaN and infinities."""
    return torch.nan_to_num(value, nan=0.0, posinf=0.0, neginf=0.0)


def step_if_finite(optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    """One step down the gradient of ``loss``; no step, and 1 instead of 0, where loss or gradient is not finite.

    Parameters and moments then stay as they are. The decision is made on the device, by the same protocol as that of
    torch's gradient scaler, so that it can be captured. Where several processes train together, loss and gradient are
    their means, and so all of them decide the same.

    Args:
        optimizer: A fused optimizer, which can skip a step on the device, or SGD without momentum, for which gradients
            of zero are no step.
        loss: Scalar.

    Returns:
        1.0 where the step was skipped, else 0.0, a scalar.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    loss = average_(gradients, loss.detach())
    magnitude = torch.stack([*torch._foreach_norm(gradients), loss.abs()]).sum()
    skipped = (~magnitude.isfinite()).float()
    if optimizer.defaults["fused"]:
        optimizer.grad_scale, optimizer.found_inf = None, skipped  # pyright: ignore[reportAttributeAccessIssue]
    else:
        for gradient in gradients:
            gradient.copy_(torch.where(skipped > 0, 0.0, gradient))
    optimizer.step()
    return skipped
