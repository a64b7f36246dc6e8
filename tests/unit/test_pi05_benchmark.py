# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The benchmark on the smallest network."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark_pi05.py"


def test_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.json"
    options = ["--size", "tiny", "--batch", "1", "3", "--micro_batch", "2", "--rounds", "1", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *options, "--json", str(output)])
    monkeypatch.syspath_prepend(str(SCRIPT.parent))  # as Python does for a script
    with pytest.raises(SystemExit) as info:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert info.value.code == 0 and "pi-0.5 tiny, float32" in capsys.readouterr().out
    result = json.loads(output.read_text())
    calls = [(row["cameras"], row["tokens"], row["batch"]) for row in result["rows"]]
    assert calls == [(c, t, b) for c, t in ((3, 200), (2, 64), (1, 64)) for b in (1, 3)]
    for row in result["rows"]:
        assert row["mode"] == "eager" and row["memory_gib"] is None and row["ceiling_share"] > 0
        assert row["call_ms"] == pytest.approx(row["batch"] * row["chunk_ms"])
        assert row["chunks_per_second"] == pytest.approx(1e3 / row["chunk_ms"])


def test_training_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, script = tmp_path / "out.json", SCRIPT.with_name("benchmark_pi05_training.py")
    options = ["--size", "tiny", "--batch", "1", "--rounds", "1", "--device", "cpu", "--json", str(output)]
    monkeypatch.setattr(sys, "argv", [str(script), *options])
    monkeypatch.syspath_prepend(str(script.parent))  # as Python does for a script
    with pytest.raises(SystemExit) as info:
        runpy.run_path(str(script), run_name="__main__")
    assert info.value.code == 0 and "training pi-0.5 tiny, float32" in capsys.readouterr().out
    rows = json.loads(output.read_text())["rows"]
    assert [row["trained"] for row in rows] == ["everything", "everything", "expert", "expert", "lora"]
    for row in rows:
        assert row["speedup"] is None and row["frames_per_second"] == pytest.approx(1e3 / row["step_ms"])
        assert row["samples_per_second"] == pytest.approx(row["flow_times"] * row["frames_per_second"])
