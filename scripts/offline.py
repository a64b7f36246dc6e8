# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The command ``cohoff offline``."""

from cohoff.commands import run_command

if __name__ == "__main__":
    run_command("offline")
