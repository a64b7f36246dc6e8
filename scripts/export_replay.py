# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The command ``cohoff export_replay``."""

from cohoff.commands import run_command

if __name__ == "__main__":
    run_command("export_replay")
