# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files and folders that are either complete or absent, and errors of one line for those that cannot be read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cohoff.errors import InputError


def check_target(path: str | os.PathLike[str]) -> Path:
    """``path``, if a file can be written there; missing folders are created. For a check before hours of work.

    Raises:
        InputError: ``path`` is a folder, or its folder cannot be created or written to.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"cannot write {str(path)!r}: it is a folder; give the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create the folder of {str(path)!r}: {error.strerror}") from error
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"cannot write {str(path)!r}: its folder is not writable")
    return path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` to write to; it becomes ``path`` on success and is removed on any failure.

    Missing folders are created. The sibling has the suffix of ``path``, which some writers look at. The data reach the
    disk before the rename, so that a crash leaves the old file or the new one.

    Raises:
        InputError: As :func:`check_target`.
    """
    path = check_target(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode  # that of the umask; some writers make files that only their owner can read
        yield temporary
        temporary.chmod(mode)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk is reported without it
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty temporary sibling of ``path`` to fill; it becomes ``path`` on success, or is removed on a failure.

    Raises:
        InputError: ``path`` exists, or as :func:`check_target`.
    """
    path = check_new_folder(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.mkdir()
    try:
        yield temporary
        for file in (*temporary.rglob("*"), temporary):
            _sync(file)
        temporary.rename(path)
        _sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_new_folder(path: str | os.PathLike[str]) -> Path:
    """``path``, if a folder can be created there. For a check before hours of work.

    Raises:
        InputError: ``path`` exists, or as :func:`check_target`.
    """
    if Path(path).exists():
        raise InputError(f"cannot write {str(path)!r}: it exists; give the name of a new folder")
    return check_target(path)


@contextmanager
def reading(path: str | os.PathLike[str], cure: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged or foreign file into one line that names it and the ``cure``.

    Raises:
        InputError: Anything went wrong; an :class:`InputError` from inside is passed on.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # h5py, safetensors, torch and json raise a dozen kinds between them
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise InputError(f"{str(path)!r} is damaged or not of its kind ({reason[:200]}); {cure}") from error


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write ``value`` as indented JSON, atomically.

    Raises:
        ValueError: It contains non-finite numbers, which are not JSON.
    """
    text = json.dumps(value, indent=2, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
