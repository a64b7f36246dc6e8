# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Results: their layout and schema, the tables made of them, and that those of the repository are up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from result_cases import make_result

from cohoff.commands import table
from cohoff.errors import InputError
from cohoff.experiments.intervals import wilson_interval
from cohoff.experiments.results import RESULT_KEYS, read_json, read_run, run_folder, task_folder
from cohoff.experiments.tables import build_table, fill

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A suite with one task, one algorithm and two seeds, of which only the first was evaluated in between."""
    for seed, rates in enumerate(({0: 32, 500: 40, 1000: 60}, {0: 36, 1000: 64})):
        folder = run_folder(tmp_path / "suite", "Cohoff-MugCleanup-Franka", "csil", seed)
        folder.mkdir(parents=True)
        write(folder / "base.json", make_result(48, 64))
        for steps, successes in rates.items():
            write(folder / f"csil_{steps}.json", make_result(successes, 64, steps, "Cohoff-MugCleanup-Franka"))
        write(folder / "summary.json", {"settings": {"num_demonstrations": 30}})
    return tmp_path


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def test_task_folders() -> None:
    names = ["Cohoff-MugCleanup-Franka", "Cohoff-Square-Camera-Franka", "Cohoff-Square-Franka"]
    assert [task_folder(name) for name in names] == ["mug_cleanup", "square_camera", "square"]


def test_a_run_is_read_by_environment_steps(results: Path) -> None:
    folder = results / "suite/mug_cleanup/csil/seed_0"
    write(folder / "csil_again.json", make_result(120, 128, 1000))  # more episodes than csil_1000
    write(folder / "csil_rough.json", make_result(8, 8, 500))  # fewer than csil_500
    run = read_run(folder)
    assert {steps: one["episodes"] for steps, one in run.curve.items()} == {0: 64, 500: 64, 1000: 128}
    assert (run.algorithm, run.seed, run.bc) == ("csil", 0, None) and run.base is not None


def test_tables(results: Path) -> None:
    row = "MugCleanup | 30 | 0.750 (0.63 to 0.84) | - | 0.500 (0.38 to 0.62) | 0.938 (0.85 to 0.98)"
    assert build_table("overview suite", results)[2] == f"| {row} |"
    run = build_table("run suite/mug_cleanup/csil/seed_0", results)
    assert run[2] == "| base policy | 0 | 0.750 (0.63 to 0.84) | 64 |"
    assert run[-1] == "| csil | 1,000 | 0.938 (0.85 to 0.98) | 64 |"
    header, _, first, second, mean = build_table("seeds suite/mug_cleanup", results)
    assert header == "| algorithm | seed | 0 steps | 500 steps | 1,000 steps |"
    assert first == "| csil | 0 | 0.500 (0.38 to 0.62) | 0.625 | 0.938 (0.85 to 0.98) |"
    assert second == "| csil | 1 | 0.562 (0.44 to 0.68) | - | 1.000 (0.94 to 1.00) |"
    assert mean == "| csil | mean | 0.531 | - | 0.969 |"


def test_tables_of_tasks(tmp_path: Path) -> None:
    folder = tmp_path / "tasks/square/expert/seed_0"
    folder.mkdir(parents=True)
    for name, successes in (("expert", 243), ("expert_d1", 128), ("replay", 256)):
        write(folder / f"{name}.json", make_result(successes, 256))
    row = "Square | 0.949 (0.92 to 0.97) | 0.500 (0.44 to 0.56) | 1.000 (0.99 to 1.00) | 256, 256, 256 | 105"
    assert build_table("experts tasks", tmp_path)[2] == f"| {row} |"
    agents = [{"env_steps_per_second": 10.4 * n, "contacts": 20 + n, "constraints": 50 - n} for n in (1, 2)]
    run = {"expert": agents[0], "random": agents[1], "contacts_available": 80, "constraints_available": 240}
    runs = [{"num_envs": n, **run} for n in (16, 64)]
    write(tmp_path / "tasks/square/environment.json", {"task": "Cohoff-Square-Franka", "runs": runs})
    header, _, row = build_table("simulation tasks", tmp_path)
    assert (
        header.startswith("| task | steps/s, 16 | steps/s, 64 |")
        and row == "| Square | 10 | 10 | 22 of 80 | 49 of 240 |"
    )


def test_the_speeds_of_agents(tmp_path: Path) -> None:
    agents = [{"agent": "csil", "loop_ms": 4.47, "update_ms": 17.5, "updates_per_second": 57.1}]
    (tmp_path / "algorithms").mkdir()
    write(tmp_path / "algorithms/loop.json", {"agents": agents})
    assert build_table("speeds algorithms", tmp_path)[2] == "| csil | 4.5 ms | 17.5 ms | 57 |"


def test_blocks_are_filled() -> None:
    text = "a\n<!-- table: one x -->\nold\n<!-- end -->\nb\n<!-- table: two -->\n<!-- end -->\n<!-- other: c -->\n"
    filled = fill(text, "table", lambda name: [f"[{name}]", "\\1"])
    assert filled == (
        "a\n<!-- table: one x -->\n\n[one x]\n\\1\n\n<!-- end -->\nb\n"
        "<!-- table: two -->\n\n[two]\n\\1\n\n<!-- end -->\n<!-- other: c -->\n"
    )
    assert fill(filled, "table", lambda name: [f"[{name}]", "\\1"]) == filled
    with pytest.raises(InputError, match="no '<!-- end -->'"):
        fill("<!-- table: one -->\n<!-- table: two -->\n<!-- end -->\n", "table", lambda name: [name])


def test_the_command_checks_and_writes(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = results / "page.md"
    page.write_text("<!-- table: overview suite -->\n<!-- end -->\n", encoding="utf-8")
    arguments = [str(page), "--results", str(results)]
    with pytest.raises(InputError, match=r"not up to date in .*page\.md"):
        table.main([*arguments, "--check"])
    assert "MugCleanup" not in page.read_text(encoding="utf-8")
    table.main(arguments)
    assert "| MugCleanup | 30 |" in page.read_text(encoding="utf-8") and capsys.readouterr().out == f"{page}\n"
    table.main([*arguments, "--check"])
    last = results / "suite/mug_cleanup/csil/seed_0/csil_1000.json"
    write(last, make_result(61, 64, 1000, "Cohoff-MugCleanup-Franka"))
    with pytest.raises(InputError, match="not up to date"):
        table.main([*arguments, "--check"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("overview nowhere", "no runs"),
        ("pie suite", "unknown table 'pie suite'; kinds: overview"),
        ("run suite/mug_cleanup", "has no results"),
        ("experts nowhere", "no tasks"),
        ("seeds broken", "no successes"),
    ],
)
def test_bad_tables_are_input_errors(results: Path, name: str, words: str) -> None:
    broken = results / "broken/csil/seed_0"
    broken.mkdir(parents=True)
    write(broken / "csil_0.json", {key: 0 for key in RESULT_KEYS if key != "successes"} | {"training": None})
    page = results / "page.md"
    page.write_text(f"<!-- table: {name} -->\n<!-- end -->\n", encoding="utf-8")
    with pytest.raises(InputError, match=words):
        table.main([str(page), "--results", str(results)])


def test_tables_of_the_repository_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    table.main(["--check"])


def stored() -> Iterator[tuple[Path, dict[str, Any]]]:
    """All success rates in ``results``."""
    for path in sorted(RESULTS.glob("*/*/*/seed_*/*.json")):
        if path.name not in ("summary.json", "pretraining.json"):
            yield path, read_json(path)


def test_stored_results_have_one_schema() -> None:
    """Rate and interval follow from the counts, the folder from task and seed; the origin is given."""
    wrong = []
    for path, result in stored():
        low, high = wilson_interval(result["successes"], result["episodes"])
        rate = result["successes"] / result["episodes"]
        seed = int(path.parent.name.removeprefix("seed_"))
        if result.get("checkpoint"):
            seed += 1_000_000  # initial states that training has not seen
        seeds = result.get("seeds", [seed])  # demonstrations that are replayed have none
        if (
            [result[key] for key in ("success", "low", "high")] != pytest.approx([rate, low, high])
            or path.parents[2].name != task_folder(result["task"])
            or seeds != [seed]
            or not result["git_revision"]
            or not result["command"]
            or "overrides" not in result
        ):
            wrong.append(str(path.relative_to(RESULTS)))
    assert wrong == []


def test_stored_benchmarks_have_one_schema() -> None:
    """Rates follow from the outcomes, all of them of equally many episodes; the folder from task and seed."""
    wrong = []
    for path in sorted(RESULTS.glob("*/*/*/seed_*.json")):
        result = read_json(path)
        valid = path.parents[1].name == task_folder(result["task"]) and result["recipe_hash"] and result["versions"]
        if "failed" not in result:
            rates = [result["base"], *result[result["settings"]["agent"]]["curve"]]
            valid = (
                valid
                and path.stem == f"seed_{result['settings']['seed']}"
                and {len(rate["outcomes"]) for rate in rates} == {result["settings"]["episodes"]}
                and all(rate["success"] == rate["outcomes"].count("1") / rate["episodes"] for rate in rates)
                and result["git_revision"]
                and result["command"]
            )
        if not valid:
            wrong.append(str(path.relative_to(RESULTS)))
    assert wrong == []
