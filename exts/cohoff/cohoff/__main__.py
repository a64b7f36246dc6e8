# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""``python -m cohoff <command> ...``, the same as ``cohoff <command> ...``."""

from cohoff.commands import main

if __name__ == "__main__":
    main()
