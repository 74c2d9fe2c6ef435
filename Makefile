# Everything in two commands: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CONFIG ?= configs/quick.yml
# A constraints file, for instance requirements-minimum.txt
CONSTRAINTS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	$(if $(CONSTRAINTS),-c $(CONSTRAINTS))
# benchopt's own tests call a bare `python`
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-benchopt lint data figure clean

help:  ## Show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | \
	awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(VENV)/.run  ## Run configs/quick.yml (CONFIG=...), make its page
	$(BIN)/benchopt run . --config $(CONFIG) $(RUN_OPTIONS)

test: $(VENV)/.test  ## Run all tests that are fast
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_OPTIONS)

test-all: $(VENV)/.test  ## Run all tests
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

test-benchopt: $(VENV)/.test  ## Run benchopt's own tests of a benchmark
	$(BIN)/benchopt test . --skip-install

lint: $(VENV)/.test  ## Check style and spelling
	$(BIN)/ruff check .
	$(BIN)/codespell

data: $(VENV)/.test  ## Run configs/data.yml: the real data sets
	$(BIN)/benchopt run . --config configs/data.yml $(RUN_OPTIONS)

figure: $(VENV)/.run  ## Draw README's figure from the newest result
	$(BIN)/python tools/readme_figure.py

clean:  ## Remove the environment, the caches and the compiled code
	rm -rf $(VENV) __cache__ .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt $(CONSTRAINTS) | $(BIN)/python
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/.test: requirements-test.txt requirements-data.txt $(VENV)/.run
	$(PIP) -r requirements.txt -r requirements-test.txt
	touch $@
