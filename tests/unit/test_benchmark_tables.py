# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Tables of a suite, from results that were made up so that all numbers can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from result_cases import make_summary, write_benchmark

from cohoff.errors import InputError
from cohoff.experiments.benchmark_results import read_benchmark
from cohoff.experiments.tables import build_table
from cohoff.files import write_json


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    write_benchmark(folder)
    return folder


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_results_of_a_suite_are_read(suite: Path) -> None:
    results = read_benchmark(suite)
    assert (results.tasks, results.settings) == (["Square", "NutAssembly"], ["csil", "bc"])
    assert results.failed == [("NutAssembly", "csil")]
    assert [(run.task, run.setting, run.seed) for run in results.runs] == [
        ("Square", "csil", 0), ("Square", "csil", 1), ("Square", "bc", 0), ("Square", "bc", 1),
        ("NutAssembly", "csil", 0), ("NutAssembly", "bc", 0), ("NutAssembly", "bc", 1),
    ]  # fmt: skip
    run = results.runs[0]
    assert [one["success"] for one in (run.base, run.step0, run.worst, run.final)] == [0.4, 0.5, 0.6, 0.9]
    assert run.area == pytest.approx((0.55 + 0.75) / 2)
    assert (run.steps_to(0.6), run.steps_to(0.9), run.steps_to(0.95)) == (1000, 2000, None)


def test_a_row_for_every_task_and_setting(suite: Path) -> None:
    header, _, *lines = build_table("benchmark suite", suite.parent)
    rows = [dict(zip(cells(header), cells(line), strict=True)) for line in lines]
    assert [(row["task"], row["setting"], row["seeds"], row["failed"]) for row in rows] == [
        ("Square", "csil", "2", "0"), ("Square", "bc", "2", "0"),
        ("NutAssembly", "csil", "1", "1"), ("NutAssembly", "bc", "2", "0"),
    ]  # fmt: skip
    csil, bc, nut, _ = rows
    assert (csil["base"], csil["step 0"], csil["final"]) == ("0.450", "0.550", "0.950")
    # Each seed wins one episode and loses none: p = 2 / 2^2.
    assert csil["step 0 against base"] == "+2 -0 (p 0.5)"
    # Seed 0: 2 won, none lost of 10, half width 1.96 sqrt(2 - 4 / 10) / 10 = .25.
    assert csil["worst - base"] == "+0.200 (-0.05 to +0.45)"
    assert csil["worst - step 0"] == "+0.100"
    assert csil["steps to 0.9"] == "1,500"  # 2,000 and 1,000
    # Areas .65 and .85.
    assert csil["area under curve"] == "0.750 (0.65 to 0.85)"
    # Seed 0 falls to .3: from .4 by 1 won and 2 lost, half width 1.96 sqrt(3 - 1 / 10) / 10 = .33; from step 0 by .2.
    assert bc["worst - base"] == "-0.100 (-0.43 to +0.23)" and bc["worst - step 0"] == "-0.200"
    assert bc["steps to 0.9"] == "-"  # never reached
    assert nut["area under curve"] == "0.200" and nut["step 0 against base"] == "+0 -0 (p 1)"


def test_one_seed_that_never_gets_there_leaves_a_dash(suite: Path) -> None:
    (suite / "square/csil/seed_0.json").write_text(
        json.dumps(make_summary("Square", 0, "0111100000", {0: "1111100000", 1000: "1111111100"}))
    )
    header, _, line, *_ = build_table("benchmark suite", suite.parent)
    assert dict(zip(cells(header), cells(line), strict=True))["steps to 0.9"] == "-"


def test_settings_are_compared_where_all_have_results(suite: Path) -> None:
    """Square with both seeds and NutAssembly with seed 0; that seed 1 failed for csil takes it from bc, too."""
    header, _, *lines = build_table("comparison suite", suite.parent)
    csil, bc = (dict(zip(cells(header), cells(line), strict=True)) for line in lines)
    assert (csil["setting"], csil["runs"], bc["setting"], bc["runs"]) == ("csil", "3", "bc", "3")
    # .9, 1 and .3; .8, .8 and .3. With three scores nothing is trimmed, with one seed in a task there is no interval.
    assert (csil["final"], bc["final"]) == ("0.733", "0.633")
    # .65, .85 and .2; .4 + .15 / 2 = .475, .65 and .2.
    assert (csil["area under curve"], bc["area under curve"]) == ("0.567", "0.442")
    # Square: never; NutAssembly: a tie. For the areas, one of four pairs is a tie as well.
    assert (bc["better final"], bc["better area"]) == ("0.25", "0.31")
    assert bc["finals"] == "+0 -3 (p 0.25)"
    assert (csil["better final"], csil["better area"], csil["finals"]) == ("-", "-", "-")


def test_other_initial_states_are_not_paired(suite: Path) -> None:
    for seed in (0, 1):
        path = suite / f"square/bc/seed_{seed}.json"
        content = json.loads(path.read_text())
        content["settings"]["overrides"] = ["presets=d1", "agent.algorithm.beta=1"]
        path.write_text(json.dumps(content))
    header, _, _, line = build_table("comparison suite", suite.parent)
    row = dict(zip(cells(header), cells(line), strict=True))
    assert row["finals"] == "-" and row["better final"] == "0.25"


def test_a_setting_without_results_leaves_the_others_comparable(suite: Path) -> None:
    definition = json.loads((suite / "suite.json").read_text())
    definition["settings"] = {"csil": {}, "later": {}, "bc": {}}
    write_json(suite / "suite.json", definition)
    header, _, _, later, bc = (cells(line) for line in build_table("comparison suite", suite.parent))
    assert later == ["later", "0", *["-"] * (len(header) - 2)] and bc[1] == "3"
    definition["settings"] = {"later": {}, "csil": {}, "bc": {}}
    write_json(suite / "suite.json", definition)
    *_, bc = (cells(line) for line in build_table("comparison suite", suite.parent))
    assert bc[1:3] == ["3", "0.633"] and bc[-3:] == ["-", "-", "-"]  # the first has nothing to compare with


def test_results_that_the_suite_no_longer_asks_for_are_left_out(suite: Path) -> None:
    write_json(suite / "suite.json", {"tasks": {"Square": {}}, "settings": {"bc": {}}})
    results = read_benchmark(suite)
    assert {(run.task, run.setting) for run in results.runs} == {("Square", "bc")} and results.failed == []


def test_seeds_of_different_recipes_are_not_mixed(suite: Path) -> None:
    path = suite / "square/bc/seed_1.json"
    content = json.loads(path.read_text())
    content["settings"]["overrides"] = ["agent.algorithm.beta=1"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"bc/seed_1\.json' has another overrides"):
        read_benchmark(suite)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda suite: (suite / "suite.json").unlink(), "suite.json"),
        (lambda suite: write_json(suite / "square/bc/seed_0.json", {"task": "Cohoff-Square-Franka"}), "seed_0.json"),
        (
            lambda suite: write_json(suite / "suite.json", {"tasks": {"Coffee": {}}, "settings": {"bc": {}}}),
            "no results",
        ),
    ],
)
def test_broken_suites_are_input_errors(suite: Path, break_it, words: str) -> None:
    break_it(suite)
    with pytest.raises(InputError, match=words):
        build_table("benchmark suite", suite.parent)
