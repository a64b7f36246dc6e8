# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

# .venv is made at the first use of any target: python3.12 if there is one, uv otherwise.

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
TOOLS := pytest ruff pyright
SOURCES := exts tasks scripts tests setup.py

.PHONY: demo test check format

demo: $(INSTALLED)
	$(PYTHON) scripts/demo.py

# Unit tests first: they need no simulator and fail within seconds.
test: $(INSTALLED)
	$(PYTHON) -m pytest -m "not slow" tests/unit
	$(PYTHON) -m pytest -m "not slow" tests/integration

check: $(INSTALLED)
	$(VENV)/bin/ruff check $(SOURCES)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/pyright

format: $(INSTALLED)
	$(VENV)/bin/ruff check --fix $(SOURCES)
	$(VENV)/bin/ruff format $(SOURCES)

$(INSTALLED): setup.py constraints.txt exts/cohoff/config/extension.toml
	@if [ ! -x $(PYTHON) ]; then \
		if python3.12 -c "import venv, ensurepip" 2>/dev/null; then python3.12 -m venv $(VENV); \
		elif command -v uv >/dev/null; then uv venv --seed --python 3.12 $(VENV); \
		else echo "error: python3.12 or uv is needed; install one of them" >&2; exit 2; fi; \
	fi
	$(PYTHON) -m pip install --quiet --constraint constraints.txt --editable . $(TOOLS)
	@touch $@
