# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Stages in lanes: order, failures, reuse, and that nothing outlives the workflow."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from cohoff.experiments.workflow import Stage, StageFailed, Workflow


def workflow(folder: Path, **kwargs) -> Workflow:
    return Workflow(folder, Console(file=io.StringIO()), **kwargs)


def stage(folder: Path, name: str, code: str = "pass") -> Stage:
    """A stage that runs Python code and touches its output."""
    output = folder / f"{name}.out"
    return Stage(name, name, [sys.executable, "-c", f"{code}\nopen({str(output)!r}, 'w')"], [output])


def test_a_lane_runs_in_order(tmp_path: Path) -> None:
    note = f"open({str(tmp_path / 'x')!r}, 'a').write"
    with workflow(tmp_path, num_lanes=1) as flow:
        a = flow.submit(stage(tmp_path, "a", f"import time; time.sleep(0.3); {note}('a')"))
        b = flow.submit(stage(tmp_path, "b", f"{note}('b')"))
        flow.wait(a, b)
    assert (tmp_path / "x").read_text() == "ab" and a.seconds > 0.25 and a.state == b.state == "done"


def test_lanes_run_side_by_side(tmp_path: Path) -> None:
    """Each of two stages waits for a sign of the other."""
    code = "import os, time\nopen({mine!r}, 'w')\nwhile not os.path.exists({other!r}): time.sleep(0.02)"
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    with workflow(tmp_path) as flow:
        stages = [
            flow.submit(stage(tmp_path, "first", code.format(mine=a, other=b))),
            flow.submit(stage(tmp_path, "second", code.format(mine=b, other=a))),
        ]
        flow.wait(*stages)


def test_stages_are_pinned_and_logged(tmp_path: Path) -> None:
    with workflow(tmp_path) as flow:
        flow.wait(
            flow.submit(
                stage(tmp_path, "a", "import os; print(os.sched_getaffinity(0), os.environ['OMP_NUM_THREADS'])")
            )
        )
    assert (tmp_path / "a.log").read_text() == f"{{{min(os.sched_getaffinity(0))}}} 1\n"


def test_a_failure_shows_the_end_of_the_log_and_ends_the_others(tmp_path: Path) -> None:
    other = stage(tmp_path, "other", "import time; time.sleep(60)")
    start = time.monotonic()
    with (
        pytest.raises(StageFailed, match="(?s)broken: ended with status 3.*line 49$") as info,
        workflow(tmp_path) as flow,
    ):
        flow.submit(other)
        flow.wait(
            flow.submit(stage(tmp_path, "broken", "for i in range(50): print('line', i)\nimport sys; sys.exit(3)"))
        )
    assert time.monotonic() - start < 20 and "line 34\n" not in str(info.value)
    assert not (tmp_path / "other.out").exists()


def test_a_missing_output_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="did not write"), workflow(tmp_path) as flow:
        flow.wait(flow.submit(Stage("a", "a", [sys.executable, "-c", "pass"], [tmp_path / "none"])))


def test_resume_reuses_up_to_the_first_stage_that_has_to_run(tmp_path: Path) -> None:
    with workflow(tmp_path) as flow:
        flow.wait(*[flow.submit(stage(tmp_path, name)) for name in "abc"])
    (tmp_path / "b.out").unlink()
    with workflow(tmp_path, resume=True) as flow:
        assert flow.reusable_outputs("a") == [tmp_path / "a.out"] and flow.reusable_outputs("b") is None
        stages = [flow.submit(stage(tmp_path, name)) for name in "abc"]
        flow.wait(*stages)
    assert [s.state for s in stages] == ["reused", "done", "done"] and stages[0].seconds > 0
    with workflow(tmp_path) as flow:
        again = flow.submit(stage(tmp_path, "a"))
        flow.wait(again)
    assert again.state == "done"


def test_stages_can_be_added_while_others_run(tmp_path: Path) -> None:
    added = []

    def add() -> None:
        if not added:
            added.append(flow.submit(stage(tmp_path, "late")))

    with workflow(tmp_path) as flow:
        flow.wait(flow.submit(stage(tmp_path, "a")), meanwhile=add)
        flow.wait(*added)
    assert added[0].state == "done"
