# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Runs of offline learning: every method trains, is opened, goes on after an interruption, or is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from offline_cases import mixed_recording, silent, small_recording, training

from cohoff.algorithms.offline.configure import configure
from cohoff.algorithms.offline.methods import METHODS
from cohoff.commands import offline
from cohoff.errors import InputError
from cohoff.offpolicy.inference import load_policy
from cohoff.stress import point_mass

SMALL = ("hidden_dims=16,16", "batch_size=32", "updates=20")
STEPS = {
    "td3_rkl": ("clone_steps=20",), "boundaries": ("clone_steps=20",), "mopo": ("dynamics_steps=20",),
    "saq_iql": ("code_steps=20", "num_codes=8"), "saq_cql": ("code_steps=20", "num_codes=8"),
    "saq_brac": ("code_steps=20", "num_codes=8"),
}  # fmt: skip
CSIL = (
    "batch_size=32", "updates=20", "policy.hidden_dim=16", "policy.num_features=16", "critic.hidden_dims=16,",
    "critic.pretrain_steps=20", "clone.steps=20", "clone.holdout=0.0",
)  # fmt: skip


def small(method: str) -> tuple[str, ...]:
    """Changes that make a method small."""
    return CSIL if method == "csil" else (*SMALL, *STEPS.get(method, ()))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_and_its_checkpoint_acts(method: str, tmp_path: Path) -> None:
    recording = mixed_recording(tmp_path)
    run = training(method, recording, small(method), tmp_path)
    before = {name: value.clone() for name, value in run.learner.modules.state_dict().items()}
    run.run(silent)
    assert any(not torch.equal(value, before[name]) for name, value in run.learner.modules.state_dict().items())
    policy = load_policy(tmp_path, 4, "cpu", "trained", task=point_mass.TASK)
    action = policy(point_mass.PointMass(4, None).get_observations())
    assert action.shape == (4, 2) and action.abs().max() <= 1.0
    line = json.loads((tmp_path / "progress.jsonl").read_text())
    assert line["updates"] == 20 and line["iteration"] == 1
    if method != "csil":
        for kind in ("clone", "step0"):
            with pytest.raises(InputError, match=f"has no {kind}; evaluate trained$"):
                load_policy(tmp_path, 4, "cpu", kind)


@pytest.mark.parametrize("method", ["iql", "coil"])
def test_a_resumed_run_ends_like_one_that_was_left_alone(method: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("cohoff.algorithms.offline.training.REPORT_EVERY", 5)
    recording = mixed_recording(tmp_path)
    changes = (*SMALL, "save_interval=5")
    alone = training(method, recording, changes)
    alone.run(silent)
    for name in ("run", "other"):
        (tmp_path / name).mkdir()
    first = training(method, recording, changes, tmp_path / "run")
    save = first.save

    def save_and_stop() -> str | None:
        name = save()
        if first.num_updates == 10:
            raise RuntimeError("killed")
        return name

    first.save = save_and_stop
    with pytest.raises(RuntimeError, match="killed"):
        first.run(silent)
    second = training(method, recording, changes, tmp_path / "run")
    with (tmp_path / "run/progress.jsonl").open("a") as file:
        file.write('{"updates": 15}\n')
    second.resume()
    assert second.num_updates == 10
    second.run(silent)
    lines = (tmp_path / "run/progress.jsonl").read_text().splitlines()
    assert [json.loads(line)["updates"] for line in lines] == [5, 10, 15, 20]
    expected = alone.learner.modules.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in second.learner.modules.state_dict().items())


def test_what_cannot_be_resumed(tmp_path: Path) -> None:
    recording = mixed_recording(tmp_path)
    training("bc", recording, SMALL, tmp_path).run(silent)
    for words, run in (
        ("another settings", training("bc", recording, (*SMALL[1:], "hidden_dims=8,"), tmp_path)),
        ("another loop", training("bc", recording, (*SMALL[:2], "updates=30"), tmp_path)),
        ("other data", training("bc", small_recording(), SMALL, tmp_path)),
    ):
        with pytest.raises(InputError, match=words):
            run.resume()


@pytest.mark.parametrize("method", ["iql", "red", "boundaries", "cwbc", "coil", "saq_iql"])
def test_methods_that_compare_episodes_refuse_equal_returns(method: str) -> None:
    with pytest.raises(InputError, match=r"the return 1; add others.*--keep all"):
        training(method, small_recording((2, 2), (True, True)))


def test_missing_rewards_and_successes() -> None:
    recording = small_recording()
    recording.rewards = None
    for method in ("td3bc", "iql", "cwbc", "saq_cql", "mopo"):
        with pytest.raises(InputError, match="no rewards"):
            training(method, recording)
    training("bc", recording)
    for method in ("filtered_bc", "csil"):
        with pytest.raises(InputError, match="no episode of the data succeeded"):
            training(method, small_recording((2, 2), (False, False)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["backup=none", "anchor=advantage"], "needs a critic"),
        (["backup=minimum", "anchor=samples"], "asks an actor"),
        (["data=conditioned"], "clones what followed"),
        (["data=model", "backup=monte_carlo"], "no recorded return"),
        (["updates"], "SETTING=VALUE"),
        (["nothing=1"], "no setting 'nothing'"),
        (["alpha.x=1"], "alpha has no parts"),
    ],
)
def test_choices_that_exclude_each_other(changes: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words) as info:
        training("td3bc", small_recording(), changes)
    assert "\n" not in str(info.value)


def test_wrong_values_end_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        configure("td3bc", ["backup=maximum"])
    assert capsys.readouterr().err.startswith("error: method.backup is 'maximum'; it must be")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixed_recording(tmp_path)
    data = ["--data", str(tmp_path / "base.hdf5"), str(tmp_path / "demos.hdf5"), "--device", "cpu"]
    command = [*data, "--output", str(tmp_path / "run"), "--method", "bc", *SMALL]
    offline.main(command)
    assert "bc on 95 episodes, 27 of them successful, 20 updates" in capsys.readouterr().out
    with pytest.raises(InputError, match="already holds a run"):
        offline.main(command)
    with pytest.raises(InputError, match="'PointMass', not 'Other'"):
        offline.main([*command[:-3], "--task", "Other", "--output", str(tmp_path / "other")])
    with pytest.raises(InputError, match="invalid choice: 'nothing'.*iql"):
        offline.parse_arguments([*data, "--output", str(tmp_path / "none"), "--method", "nothing"])
    with pytest.raises(InputError, match="the return 1"):
        offline.main(["--data", str(tmp_path / "demos.hdf5"), "--output", str(tmp_path / "none"), "--method", "red"])
    assert not (tmp_path / "none").exists()
