# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""How scripts end, and files that are complete or absent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Never

import pytest

from cohoff.cli import ArgumentParser, run
from cohoff.errors import InputError
from cohoff.files import atomic_path, write_json


@pytest.fixture(autouse=True)
def keep_handlers() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


def raising(error: BaseException) -> Callable[[], Never]:
    def main() -> Never:
        raise error

    return main


@pytest.mark.parametrize(
    ("main", "status"),
    [(lambda: None, None), (lambda: 3, 3), (raising(InputError("x")), 2), (raising(KeyboardInterrupt()), 130)],
)
def test_exit_status(main: Callable[[], int | None], status: int | None) -> None:
    with pytest.raises(SystemExit) as info:
        run(main)
    assert info.value.code == status


def test_a_reader_that_has_left_is_no_error() -> None:
    """As in ``cohoff benchmark SUITE --list | head -1``."""
    code = "from cohoff.cli import run; run(lambda: print('line\\n' * 100_000))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_input_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(raising(InputError("'a'\nis not\n  a number")))
    captured = capsys.readouterr()
    assert captured.err == "error: 'a' is not a number\n" and captured.out == ""


def test_complaints_about_arguments_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    parser.add_argument("--policy", choices=("expert", "base"))
    with pytest.raises(SystemExit) as info:
        run(lambda: parser.parse_args(["--policy", "nobody"]) and None)
    error = capsys.readouterr().err
    assert info.value.code == 2 and error.count("\n") == 1 and "'nobody'" in error


def test_termination_unwinds(tmp_path: Path) -> None:
    def main() -> None:
        with atomic_path(tmp_path / "a.txt") as path:
            path.write_text("half")
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit) as info:
        run(main)
    assert info.value.code == 128 + signal.SIGTERM and list(tmp_path.iterdir()) == []


def test_other_errors_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.hdf5"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        assert temporary.suffix == ".hdf5" and temporary.parent == path.parent
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1} and list(path.parent.iterdir()) == [path]


def test_non_finite_numbers_are_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_unusable_targets(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"), atomic_path(tmp_path):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot create the folder"), atomic_path(tmp_path / "file" / "a.json"):
        pass
