# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The GPU's check at its smallest size, on the CPU."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cohoff.benchmarks import correctness
from cohoff.benchmarks.sizes import QUICK
from cohoff.commands import gpu_check
from cohoff.errors import InputError

WITHOUT_SIMULATION = ["learner", "replay", "flow", "pi05", "correctness"]
QUICKLY = ["--quick", "--device", "cpu", "--sections"]


def test_every_section_measures_and_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.json"
    assert gpu_check.main([*QUICKLY, *WITHOUT_SIMULATION, "--rows", "40", "--json", str(path)]) == 0
    result = json.loads(path.read_text())
    sections = result["sections"]
    assert list(sections) == WITHOUT_SIMULATION and result["versions"]["torch"] == torch.__version__.split("+")[0]
    assert sections["learner"]["rows"][0]["eager_ms"] > 0.0 and "captured_ms" not in sections["learner"]["rows"][0]
    assert sections["replay"]["rows"][0]["rows"] == 40
    assert {row["result"]: row["difference"] for row in sections["correctness"]["rows"]}["actor gradient"] == 0.0
    out = capsys.readouterr().out
    assert "eager_ms" in out and out.endswith(f"{path}\n")


def test_a_section_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(args: argparse.Namespace) -> gpu_check.Rows:
        yield {"critic": "first"}
        raise ValueError("no luck")

    monkeypatch.setitem(gpu_check.SECTIONS, "learner", fail)
    assert gpu_check.main([*QUICKLY, "learner", "replay", "--json", str(tmp_path / "out.json")]) == 1
    sections = json.loads((tmp_path / "out.json").read_text())["sections"]
    assert sections["learner"] == {"rows": [{"critic": "first"}], "error": "ValueError: no luck"}
    assert sections["replay"]["rows"]
    assert "learner: ValueError: no luck" in capsys.readouterr().out


def test_disagreement_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    results = {"same": (torch.ones(2), torch.ones(2)), "loss": (torch.ones(2), torch.tensor([1.0, 1.01]))}
    monkeypatch.setattr(correctness, "compared", lambda sizes, device: results)
    rows = []
    with pytest.raises(RuntimeError, match="differs from the CPU by 0.0071"):
        rows.extend(correctness.check_agreement(QUICK, "cpu"))


def test_too_small_a_buffer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--rows is 3"):
        gpu_check.main([*QUICKLY, "replay", "--rows", "3", "--json", str(tmp_path / "out.json")])


def test_it_needs_few_packages() -> None:
    """Neither the simulator nor what only training needs is imported."""
    unwanted = ["isaaclab", "isaaclab_rl", "rsl_rl", "warp", "gymnasium"]
    program = f"import sys, cohoff.commands.gpu_check; print([n for n in {unwanted} if n in sys.modules])"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
