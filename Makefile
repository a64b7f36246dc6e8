# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

# .venv is made at the first use of any target: python3.12 if there is one, uv otherwise.

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
PARITY := .venv-parity
ORACLE := .venv-oracle
SOURCES := exts tasks scripts tests .ci setup.py
TEXTS = $$(git ls-files "*.py" "*.yml" "*.yaml" "*.md" Makefile .ci/run)

.PHONY: demo demo-pi05 test test-unit test-integration check docs-check format parity oracle mutants

demo: $(INSTALLED)
	$(PYTHON) scripts/demo.py

# A small pi-0.5 from random weights, and CSIL++ on top of it that sees, too.
demo-pi05: $(INSTALLED)
	$(PYTHON) scripts/demo.py --task Cohoff-Square-Camera-Franka --agent csil_vision --train_pi05 presets=pictures48

# Two lanes, because each keeps one core busy.
test: $(INSTALLED)
	$(MAKE) --no-print-directory --jobs 2 --output-sync=line test-unit test-integration

# Compilation in a process of its own: it leaves state in torch. Several processes last, so that they have the cores.
test-unit: $(INSTALLED)
	$(PYTHON) -m pytest -m "not slow" tests/unit
	$(PYTHON) -m pytest -m "not slow" tests/compile
	$(PYTHON) -m pytest -m "not slow" tests/distributed

test-integration: $(INSTALLED)
	$(PYTHON) -m pytest -m "not slow" tests/integration

# One-line faults of the learner, each of which a unit test must notice: about 15 minutes on one core.
mutants: $(INSTALLED)
	$(PYTHON) tests/mutants/run.py

check: $(INSTALLED)
	$(VENV)/bin/ruff check $(SOURCES)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/codespell
	$(PYTHON) .ci/check_text.py $(TEXTS)
	$(PYTHON) -m cohoff table --check
	$(VENV)/bin/pyright

# Every command of README and docs, at a small size: about 10 minutes.
docs-check: $(INSTALLED)
	$(PYTHON) .ci/docs_check.py

# pi-0.5 against lerobot's own, on the same weights and inputs: plans, losses and gradients; and datasets read by
# lerobot. It needs other versions than Isaac Lab, so it has its own environment.
parity: $(INSTALLED) $(PARITY)/.installed
	$(PYTHON) scripts/benchmark_pi05.py --compare lerobot --size tiny --batch 1 5 --rounds 1 --device cpu
	$(PYTHON) scripts/benchmark_pi05.py --compare lerobot --size small --batch 2 --rounds 1 --device cpu
	$(PYTHON) scripts/benchmark_pi05_training.py --compare lerobot --size tiny --batch 3 --rounds 1 --device cpu
	$(PYTHON) scripts/benchmark_pi05_training.py --compare lerobot --size small --batch 2 --rounds 1 --device cpu
	$(PYTHON) scripts/check_lerobot.py

$(PARITY)/.installed: | $(INSTALLED)
	$(PYTHON) -m venv --clear $(PARITY)
	$(PARITY)/bin/python -m pip install --quiet "lerobot[dataset,pi]==0.6.1" "torch==2.11.0"
	@touch $@

# Offline methods against d3rlpy's, on the same episodes of the point mass and the same number of updates. It needs
# another gymnasium than Isaac Lab, so it has its own environment.
oracle: $(INSTALLED) $(ORACLE)/.installed
	$(PYTHON) scripts/check_d3rlpy.py --json results/offline/oracle.json

$(ORACLE)/.installed: | $(INSTALLED)
	$(PYTHON) -m venv --clear $(ORACLE)
	$(ORACLE)/bin/python -m pip install --quiet "d3rlpy==2.8.1" "torch==2.11.0"
	@touch $@

format: $(INSTALLED)
	$(VENV)/bin/ruff check --fix $(SOURCES)
	$(VENV)/bin/ruff format $(SOURCES)

$(INSTALLED): setup.py pyproject.toml constraints.txt exts/cohoff/config/extension.toml
	@if [ ! -x $(PYTHON) ]; then \
		if python3.12 -c "import venv, ensurepip" 2>/dev/null; then python3.12 -m venv $(VENV); \
		elif command -v uv >/dev/null; then uv venv --seed --python 3.12 $(VENV); \
		else echo "error: python3.12 or uv is needed; install one of them" >&2; exit 2; fi; \
	fi
	$(PYTHON) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@
