# Everything a developer or a machine runs. `make` alone lists the targets.
# Needs python3 (3.11 or newer) with venv, and make; nothing else, and no other command first.

PYTHON ?= python3
ARGS ?=
FEEDS ?=
PAGES ?=

export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_PREFERENCE := only-system
export UV_COMPILE_BYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What is compiled once is kept, whatever the machine is set to: the tests alone start some hundred
# processes of ours, and each would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE

# Somebody without a home of their own (a service's user) keeps the downloads here.
ifeq ($(shell [ -w "$$HOME" ] && echo yes),)
export UV_CACHE_DIR := $(CURDIR)/.tools/cache
export PIP_NO_CACHE_DIR := 1
endif

BIN := .venv/bin
READY := .venv/.ready
TOOLS := .tools/.ready
UV := .tools/bin/uv
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
PIP := .tools/bin/pip --python $(BIN)/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test screenshots coverage check bench faults fuzz openapi lock clean

help:  ## list these targets
	@echo "usage: make TARGET [ARGS='…']"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: $(READY)  ## the demo: receive from four operators, by push and pull, and show it
	$(BIN)/listener demo $(ARGS)

test: $(READY)  ## run every test (4 minutes on 4 cores)
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

coverage: $(READY)  ## run every test under branch coverage, and report it
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto $(ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: $(READY)  ## format, lint, types, imports, dead code, dependencies, the lock, index hosts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/python -m pytest -q tests/test_house.py

bench: $(READY)  ## measure ingest against a no-op route and the usual way, followers, feeds, pages (writes JSON)
	$(BIN)/python -m bench.ingest $(ARGS)
	$(BIN)/python -m bench.follower
	$(BIN)/python -m bench.projector
	$(BIN)/python -m bench.feeds $(FEEDS)
	$(BIN)/python -m bench.pages $(PAGES)

faults: $(READY)  ## the long form of the law tests: kill -9, stopped processes, a database that goes away
	$(BIN)/python -m pytest -m faults --timeout 1800 $(ARGS)

fuzz: $(READY)  ## the long form of the fuzz tests: 100 000 bodies
	$(BIN)/python -m pytest -m fuzz --timeout 3600 $(ARGS)

openapi: $(READY)  ## hold openapi/listener.yaml against what is served
	$(BIN)/python -m pytest -q tests/web/test_contract.py $(ARGS)

screenshots: $(READY)  ## the pages of a running demo, as pictures (build/screenshots, docs)
	$(BIN)/python -m tests.ui.screenshots

lock: $(TOOLS)  ## write the locks anew from pyproject.toml (ARGS=--upgrade for newer versions)
	$(UV) pip compile pyproject.toml --group test --group check --group build $(LOCK) $(ARGS) -o requirements.lock
	$(UV) pip compile pyproject.toml $(LOCK) --constraint requirements.lock -o runtime.lock
	$(UV) pip compile --group tools $(LOCK) --constraint requirements.lock -o tools.lock

clean:  ## remove what was built (never the data directory)
	rm -rf .venv .tools build dist *.egg-info .coverage .coverage.* htmlcov \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find app tests bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# The installer, by hash, in an environment of its own. Without it pip does the same, only slower.
$(TOOLS): tools.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is missing or older than 3.11; name another: make PYTHON=…" >&2; exit 2; }
	@echo "setting up, once: the installer, into .tools …" >&2
	@$(PYTHON) -m venv .tools || \
		{ echo "$(PYTHON) lacks venv: install your system's python3-venv, then repeat" >&2; exit 2; }
	@.tools/bin/pip install --quiet --require-hashes -r tools.lock || echo "no uv to be had; pip will do"
	@touch $@

# One environment, exactly what the lock says, and the listener itself in it.
$(READY): requirements.lock pyproject.toml $(TOOLS)
	@echo "setting up, once: all that requirements.lock names, into .venv …" >&2
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --without-pip --clear .venv
	@if [ -x $(UV) ]; then \
		$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock && \
		$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python -e .; \
	else \
		$(PIP) install --quiet --require-hashes -r requirements.lock && \
		$(PIP) install --quiet --no-deps --no-build-isolation -e .; \
	fi
	@touch $@
