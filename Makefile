# The verbs, for people and for CI alike. Each sets up what it needs, and is quick the second time.
# ARGS is passed on: make run ARGS='--for 30', make test ARGS='-k windows --cov'.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CLOUD := $(VENV)/.cloud
PACKED := dist/.packed
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
CODE := src tests $(patsubst %/,%,$(sort $(dir $(wildcard benchmarks/*.py examples/*.py infra/*.py zips/*.py))))
COMPILE := var/lock/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11

.PHONY: help setup cloud run package test check format bench costs lock clean
.DEFAULT_GOAL := help

help: ## say what the verbs do
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

setup: $(READY) ## make .venv with the pinned dependencies

# A virtual environment that a newer Python or a moved folder has broken is made again.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "shroff needs Python 3.11 or newer; name one: make setup PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV), once (less than a minute)"
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "shroff needs Python's venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m shroff.core.warm || echo "The kernels will be compiled when they first run" >&2
	@touch $@

cloud: $(CLOUD) ## add what the AWS stack needs: Pulumi, and the local cloud of the tests

$(CLOUD): requirements-cloud.lock $(READY)
	@echo "Adding the cloud's packages to $(VENV), once (about a minute)"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-cloud.lock
	@touch $@

run: setup ## the demo, in var/demo: simulated transactions, live, with the fraud planted and caught
	@$(BIN)/shroff demo --data var/demo $(ARGS)

package: $(PACKED) ## a zip for each function of the AWS stack, in dist

$(PACKED): requirements-lambda.lock $(READY) $(shell find zips src -type f ! -name '*.pyc')
	@$(BIN)/python -m zips
	@touch $@

test: check package ## check, and all tests, a file at a time on each core
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

check: cloud ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports --no-logo

format: setup ## write the code as check wants it
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: setup ## the benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

costs: cloud ## docs/cost.md anew, from the stack's program, what was counted and the prices
	@$(BIN)/python -m infra.costs

# Three locks: what everyone has, what the cloud adds in the same .venv, and what the functions' zips hold: the same
# versions, but of numpy.
lock: ## pin the dependencies anew; newer ones with ARGS=--upgrade
	@test -x var/lock/bin/uv || { $(PYTHON) -m venv --clear var/lock && var/lock/bin/python -m pip -q install uv; }
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --universal --fork-strategy fewest \
	  --extra speed --extra train --extra dev pyproject.toml --output-file requirements.lock $(ARGS)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --universal --fork-strategy fewest \
	  --group cloud --constraint requirements.lock --output-file requirements-cloud.lock $(ARGS)
	@sed -n '/^numpy==/d; s/^\([^ #]*==[^ ]*\).*/\1/p' requirements.lock requirements-cloud.lock >var/lock/same
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(COMPILE) --python-platform x86_64-manylinux2014 --only-binary :all: \
	  --group lambda --constraint var/lock/same --output-file requirements-lambda.lock $(ARGS)

clean: ## remove .venv, var (the demo's data too) and all caches
	@rm -rf $(VENV) var build dist htmlcov .coverage .coverage.* \
	  .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find $(CODE) -name __pycache__ -prune -exec rm -rf {} +
