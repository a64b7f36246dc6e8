# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Apply one-line mutations of the learner, one at a time, and list those that no test notices.

The mutations are data, ``mutations.toml``: faults that someone could make in the mathematics of the updates, not the
operator swaps that mutation tools generate, of which most are equivalent or need the whole suite.

Example::

    python tests/mutants/run.py                  # all of them
    python tests/mutants/run.py losses buffer    # those whose file or text contains one of the words
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCES = Path("exts/cohoff/cohoff")


def survives(mutation: dict[str, Any], copy: Path) -> bool:
    """Whether the tests pass with the mutation in the copy of the tree."""
    path = copy / SOURCES / mutation["file"]
    original = path.read_text(encoding="utf-8")
    if original.count(mutation["before"]) != 1:
        raise SystemExit(f"error: {mutation['before']!r} does not stand exactly once in {mutation['file']}")
    path.write_text(original.replace(mutation["before"], mutation["after"]), encoding="utf-8")
    tests = [f"tests/{name if '/' in name else f'unit/{name}'}.py" for name in mutation["tests"]]
    environment = os.environ | {"PYTHONPATH": str(copy / "exts/cohoff"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False).returncode == 0
    finally:
        path.write_text(original, encoding="utf-8")


def main() -> int:
    """Run all mutations that the words on the command line choose; the status is the number of unexplained ones."""
    words = sys.argv[1:]
    content = tomllib.loads((Path(__file__).parent / "mutations.toml").read_text(encoding="utf-8"))
    mutations = [m for m in content["mutation"] if not words or any(w in m["file"] + m["before"] for w in words)]
    unexplained = survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("exts", "tests", "pyproject.toml"):
            source = ROOT / part
            shutil.copytree(source, copy / part) if source.is_dir() else shutil.copy(source, copy / part)
        for index, mutation in enumerate(mutations, 1):
            alive = survives(mutation, copy)
            reason = mutation.get("survives_because")
            survivors += alive
            unexplained += alive and reason is None
            outcome = f"SURVIVES ({reason or 'no reason given'})" if alive else "killed"
            print(
                f"{index}/{len(mutations)} {mutation['file']}: {mutation['before']} -> {mutation['after']}: {outcome}"
            )
    print(f"{len(mutations) - survivors} of {len(mutations)} killed, {unexplained} survive without a reason")
    return min(unexplained, 1)


if __name__ == "__main__":
    sys.exit(main())
