# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What each of several processes adds to a checkpoint: its replay buffer, environments and random numbers.

Those of rank 0 are in the checkpoint itself and beside it. Rank r has a folder ``rank_<r>`` there, in which
``part_<env_steps>.pt`` and ``replay_<env_steps>.safetensors`` belong to the checkpoint after so many steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cohoff.errors import InputError
from cohoff.files import reading
from cohoff.offpolicy.checkpoint import write_checkpoint
from cohoff.offpolicy.collector import Collector
from cohoff.offpolicy.distributed import Ranks
from cohoff.offpolicy.replay_file import keep_newest, restore_replay


@dataclass
class Part:
    """What one rank goes on from."""

    running: dict[str, Any]
    """See :meth:`OffPolicyAlgorithm.save`."""
    replay: str | None
    """File of its replay buffer."""
    is_own: bool
    """Whether it is this rank's own. A rank that is new goes on from the part of another one."""

    def restore(self, collector: Collector, episodes_go_on: bool) -> None:
        """Fill a collector that has the same number of environments.

        Raises:
            InputError: The replay is gone, damaged, or of another number of environments.
        """
        restore_replay(collector.buffer, self.replay)
        collector.load_state_dict(self.running["collector"], episodes_go_on)
        if not self.is_own:
            for count in (collector.buffer.num_lost, *_counts(collector.state_dict())):
                count.zero_()


def write_part(content: dict[str, Any], folder: Path) -> None:
    """Write what a rank other than the first adds to the checkpoint with ``content``; remove all but the newest."""
    write_checkpoint({"running": content["running"]}, folder / f"part_{content['counters']['env_steps']}.pt")
    keep_newest(folder, "part", ".pt")


def read_part(content: dict[str, Any], ranks: Ranks, device: torch.device) -> Part:
    """What this rank goes on from, of a checkpoint with ``content``, whatever number of ranks it was written by.

    Rank r of N takes the part of rank r modulo the number before. What ranks that are gone have counted goes to rank 0,
    so that sums stay the same; their replay buffers are left out.

    Raises:
        InputError: A file is gone or damaged.
    """
    before = content["meta"].get("ranks", 1)
    part = _read(content, ranks.rank % before, device)
    part.is_own = ranks.rank < before
    if ranks.is_first and before != ranks.size:
        print(f"[cohoff] {_what_changes(before, ranks.size)}", flush=True)
        for gone in range(ranks.size, before):
            other = _read(content, gone, device)
            for count, more in zip(*(_counts(p.running["collector"]) for p in (part, other)), strict=True):
                count += more
    return part


def _what_changes(before: int, now: int) -> str:
    if now > before:
        return f"the checkpoint is of {before} processes; the {now - before} further ones begin with copies of a replay"
    return f"the checkpoint is of {before} processes; the replay of {before - now} is left out"


def _read(content: dict[str, Any], rank: int, device: torch.device) -> Part:
    replay = content["meta"]["replay"]
    if rank == 0 or replay is None:
        return Part(content["running"], replay, True)
    folder, steps = Path(replay).parent / f"rank_{rank}", content["counters"]["env_steps"]
    path = folder / f"part_{steps}.pt"
    if not path.is_file():
        raise InputError(f"{str(path)!r}, a part of the checkpoint, is gone; resume from the newest checkpoint")
    with reading(path, "resume from another checkpoint"):
        running = torch.load(path, map_location=device, weights_only=True)["running"]
    return Part(running, str(folder / f"replay_{steps}.safetensors"), True)


def _counts(collector: dict[str, Any]) -> list[torch.Tensor]:
    """Those of a collector's counts that are summed over ranks, in its :meth:`~.Collector.state_dict`."""
    return [collector["num_non_finite"], *(episodes["totals"] for episodes in collector["episodes"].values())]
