# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Fail unless the given files state their license, and Markdown pages have at most 120 columns.

Python, YAML, the Makefile and shell scripts start with the two lines of the license, after ``#!`` if they have one. The
rows of tables that ``cohoff table`` writes may be longer: nobody can wrap them.
"""

import sys
from pathlib import Path

LICENSE = ["# Copyright (c) 2026, The cohoff developers.", "# SPDX-License-Identifier: BSD-3-Clause"]
WIDTH = 120


def blocks(lines: list[str]) -> list[tuple[int, int]]:
    """First and last line of every written table."""
    openings = [i for i, line in enumerate(lines) if line.startswith("<!-- table: ")]
    return [(i, lines.index("<!-- end -->", i)) for i in openings]


def problems(path: Path) -> list[str]:
    """What is wrong with a file, one line each."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".md":
        written = {i for opening, end in blocks(lines) for i in range(opening, end)}
        wide = (i for i, line in enumerate(lines) if len(line) > WIDTH and i not in written)
        return [f"{path}:{i + 1}: {len(lines[i])} columns" for i in wide]
    start = 1 if lines and lines[0].startswith("#!") else 0
    return [] if lines[start : start + 2] == LICENSE else [f"{path}: does not start with the license"]


found = [problem for name in sys.argv[1:] for problem in problems(Path(name))]
print(*found, sep="\n", end="\n" if found else "")
sys.exit(bool(found))
