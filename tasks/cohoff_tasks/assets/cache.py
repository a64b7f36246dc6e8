# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Per-user cache of generated assets."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cohoff.errors import InputError, exit_on_input_error


def cache_root() -> Path:
    """Folder of the cache: ``$XDG_CACHE_HOME/cohoff/assets``, by default under ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cohoff" / "assets"


CONTENT = "content.json"
"""List of a folder's files, in the folder."""

ABANDONED_AFTER = 3600.0
"""Age at which a folder that is being built counts as left behind by a killed process [s]."""


def cached_folder(name: str, key: Any, build: Callable[[Path], None]) -> Path:
    """Folder filled by ``build`` on the first call with ``key``, and reused afterwards.

    The folder appears with a single rename, so an interrupted build leaves nothing that is used. If two processes build
    at the same time, both use the result of the first to finish. A folder that has lost a file is built again. Where
    the cache cannot be written, the process ends with one line.

    Args:
        name: Prefix of the folder's name.
        key: Everything that the content depends on, as JSON-serializable values.
        build: Called with the empty folder to fill.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    target = cache_root() / f"{name}-{digest}"
    if _is_whole(target):
        return target
    with exit_on_input_error():
        temporary = _make_temporary(target.parent, name)
    try:
        build(temporary)
        files = sorted(str(path.relative_to(temporary)) for path in temporary.rglob("*") if path.is_file())
        (temporary / CONTENT).write_text(json.dumps(files), encoding="utf-8")
        temporary.chmod(0o755)
        if not _is_whole(target):
            shutil.rmtree(target, ignore_errors=True)
        try:
            temporary.rename(target)
        except OSError:
            if not _is_whole(target):
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _is_whole(folder: Path) -> bool:
    content = folder / CONTENT
    if not content.is_file():
        return False
    return all((folder / name).is_file() for name in json.loads(content.read_text(encoding="utf-8")))


def _make_temporary(root: Path, name: str) -> Path:
    """A new folder to build in; those that killed processes left behind are removed."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob(f".{name}-*"):
            with suppress(FileNotFoundError):  # another process removes it as well
                if time.time() - left.stat().st_mtime > ABANDONED_AFTER:
                    shutil.rmtree(left)
        return Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
    except OSError as error:
        raise InputError(
            f"the cache of assets {str(root)!r} cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder"
        ) from error
