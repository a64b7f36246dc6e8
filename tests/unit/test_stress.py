# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The short version of ``cohoff stress``: everything that it tries comes out well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cohoff.commands.stress import main


def test_nothing_breaks(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    status = main(["--quick", "--json", str(tmp_path / "stress.json")])
    result = json.loads((tmp_path / "stress.json").read_text())
    assert status == 0, {name: section for name, section in result.items() if not section.get("passed", True)}
    assert result["kills"]["tried"] == {"SIGKILL": 1, "while writing": 1, "SIGTERM": 1}
    assert all(result["kills"]["equal_to_a_run_left_alone"].values())
    assert result["malformed"]["tried"] > 150 and result["non_finite"]["tried"] == 9
    assert "resumed exactly: networks, target" in capsys.readouterr().out
