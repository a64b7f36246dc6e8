# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What pyproject.toml cannot say: the two import roots, and version and description from the extension's own file."""

import tomllib
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
EXTENSION = tomllib.loads((ROOT / "exts/cohoff/config/extension.toml").read_text())["package"]

setup(
    version=EXTENSION["version"],
    description=EXTENSION["description"],
    packages=find_packages("exts/cohoff") + find_packages("tasks"),
    package_dir={"cohoff": "exts/cohoff/cohoff", "cohoff_tasks": "tasks/cohoff_tasks"},
)
