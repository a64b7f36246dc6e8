# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The replay of a run as recorded episodes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cohoff.commands import export_replay
from cohoff.data.recording import load_recording
from cohoff.errors import InputError
from cohoff.offpolicy.checkpoint import write_checkpoint
from cohoff.stress import point_mass


@pytest.mark.parametrize("replay_steps", [200, 50])
def test_the_episodes_are_those_that_were_collected(replay_steps: int, tmp_path: Path) -> None:
    """With 200 steps nothing has been overwritten; with 50, the ring has come around."""
    cfg = point_mass.smallest_csil(tmp_path / "inputs")
    cfg["algorithm"] |= {"update_to_data": 0.0, "replay_rows": replay_steps * 7}
    run = tmp_path / "run"
    run.mkdir()
    algorithm = point_mass.train(cfg, run, iterations=10, num_envs=8, steps=12)
    write_checkpoint(algorithm.save(), run / "model_9.pt")
    export_replay.main([str(run), "--output", str(tmp_path / "replay.hdf5")])
    recording = load_recording([tmp_path / "replay.hdf5"], point_mass.TASK)
    step = recording.next_obs[:, :2] - recording.obs[:, :2]
    torch.testing.assert_close(step, point_mass.SPEED * recording.actions, rtol=0.0, atol=1e-5)
    assert torch.equal(recording.next_obs[:, 2:], recording.obs[:, 2:])
    last = recording.starts + recording.lengths - 1
    reached = (recording.next_obs[last, :2] - recording.next_obs[last, 2:]).norm(dim=1) < point_mass.RADIUS
    assert torch.equal(reached, recording.success) and torch.equal(recording.returns, recording.success.float())
    inside = torch.ones(recording.num_transitions, dtype=torch.bool).index_fill(0, last, False).nonzero()[:, 0]
    assert torch.equal(recording.next_obs[inside], recording.obs[inside + 1])
    assert 0 < recording.num_transitions <= replay_steps * 7
    assert recording.lengths.max() <= point_mass.LIMIT


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    cfg = point_mass.smallest_csil(tmp_path / "inputs")
    run = tmp_path / "run"
    run.mkdir()
    algorithm = point_mass.train(cfg, run, iterations=1, num_envs=8, steps=1)
    write_checkpoint(algorithm.save(), run / "model_0.pt")
    command = [str(run), "--output", str(tmp_path / "replay.hdf5")]
    with pytest.raises(InputError, match=r"no episode .* has ended"):
        export_replay.main(command)
    for file in run.glob("replay_*"):
        file.unlink()
    with pytest.raises(InputError, match="is gone"):
        export_replay.main(command)
    with pytest.raises(InputError, match="ends in .hdf5"):
        export_replay.main([str(run), "--output", str(tmp_path / "replay.h5")])
    assert not (tmp_path / "replay.hdf5").exists()
