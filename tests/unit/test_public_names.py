# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What users import."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

PACKAGES = (
    "data", "networks", "offpolicy", "policies", "policies.flow", "policies.pi05",
    "algorithms.csil", "algorithms.dice", "algorithms.ibrl", "algorithms.offline", "algorithms.resfit",
)  # fmt: skip


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_export_their_public_names(package: str) -> None:
    module = import_module(f"cohoff.{package}")
    assert module.__all__
    assert all(hasattr(module, name) for name in module.__all__)


def test_the_package_itself_imports_nothing() -> None:
    code = "import sys, cohoff; assert cohoff.__version__; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
