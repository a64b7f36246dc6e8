# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Errors caused by the user's input, or by the disk."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """A value given by the user cannot be used; the message is one line that names it and says what to do."""


DISK = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT,
    errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EMFILE,
}  # fmt: skip
"""Reasons for which the system refuses to read or write a file."""


@contextmanager
def exit_on_input_error() -> Iterator[None]:
    """End the process with the single line ``error: ...`` and status 2 on an :class:`InputError`, or on a file that the
    system cannot read or write.
    """
    try:
        yield
    except InputError as error:
        message = str(error)
    except OSError as error:
        if error.errno not in DISK:
            raise
        where = "" if error.filename is None else f"{str(error.filename)!r}: "
        message = f"{where}{error.strerror or error}"
    else:
        return
    print(f"error: {' '.join(message.split())}", file=sys.stderr, flush=True)
    raise SystemExit(2) from None
