# The commands of a newcomer; `make help` lists them.

# Where the environment is; a folder without blanks.
VENV ?= .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc)
PYTHON ?= python3
UV_VERSION := 0.13.8

# Stages work on small matrices in processes of their own: more threads than cores only slow them down.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help setup environment-path doctor run test lint lock

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(VENV)/.installed  ## make the environment from requirements.lock and find or install a browser
	@setup/install-browser.sh $(BIN)

environment-path:
	@$(PYTHON) workflow/polyfacet/runtime/environment_path.py '$(VENV)'

$(VENV)/.installed: requirements.lock | environment-path
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11 to 3.13 is needed; name it with: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --python $(BIN)/python --compile-bytecode --require-hashes requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --no-index --editable .
	touch $@

doctor:  ## say what this machine has, what is missing, and how to get it
	@python=$(BIN)/python; [ -x $$python ] || python=$(PYTHON); VENV='$(VENV)' PYTHONPATH=workflow $$python -m polyfacet.use.doctor

run: setup  ## run the whole workflow on the embedded entries
	$(BIN)/snakemake --cores $(CORES)

test: setup  ## run all tests and checks
	$(MAKE) lint
	$(BIN)/pytest

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile rules
	$(BIN)/mypy workflow/polyfacet workflow/scripts

lock:  ## compile pyproject.toml into requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 pyproject.toml --extra dev --generate-hashes \
	  --no-header --output-file requirements.lock
