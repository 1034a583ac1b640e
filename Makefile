# Commands to get started; `make help` lists them.

# Folder of the environment; its path must not contain spaces.
VENV ?= .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc)
PYTHON ?= python3
UV_VERSION := 0.13.8

# Stages process small matrices in parallel processes: more threads than cores only slow them down.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help setup environment-path doctor run check unit test test-long lint docs lock

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(VENV)/.installed  ## create the environment from requirements.lock and find or install a browser
	@setup/install-browser.sh $(BIN)

environment-path:
	@$(PYTHON) workflow/polyfacet/runtime/environment_path.py '$(VENV)'

$(VENV)/.installed: requirements.lock | environment-path
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11 to 3.13 is needed; choose it with: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --no-index --editable .
	touch $@

doctor:  ## report what this machine has, what is missing, and how to get it
	@python=$(BIN)/python; [ -x $$python ] || python=$(PYTHON); VENV='$(VENV)' PYTHONPATH=workflow $$python -m polyfacet.use.doctor

run: setup  ## run the complete workflow on the embedded entries
	$(BIN)/snakemake --cores $(CORES)

# All tests of a file run in one process, so that shared fixtures are made once; the order is that of pyproject.toml.
# More than four processes cost more memory than the time saved is worth.
PYTEST := $(BIN)/pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

check: setup  ## run lint and the unit tests, side by side, in minutes
	$(MAKE) --no-print-directory --jobs=2 lint unit

unit: $(VENV)/.installed
	$(PYTEST) tests/unit

test: setup  ## run all tests and checks
	$(MAKE) lint
	$(PYTEST)

test-long: setup  ## run the tests that take too long for `make test`
	$(PYTEST) -m long

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/checkout.smk rules
	$(BIN)/mypy workflow/polyfacet workflow/scripts

docs: $(VENV)/.installed  ## build the documentation site in docs/_build/html, offline
	$(BIN)/sphinx-build -W --keep-going --quiet -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

lock:  ## compile pyproject.toml into requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 pyproject.toml --extra dev --generate-hashes \
	  --no-header --output-file requirements.lock
