# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The arrows of the architecture: scripts, tests -> cohoff_tasks -> cohoff.isaac -> the rest of cohoff."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "exts" / "cohoff"
TASKS = ROOT / "tasks"
SIMULATOR = ("isaaclab", "pxr", "warp", "newton", "mujoco", "omni", "isaacsim")
FILES = sorted([*CORE.rglob("*.py"), *TASKS.rglob("*.py")])
SOURCES = sorted([*FILES, *(ROOT / "scripts").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "setup.py"])


def imports_of(path: Path) -> set[str]:
    """Dotted names of everything that a file imports, at any depth."""
    root = next(root for root in (CORE, TASKS) if path.is_relative_to(root))
    package = path.relative_to(root).parent.parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else ()
            names |= {".".join(filter(None, (*parents, node.module, alias.name))) for alias in node.names}
    return names


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    imports = imports_of(path)
    for upper in ("scripts", "tests"):
        assert not any(is_within(name, upper) for name in imports), f"nothing may import {upper}"
    if path.is_relative_to(TASKS):
        return
    assert not any(is_within(name, "cohoff_tasks") for name in imports), "cohoff must not import cohoff_tasks"
    room = CORE / "cohoff" / "isaac"
    if path.is_relative_to(room):
        return
    assert not any(is_within(name, "cohoff.isaac") for name in imports), "only tasks and scripts use cohoff.isaac"
    if not path.name.endswith("_cfg.py"):
        simulator = {name for name in imports if name.startswith(SIMULATOR)}
        assert not simulator, f"only cohoff.isaac and *_cfg.py may import {simulator}"


def test_the_learner_loads_without_a_simulator():
    """Importing every module outside of ``cohoff.isaac`` and the configurations brings in no simulator."""
    modules = [
        ".".join(path.relative_to(CORE).with_suffix("").parts)
        for path in CORE.rglob("*.py")
        if "isaac" not in path.relative_to(CORE).parts and not path.name.endswith("_cfg.py")
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        f"loaded = sorted(n for n in sys.modules if n.split('.')[0].startswith({SIMULATOR!r}))\n"
        "assert not loaded, loaded"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_states_its_licence(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    start = 1 if lines[0].startswith("#!") else 0
    assert lines[start : start + 2] == [
        "# Copyright (c) 2026, The cohoff developers.",
        "# SPDX-License-Identifier: BSD-3-Clause",
    ]
