# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A captured update does what it does without: proven with a tape in the place of a CUDA graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tape import TapeRecorder

from cohoff.offpolicy.algorithm import OffPolicyAlgorithm
from cohoff.offpolicy.capture import WARM_UP, CapturedCalls, use_capture
from cohoff.offpolicy.report import MetricMeans
from cohoff.stress import point_mass


@pytest.fixture
def cfg(tmp_path: Path) -> dict[str, Any]:
    """CSIL++ as small as can be, with everything that an update can have."""
    runner = point_mass.smallest_csil(tmp_path)
    runner["algorithm"] |= {"refinement_learning_rate": 1e-3, "gradient_penalty": 1.0, "n_step": 3}
    return runner


def start(cfg: dict[str, Any], folder: Path, captured: bool) -> OffPolicyAlgorithm:
    """A learner that is ready to update, on a tape if ``captured``."""
    folder.mkdir()
    torch.manual_seed(0)
    algorithm = point_mass.train(cfg, folder, iterations=0, num_envs=8)
    if captured:
        algorithm.run_update = CapturedCalls(algorithm.update_once, TapeRecorder())
    return algorithm


def lines(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_a_captured_update_equals_one_that_is_not(cfg: dict[str, Any], tmp_path: Path) -> None:
    """Five iterations with changing learning rates, experience and random numbers: parameters and metrics agree."""
    calls: list[bool] = []
    states = []
    for captured in (False, True):
        algorithm = start(cfg, tmp_path / str(captured), captured)
        update = algorithm.learner.update

        def counted(batch: Any, num_demonstrations: int, with_actor: bool, update: Any = update) -> Any:
            calls.append(with_actor)
            return update(batch, num_demonstrations, with_actor)

        algorithm.learner.update = counted  # pyright: ignore[reportAttributeAccessIssue]
        point_mass.go_on(algorithm, 5)
        states.append(algorithm.learner.modules.state_dict())
        assert len(calls) == (2 * (WARM_UP + 1) if captured else 35)
        calls.clear()
    assert lines(tmp_path / "False") == lines(tmp_path / "True")
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_a_captured_update_follows_the_learning_rate(cfg: dict[str, Any], tmp_path: Path) -> None:
    cfg["algorithm"] |= {"policy_delay": 1, "final_learning_rate": 0.0}
    algorithm = start(cfg, tmp_path / "run", captured=True)
    weights = []
    for iterations in (3, 1, 1):
        point_mass.go_on(algorithm, iterations)
        parameters = algorithm.learner.optimizers["actor"].param_groups[0]["params"]
        weights.append(torch.cat([parameter.detach().flatten() for parameter in parameters]))
    assert algorithm.learning_rate == 0.0
    assert torch.equal(weights[2], weights[1])
    assert not torch.equal(weights[1], weights[0])


def test_loading_a_checkpoint_leaves_its_graphs(cfg: dict[str, Any], tmp_path: Path) -> None:
    """A graph holds on to the optimizer's tensors, which loading replaces."""
    algorithm = start(cfg, tmp_path / "run", captured=True)
    point_mass.go_on(algorithm, 1)
    captured = algorithm.run_update
    algorithm.load(algorithm.save(), None, True)
    assert algorithm.run_update is not captured


@pytest.mark.parametrize("rate", [1e-2, torch.tensor(1e-2)])
def test_a_checkpoint_brings_no_settings_of_its_optimizers(cfg: dict[str, Any], tmp_path: Path, rate: Any) -> None:
    """Checkpoints of another device, or from before the rate was a tensor, leave the rate to the schedule."""
    algorithm = start(cfg, tmp_path / "run", captured=False)
    point_mass.go_on(algorithm, 1)
    checkpoint = algorithm.save()
    for state in checkpoint["optimizers"].values():
        for group in state["param_groups"]:
            group |= {"lr": rate, "capturable": True, "fused": False}
    resumed = point_mass.train(cfg, tmp_path / "run", iterations=0, num_envs=8)
    resumed.load(checkpoint, None, True)
    optimizer = resumed.learner.optimizers["critic"]
    (group,) = optimizer.param_groups
    assert group["fused"] and not group["capturable"]
    saved = checkpoint["optimizers"]["critic"]["state"]
    for index, parameter in enumerate(group["params"]):
        assert torch.equal(optimizer.state[parameter]["exp_avg"], saved[index]["exp_avg"])
        assert optimizer.state[parameter]["step"] == 7
    point_mass.go_on(resumed, 1)
    assert float(group["lr"]) == pytest.approx(resumed.learning_rate) == 3e-4 + 0.25 * (3e-5 - 3e-4)


def test_an_update_that_reads_on_the_host_is_refused() -> None:
    value = torch.ones(())
    captured = CapturedCalls(lambda: float(value), TapeRecorder())  # pyright: ignore[reportArgumentType]
    for _ in range(WARM_UP):
        captured()
    with pytest.raises(RuntimeError, match="cannot be captured in a CUDA graph") as raised:
        captured()
    assert "capturing" in str(raised.value.__cause__)


def test_a_cpu_has_no_graphs(cfg: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cfg["algorithm"]["capture"] = True
    with pytest.raises(SystemExit):
        start(cfg, tmp_path / "run", captured=False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: agent.algorithm.capture=true needs a CUDA device")


def test_capturing_is_the_default_on_a_gpu_and_can_be_left_out() -> None:
    gpu, cpu = torch.device("cuda:0"), torch.device("cpu")
    assert use_capture(None, gpu) and use_capture(True, gpu) and not use_capture(False, gpu)
    assert not use_capture(None, cpu) and not use_capture(False, cpu)


def test_means_are_of_what_was_added_since_they_were_read() -> None:
    means = MetricMeans()
    means.add({"a": torch.tensor(1.0)})
    means.add({"a": torch.tensor(2.0), "b": torch.tensor(5.0)})
    assert means.pop() == {"a": 1.5, "b": 5.0}
    means.add({"b": torch.tensor(7.0)})
    assert means.pop() == {"b": 7.0}
    assert means.pop() == {}
