# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""AdamW on float32 masters, with averaged weights, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.distributed
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cohoff.policies.pi05.finetuning.cfg import Pi05TrainingCfg
from cohoff.policies.pi05.finetuning.trained_weights import Leaf

_MOMENTS = ("exp_avg", "exp_avg_sq")


class MasterOptimizer:
    """Sums gradients in float32 and steps the masters; the network's copies follow."""

    def __init__(self, leaves: Sequence[Leaf], cfg: Pi05TrainingCfg) -> None:
        """Allocate gradients, moments and average."""
        self.cfg = cfg
        self.masters: list[Tensor] = [leaf.master for leaf in leaves]
        self._copied = [leaf for leaf in leaves if leaf.weight is not leaf.master]
        for leaf in leaves:
            leaf.master.grad = torch.zeros_like(leaf.master)
        for leaf in self._copied:
            leaf.weight.register_post_accumulate_grad_hook(_move_gradient(leaf.master))
        self._adamw = torch.optim.AdamW(
            self.masters, lr=cfg.learning_rate, betas=(0.9, 0.95), eps=1e-8, weight_decay=cfg.weight_decay, fused=True
        )
        for master in self.masters:
            moments = {name: torch.zeros_like(master) for name in _MOMENTS}
            self._adamw.state[master] = {"step": torch.zeros((), device=master.device), **moments}
        self._average = [master.detach().clone() for master in self.masters] if cfg.ema_decay else None

    @property
    def result(self) -> list[Tensor]:
        """Averaged weights, or the masters if none are kept."""
        return self.masters if self._average is None else self._average

    @torch.no_grad()
    def step(self, step: int) -> None:
        """Take optimizer step number ``step``, counted from 0, with the gradients of all processes, and clear them."""
        gradients = [master.grad for master in self.masters if master.grad is not None]
        if torch.distributed.is_initialized():
            works = [torch.distributed.all_reduce(gradient, async_op=True) for gradient in gradients]
            for work in works:
                assert work is not None
                work.wait()
        torch.nn.utils.clip_grad_norm_(self.masters, self.cfg.max_grad_norm)
        self._adamw.param_groups[0]["lr"] = self.cfg.learning_rate_at(step)
        self._adamw.step()
        torch._foreach_zero_(gradients)
        if self._copied:
            torch._foreach_copy_([leaf.weight for leaf in self._copied], [leaf.master for leaf in self._copied])
        if self._average is not None:
            decay = min(self.cfg.ema_decay, (step + 1) / (step + 11.0))
            get_ema_multi_avg_fn(decay)(self._average, self.masters, step)

    def state(self) -> dict[str, Tensor]:
        """Return all that the next step depends on, by name; views."""
        named = {"master": self.masters, **({"average": self._average} if self._average is not None else {})}
        for moment in ("step", *_MOMENTS):
            named[moment] = [self._adamw.state[master][moment] for master in self.masters]
        return {f"{name}.{i}": tensor for name, tensors in named.items() for i, tensor in enumerate(tensors)}

    @torch.no_grad()
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Copy a result of :meth:`state` with the same names and shapes."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
        for leaf in self._copied:
            leaf.weight.copy_(leaf.master)


def _move_gradient(master: Tensor) -> Callable[[Tensor], None]:
    """Return a hook that adds a weight's gradient to its master's and frees it."""

    def hook(weight: Tensor) -> None:
        assert master.grad is not None and weight.grad is not None
        master.grad.add_(weight.grad)
        weight.grad = None

    return hook
