# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training of one policy in several processes, each with environments and a replay buffer of its own.

All processes (ranks) start with the same networks and make the same optimizer steps: gradients are averaged between the
backward pass and the step. Everything that decides when something happens is decided on numbers of all ranks, so that
all make the same collective calls in the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from cohoff.errors import InputError
from cohoff.networks.blocks import RunningStatistics
from cohoff.offpolicy.random_state import random_state, restore_random_state

LONGEST_TEXT = 1024
"""Bytes of a message that ranks exchange; the rest is cut off."""

INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Integer types by their size in bytes."""


class AgreedError(InputError):
    """An error that is raised on all ranks."""


class Ranks:
    """The processes that train together. One alone, ``Ranks()``, communicates with nobody.

    Args:
        rank: Number of this process.
        size: Number of processes N.
        device: Where tensors have to be for the process group.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | str = "cpu"):
        self.rank, self.size, self.device = rank, size, torch.device(device)

    @classmethod
    def of(cls, multi_gpu: Mapping[str, int] | None, device: torch.device | str) -> Ranks:
        """The ranks that rsl_rl's runner describes in its configuration; it has initialized torch's process group."""
        if multi_gpu is None:
            return cls()
        return cls(multi_gpu["global_rank"], multi_gpu["world_size"], device)

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which writes what there is one of."""
        return self.rank == 0

    def sum_(self, value: Tensor) -> Tensor:
        """Sum of ``value`` over the ranks, in place."""
        if self.size > 1:
            with _reaching_all():
                dist.all_reduce(value)
        return value

    def gather(self, value: Tensor) -> Tensor:
        """``value`` of all ranks, [N, ...]. It has the same shape on all."""
        if self.size == 1:
            return value[None]
        values = [torch.empty_like(value) for _ in range(self.size)]
        with _reaching_all():
            dist.all_gather(values, value.contiguous())
        return torch.stack(values)

    def gather_texts(self, text: str) -> list[str]:
        """``text`` of each rank, at most :data:`LONGEST_TEXT` bytes of it."""
        encoded = text.encode()[:LONGEST_TEXT].ljust(LONGEST_TEXT, b"\0")
        rows = self.gather(torch.frombuffer(bytearray(encoded), dtype=torch.uint8).to(self.device))
        return [bytes(row.tolist()).rstrip(b"\0").decode(errors="replace") for row in rows.cpu()]

    def largest(self, value: int) -> int:
        """The largest ``value`` of all ranks."""
        return value if self.size == 1 else int(self.gather(torch.tensor(value, device=self.device)).max())

    def share_(self, tensors: Iterable[Tensor]) -> None:
        """Copy rank 0's tensors to all ranks."""
        if self.size == 1:
            return
        with torch.no_grad(), _reaching_all():
            for tensor in tensors:
                content = tensor.detach().clone(memory_format=torch.contiguous_format)
                dist.broadcast(content, src=0)
                tensor.copy_(content)

    def share_learner(self, learner: Any) -> None:
        """Give the networks and constants of rank 0's :class:`~cohoff.offpolicy.learner.Learner` to all ranks."""
        if self.size == 1:
            return
        self.share_(learner.modules.state_dict().values())
        if constants := learner.constants():
            values = torch.tensor(list(constants.values()), dtype=torch.double).to(self.device)
            self.share_([values])
            learner.load_constants(dict(zip(constants, values.tolist(), strict=True)))

    @contextmanager
    def same_random_numbers(self) -> Iterator[None]:
        """Draw the same numbers from torch's generators on all ranks; each goes on with its own afterwards."""
        if self.size == 1:
            yield
            return
        own = random_state(self.device)
        seed = torch.randint(2**31, (1,)).to(self.device)
        self.share_([seed])
        torch.manual_seed(int(seed))
        yield
        restore_random_state(own, self.device)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Raise on all ranks what any of them raises inside, where ranks may do without each other. All wait at the
        end.

        Raises:
            InputError: An InputError or OSError was raised on some rank.
        """
        if self.size == 1:
            yield
            return
        failure = ""
        try:
            yield
        except AgreedError:
            raise
        except (InputError, OSError) as error:
            failure = str(error) or type(error).__name__
        failures = self.gather_texts(failure)
        if any(failures):
            raise AgreedError("; ".join(f"rank {rank}: {text}" for rank, text in enumerate(failures) if text))

    def check_same(self, values: Mapping[str, Any]) -> None:
        """Raise InputError unless ``values`` are the same on all ranks."""
        if self.size == 1:
            return
        for chosen in ({"names": sorted(values)}, values):  # where names differ, values would have other shapes
            digests = self.gather(torch.tensor([_digest(value) for value in chosen.values()], device=self.device))
            differences = (digests != digests[0]).nonzero().tolist()
            if differences:
                other, column = differences[0]
                name = list(chosen)[column]
                texts = self.gather_texts(str(chosen[name]))
                raise AgreedError(
                    f"all processes need the same {name}, but rank 0 has {texts[0]} and rank {other} has "
                    f"{texts[other]}; start all with the same command line and files"
                )

    def check_equal(self, module: nn.Module, name: str) -> None:
        """Raise InputError unless parameters and buffers of ``module`` are equal on all ranks, bit for bit."""
        if self.size == 1:
            return
        sums = self.gather(torch.stack([_checksum(value).to(self.device) for value in module.state_dict().values()]))
        if not (sums == sums[0]).all():
            raise AgreedError(
                f"the processes' {name} differ; all need the same files and kind of device, and optimizers must step "
                "by step_if_finite"
            )

    @contextmanager
    def averaging(self, statistics: list[Tensor]) -> Iterator[None]:
        """Average over the ranks inside: gradients and losses in :func:`average_`, and with them ``statistics``."""
        global _averaging
        if self.size == 1:
            yield
            return
        _averaging = (self, statistics)
        try:
            yield
        finally:
            _averaging = None


ALONE = Ranks()
"""The one process of a run that is not distributed."""

_averaging: tuple[Ranks, list[Tensor]] | None = None
"""Set inside of :meth:`Ranks.averaging`."""


def average_(gradients: list[Tensor], loss: Tensor) -> Tensor:
    """Average ``gradients`` in place, and return the mean ``loss``, in one call for all of them.

    The statistics of batch norm go with them. Outside of :meth:`Ranks.averaging` nothing happens.
    """
    if _averaging is None:
        return loss
    ranks, statistics = _averaging
    tensors = [*gradients, *statistics]
    flat = torch.cat([*(tensor.flatten() for tensor in tensors), loss.view(1)])
    ranks.sum_(flat).div_(ranks.size)
    *means, loss = flat.split([*(tensor.numel() for tensor in tensors), 1])
    torch._foreach_copy_(tensors, [mean.view_as(tensor) for mean, tensor in zip(means, tensors, strict=True)])
    return loss.view(())


def running_statistics(module: nn.Module) -> list[Tensor]:
    """Means and variances of all batch norms in ``module``."""
    found = [part for part in module.modules() if isinstance(part, RunningStatistics)]
    return [value for part in found for value in (part.mean, part.var)]


@contextmanager
def _reaching_all() -> Iterator[None]:
    """Turn what torch raises when another process is gone into one line."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise AgreedError(
            f"another process of this run has ended or does not answer ({reason[:200]}); "
            "go on from its newest checkpoint by --checkpoint latest"
        ) from error


def _digest(value: Any) -> int:
    return int.from_bytes(hashlib.sha256(str(value).encode()).digest()[:7])


def _checksum(value: Tensor) -> Tensor:
    """Sum of a tensor's bits as integers, which no order of additions changes."""
    bits = value.detach().contiguous()
    return (bits if bits.dtype == torch.bool else bits.view(INTEGERS[bits.element_size()])).sum(dtype=torch.long)
