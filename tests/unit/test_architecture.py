# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The arrows of the architecture."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "exts" / "cohoff"
TASKS = ROOT / "tasks"
SIMULATOR = ("isaaclab", "pxr", "warp", "newton", "mujoco", "omni", "isaacsim")

GROUND = {"errors", "cli", "files", "memory", "provenance", "run_folder", "settings"}
ARROWS = {
    **dict.fromkeys(GROUND, GROUND),
    "networks": GROUND,
    "data": GROUND,
    "policies": {"networks", *GROUND},
    "experiments": GROUND,
    "offpolicy": {"policies", "data", "networks", *GROUND},
    "algorithms": {"offpolicy", "policies", "data", "networks", *GROUND},
    "benchmarks": {"algorithms", "offpolicy", "policies", "data", "networks", "experiments", *GROUND},
    "stress": {"algorithms", "offpolicy", "policies", "data", "networks", "experiments", *GROUND},
    "isaac": {"algorithms", "offpolicy", "policies", "data", "networks", "experiments", *GROUND},
    "commands": {
        "isaac",
        "benchmarks",
        "stress",
        "algorithms",
        "offpolicy",
        "policies",
        "data",
        "networks",
        "experiments",
        *GROUND,
    },
    "__main__": {"commands", *GROUND},
}
"""What each room of ``cohoff`` may import beside itself."""

SIMULATES = {"isaac", "commands"}
"""Rooms that may import a simulator; ``*_cfg.py`` may everywhere."""


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names of everything that a file imports, at any depth."""
    root = next(root for root in (CORE, TASKS) if path.is_relative_to(root))
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else ()
            yield from (".".join(filter(None, (*parents, node.module, alias.name))) for alias in node.names)


def violations() -> Iterator[str]:
    """Imports against the arrows, one line each."""
    for path in sorted([*CORE.rglob("*.py"), *TASKS.rglob("*.py")]):
        is_core = path.is_relative_to(CORE)
        parts = path.relative_to(CORE if is_core else TASKS).with_suffix("").parts
        room = parts[1] if len(parts) > 1 else ""
        for name in imports_of(path):
            top, *rest = name.split(".")
            if top in ("scripts", "tests") or (is_core and top == "cohoff_tasks"):
                yield f"{path.relative_to(ROOT)} imports {name}"
            if not is_core or room in ("", "__init__"):
                continue
            allowed = {room, "__version__", *ARROWS[room]}
            if top == "cohoff" and rest and rest[0] not in allowed:
                yield f"{path.relative_to(ROOT)} imports {name}"
            if name.startswith(SIMULATOR) and room not in SIMULATES and not path.name.endswith("_cfg.py"):
                yield f"{path.relative_to(ROOT)} imports {name}"


def test_imports_follow_the_arrows() -> None:
    assert list(violations()) == []


def test_the_learner_loads_without_a_simulator() -> None:
    """Importing every module outside of the simulator's rooms and the configurations brings in no simulator."""
    modules = [
        ".".join(parts)
        for path in CORE.rglob("*.py")
        if not SIMULATES & set(parts := path.relative_to(CORE).with_suffix("").parts)
        and not path.name.endswith(("_cfg.py", "__main__.py"))
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        f"loaded = sorted(n for n in sys.modules if n.split('.')[0].startswith({SIMULATOR!r}))\n"
        "assert not loaded, loaded"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert process.returncode == 0, process.stderr


def test_hooks_have_the_pinned_versions() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    pins = set((ROOT / "constraints.txt").read_text(encoding="utf-8").split())
    tools = re.findall(r"additional_dependencies: \[(.+)\]", hooks)
    assert tools and pins.issuperset(tools)
