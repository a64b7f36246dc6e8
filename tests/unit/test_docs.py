# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Pages that name commands, options, files and messages that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cohoff.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = [*(ROOT / "exts").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")]
OF_THE_SYSTEM = {"No space left on device"}


COMMAND = re.compile(r"(?:python -m cohoff |python scripts/|^cohoff )(\w+)(?:\.py)?(.*)$", re.MULTILINE)
HELP = """
import contextlib, sys
from importlib import import_module
for name in sys.argv[1:]:
    print("command", name)
    with contextlib.suppress(SystemExit):
        import_module(f"cohoff.commands.{name}").parse_arguments(["--help"])
"""


def documented() -> dict[str, set[str]]:
    """Options that the pages use, for each command of ours."""
    found: dict[str, set[str]] = {}
    for page in PAGES:
        for name, rest in COMMAND.findall(page.read_text(encoding="utf-8").replace("\\\n", " ")):
            used = re.findall(r"(--[a-z][\w-]*)", rest.split("#")[0].split("`")[0])
            found.setdefault(name, set()).update(used)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_documented_options_exist() -> None:
    used = {
        name: options for name, options in documented().items() if name not in ("benchmark_pi05", "cluster", "gallery")
    }
    assert used.keys() <= COMMANDS.keys()
    arguments = [sys.executable, "-c", HELP, *used]
    output = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=True).stdout
    for text in output.split("command ")[1:]:
        name = text.split()[0]
        if name in used:
            known = set(re.findall(r"(--[a-z][\w-]*)", text))
            assert used[name] <= known, (name, used[name] - known)


def test_messages_in_troubleshooting_exist() -> None:
    source = " ".join(path.read_text(encoding="utf-8") for path in SOURCES)
    text = re.sub(r'"\s*\n\s*f?"', "", source)  # messages that are written over several lines
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(lines) > 35
    for line in lines:
        assert line in text or line in OF_THE_SYSTEM, line
