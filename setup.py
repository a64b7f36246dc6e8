# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Installation of the two import roots, ``cohoff`` and ``cohoff_tasks``, as one distribution."""

import tomllib
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
EXTENSION = tomllib.loads((ROOT / "exts/cohoff/config/extension.toml").read_text())["package"]

setup(
    name="cohoff",
    version=EXTENSION["version"],
    description=EXTENSION["description"],
    license="BSD-3-Clause",
    python_requires=">=3.12,<3.13",
    packages=find_packages("exts/cohoff") + find_packages("tasks"),
    package_dir={"cohoff": "exts/cohoff/cohoff", "cohoff_tasks": "tasks/cohoff_tasks"},
    package_data={"cohoff": ["py.typed"], "cohoff_tasks": ["py.typed"]},
    install_requires=["isaaclab==3.0.0", "example-robot-data", "sentencepiece", "urdf-usd-converter", "wandb"],
    entry_points={
        "isaaclab.tasks": ["cohoff_tasks = cohoff_tasks"],
        "console_scripts": ["cohoff = cohoff.commands:main"],
    },
    zip_safe=False,
)
