# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Where a result comes from: revision, versions and command line."""

from __future__ import annotations

import shlex
import subprocess
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("cohoff", "isaaclab", "newton", "mujoco-warp", "warp-lang", "torch", "rsl-rl-lib")


def provenance() -> dict[str, Any]:
    """``git_revision``, ``versions`` and ``command`` of this process, as JSON values."""
    return {"git_revision": git_revision(), "versions": versions(), "command": command_line()}


def git_revision() -> str | None:
    """Commit of the checkout that this file is in, with ``-dirty`` where tracked files differ; None outside of one."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        process = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return process.stdout.strip() or None


def versions() -> dict[str, str]:
    """Versions of the packages that results depend on, of those that are installed."""
    installed = {}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            installed[name] = metadata.version(name)
    return installed


def command_line() -> str:
    """Command line of this process, ``cohoff <command> ...`` or the script relative to the working directory."""
    program = Path(sys.argv[0])
    if program.name == "cohoff" or program.parts[-2:] == ("cohoff", "__main__.py"):
        return shlex.join(["cohoff", *sys.argv[1:]])
    if program.is_absolute() and program.is_relative_to(Path.cwd()):
        program = program.relative_to(Path.cwd())
    return shlex.join(["python", str(program), *sys.argv[1:]])
