# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Write the tables of README.md, docs/ and results/ from the files in results/.

A table stands between ``<!-- table: KIND FOLDER -->`` and ``<!-- end -->``. To be called in the root of the repository.

Example::

    cohoff table            # write them
    cohoff table --check    # fail if one is not up to date
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cohoff.cli import command_parser
from cohoff.errors import InputError
from cohoff.experiments.tables import build_table, fill
from cohoff.files import atomic_path


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = command_parser("table", __doc__)
    parser.add_argument("pages", nargs="*", type=Path, help="Markdown files (default: README.md, docs/, results/)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results (default: results)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a table is not up to date")
    args = parser.parse_args(argv)
    if not args.results.is_dir():
        raise InputError(f"no folder {str(args.results)!r}; call this in the root of the repository or give --results")
    return args


def main(argv: Sequence[str]) -> None:
    """Fill the pages in, or check them."""
    args = parse_arguments(argv)
    default = [Path("README.md"), *sorted(Path("docs").rglob("*.md")), *sorted(Path("results").rglob("*.md"))]
    outdated = []
    for page in args.pages or default:
        try:
            text = page.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot read {str(page)!r}: {error.strerror}") from error
        try:
            filled = fill(text, "table", lambda name: build_table(name, args.results))
        except InputError as error:
            raise InputError(f"{page}: {error}") from error
        if filled != text:
            outdated.append(str(page))
            if not args.check:
                with atomic_path(page) as temporary:
                    temporary.write_text(filled, encoding="utf-8")
                print(page)
    if args.check and outdated:
        raise InputError(f"tables are not up to date in {', '.join(outdated)}; write them with `cohoff table`")
