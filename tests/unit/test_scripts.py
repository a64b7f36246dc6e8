# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Bad input ends a command with one line that names the value, before anything is simulated, and leaves no file."""

from __future__ import annotations

import json
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from result_cases import make_result, write_benchmark

SCRIPTS = Path(__file__).parents[2] / "scripts"
TASK = "Cohoff-Square-Franka"


@pytest.fixture(autouse=True)
def keep_handlers() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str]]:
    """Run a script in an empty folder; return its exit status and what it wrote to stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(SCRIPTS))  # as Python does for a script

    def run_script(name: str, *arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [str(SCRIPTS / name), *map(str, arguments)])
        with pytest.raises(SystemExit) as info:
            runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        return int(info.value.code or 0), capsys.readouterr().err

    return run_script


SEEING = ("--task", "Cohoff-Square-Camera-Franka", "--agent", "csil_vision")
EXPORT = ("export_lerobot.py", "--task", TASK, "--demos")
IMPORT = ("import_lerobot.py", "--task", TASK, "--dataset")
EVALUATE = ("evaluate.py", "--task", TASK, "--json", "out.json", "--policy")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evaluate.py", "--task", "Nowhere", "--policy", "expert"), ["'Nowhere'", TASK]),
        ((*EVALUATE, "nobody"), ["'nobody'", "trained"]),
        ((*EVALUATE, "expert", "--episodes", "0"), ["--episodes", "at least 1, not 0"]),
        ((*EVALUATE, "expert", "--num_envs", "-3"), ["--num_envs", "at least 1, not -3"]),
        ((*EVALUATE, "expert", "--seed", "one"), ["--seed", "int", "'one'"]),
        ((*EVALUATE, "expert", "--device", "tpu"), ["'tpu'", "cpu"]),
        ((*EVALUATE, "expert", "--checkpoint", "x.pt"), ["'x.pt'", "leave"]),
        ((*EVALUATE, "base"), ["--checkpoint"]),
        ((*EVALUATE, "base", "--checkpoint", "none.safetensors"), ["'none.safetensors'", "pretrain.py"]),
        ((*EVALUATE, "base", "--base", "pi05"), ["base pi05", "base_checkpoint"]),
        (
            (*EVALUATE, "base", "--base", "pi05", "--base_checkpoint", "none"),
            ["'none'", "weights", "lerobot/pi05_base"],
        ),
        ((*EVALUATE, "trained", "--checkpoint", "none.pt"), ["'none.pt'", "does not exist"]),
        ((*EVALUATE, "clone", "--checkpoint", "none.pt", "--base", "b"), ["--base", "clone"]),
        ((*EVALUATE, "expert", "d1"), ["'d1'", "presets=NAME"]),
        ((*EVALUATE, "expert", "presets=d9"), ["d9", "d1", TASK]),
        ((*EVALUATE, "expert", "physics=bullet"), ["bullet", "newton_mjwarp"]),
        ((*EVALUATE, "expert", "env.sim.speed=2"), ["'speed'", "env.sim"]),
        ((*EVALUATE, "expert", "env.scene.nut.init_state.pos=(3.0,0.0,0.0)"), ["'nut'", "3.0", "workspace"]),
        (("record_video.py", "--task", TASK, "--policy", "expert", "--output", "video.mp4"), ["'video.mp4'", ".gif"]),
        ((*EVALUATE, "random", "--checkpoint", "x.pt"), ["random", "'x.pt'"]),
        (("replay_demos.py", "--task", TASK, "--demos", "none.hdf5"), ["'none.hdf5'", "collect_demos.py"]),
        ((*EXPORT, "none.hdf5", "--output", "o"), ["'none.hdf5'", "collect_demos.py"]),
        ((*EXPORT, "d.hdf5", "--output", "."), ["'.'", "exists", "new folder"]),
        ((*EXPORT, "d.hdf5", "--output", "o", "--version", "v1.6"), ["'v1.6'", "v3.0", "v2.1"]),
        ((*IMPORT, "none", "--output", "d.hdf5"), ["'none'", "no LeRobot dataset"]),
        ((*IMPORT, "none", "--output", "d.h5"), ["'d.h5'", ".hdf5"]),
        (("benchmark_env.py", "--task", TASK, "--num_envs", "16", "0"), ["--num_envs", "at least 1, not 0"]),
        (("gallery.py", "--render", "Nowhere"), ["'Nowhere'", TASK]),
        (("collect_demos.py", "--task", TASK, "--num_demonstrations", "2", "--output", "d.h5"), ["'d.h5'", ".hdf5"]),
        (
            ("collect_demos.py", "--task", TASK, "--num_demonstrations", "2", "--output", "d.hdf5", "--noise", "nan"),
            ["--noise", "0.0", "nan"],
        ),
        (("demo.py", "--num_demonstrations", "1"), ["--num_demonstrations", "at least 2, not 1"]),
        (("demo.py", "--reward", "dense"), ["'dense'", "sparse"]),
        (("demo.py", "--agent", "nobody"), ["'nobody'", "csil", TASK]),
        (("demo.py", "--resume"), ["nothing to resume"]),
        (("demo.py", "--base_from", "elsewhere"), ["'elsewhere'", "disturbed.hdf5"]),
        (("demo.py", "--base", "pi05"), ["base pi05", "base_checkpoint"]),
        (("demo.py", "--train_pi05"), ["-Camera-", "csil_vision"]),
        (("demo.py", *SEEING, "--train_pi05"), ["84 x 84", "presets=pictures48"]),
        (("demo.py", "--train_pi05", "--base", "pi05"), ["--train_pi05", "leave --base"]),
        (("demo.py", "--base", "none.safetensors"), ["'none.safetensors'", "pretrain.py"]),
        (("benchmark_pi05.py", "--batch", "8", "0"), ["--batch", "at least 1, not 0"]),
        (("plot.py", "--curve", "a", "nowhere", "--output", "o.png"), ["'nowhere'", "evaluate"]),
        (("plot.py", "--curve", "a", "nowhere", "--output", "o.txt"), ["'o.txt'", ".png"]),
        (("plot.py", "--output", "o.png"), ["--curve", "--suite"]),
        (("plot.py", "--suite", "nowhere", "--output", "o.png"), ["'nowhere/suite.json'"]),
        (("plot.py", "--suite", "s", "--base", "b.json", "--output", "o.png"), ["--base", "--curve"]),
        (("benchmark.py", "nowhere"), ["nowhere.yaml", "scripts/benchmarks"]),
        (("status.py",), ["logs/rsl_rl"]),
        (("status.py", "."), ["no run in '.'"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input(
    call: Callable[..., tuple[int, str]], tmp_path: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    status, error = call(*arguments)
    assert status == 2 and error.startswith("error: ") and error.count("\n") == 1, error
    assert all(word in error for word in words), error
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_where_there_is_none(call: Callable[..., tuple[int, str]]) -> None:
    status, error = call(*EVALUATE, "expert", "--device", "cuda:0")
    assert status == 2 and "'cuda:0'" in error and error.count("\n") == 1


def test_plot_draws_runs(call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    for seed in range(2):
        folder = tmp_path / f"run{seed}"
        folder.mkdir()
        for i in range(4):
            (folder / f"csil_{i}.json").write_text(json.dumps(make_result(40 + 5 * i + seed, 64, 1000 * i)))
    (tmp_path / "base.json").write_text(json.dumps(make_result(38, 64, 0)))
    for runs in (["run0"], ["run0", "run1"]):
        status, error = call("plot.py", "--curve", "CSIL++", *runs, "--base", "base.json", "--output", "o.png")
        assert status == 0 and error == "" and (tmp_path / "o.png").stat().st_size > 10_000


def test_plot_draws_suites(call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    write_benchmark(tmp_path / "suite")
    status, error = call("plot.py", "--suite", "suite", "--title", "a suite", "--output", "o.png")
    assert status == 0 and error == "" and (tmp_path / "o.png").stat().st_size > 10_000


def test_initial_states_of_the_gallery() -> None:
    _, _, *rows = runpy.run_path(str(SCRIPTS / "gallery.py"))["initial_states"]([TASK])
    assert rows == [f"| `{TASK}` | nut | 10 x 10 cm, any heading | 20 x 26 cm, any heading |"]
