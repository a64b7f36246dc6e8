# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Per-user cache of generated assets."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cache_root() -> Path:
    """Folder of the cache: ``$XDG_CACHE_HOME/cohoff/assets``, by default under ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cohoff" / "assets"


def cached_folder(name: str, key: Any, build: Callable[[Path], None]) -> Path:
    """Folder filled by ``build`` on the first call with ``key``, and reused afterwards.

    The folder appears with a single rename, so an interrupted build leaves nothing behind. If two processes build at
    the same time, both use the result of the first to finish.

    Args:
        name: Prefix of the folder's name.
        key: Everything that the content depends on, as JSON-serializable values.
        build: Called with the empty folder to fill.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    target = cache_root() / f"{name}-{digest}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
    try:
        build(temporary)
        temporary.chmod(0o755)
        try:
            temporary.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target
