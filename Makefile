# Everything in two commands: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CONFIG ?= configs/quick.yml
# A constraints file, for instance requirements-minimum.txt
CONSTRAINTS ?=
LEGACY := .venv-legacy
# Tests run in as many processes as there are cores, ten minutes each at most
PYTEST := $(BIN)/python -m pytest -n logical --dist worksteal \
	--timeout 600 --durations 15
# Fast tests, of each large matrix of cases a few at random
FAST := -m "not slow" --sample
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	$(if $(CONSTRAINTS),-c $(CONSTRAINTS))
# benchopt's own tests call a bare `python`
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-memory test-haswell test-solvers \
	test-legacy test-benchopt lint \
	solvers solvers-legacy peers speed data page figures publish \
	conclusion site clean

help:  ## Show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | \
	awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(VENV)/.run  ## Run configs/quick.yml (CONFIG=...), make its page
	$(BIN)/python -m tools.run.run_benchmark --config $(CONFIG) $(RUN_OPTIONS)

test: $(VENV)/.test  ## Run all tests that are fast
	$(PYTEST) $(FAST) $(PYTEST_OPTIONS)

test-all: $(VENV)/.test  ## Run all tests, of the solvers that are installed
	$(PYTEST) $(PYTEST_OPTIONS)

# memory that nobody wrote holds 165 there, not the zeros of a new process
test-memory: $(VENV)/.test  ## Run the kernels' fast tests in dirty memory
	MALLOC_PERTURB_=165 $(PYTEST) $(FAST) tests/fenchel $(PYTEST_OPTIONS)

# AVX2 and no AVX-512
test-haswell: $(VENV)/.test  ## Run the kernels' fast tests as on an older CPU
	NUMBA_CPU_NAME=haswell $(PYTEST) $(FAST) tests/fenchel $(PYTEST_OPTIONS)

# the other tests start benchopt again and again, which imports every library;
# the solvers without a library of their own are tested by test-all
test-solvers: $(VENV)/.solvers  ## Run the tests of all solvers of libraries
	$(PYTEST) tests/wiring/test_solvers.py tests/wiring/check_installed.py \
		--only-libraries $(PYTEST_OPTIONS)

test-legacy: $(LEGACY)/.installed  ## Run the tests of what needs old packages
	$(LEGACY)/bin/python -m pytest --timeout 600 tests/wiring/test_solvers.py \
		tests/wiring/check_legacy.py \
		-k "adelie or glmnet or lightning" $(PYTEST_OPTIONS)

test-benchopt: $(VENV)/.test  ## Run benchopt's own tests of a benchmark
	$(BIN)/benchopt test . --skip-install

lint: $(VENV)/.test  ## Check style and spelling
	$(BIN)/ruff check .
	$(BIN)/codespell

solvers: $(VENV)/.solvers  ## Install the libraries of the other solvers

solvers-legacy: $(LEGACY)/.installed  ## Install and run what needs old packages
	$(LEGACY)/bin/python -m tools.run.run_benchmark --config configs/legacy.yml \
		$(RUN_OPTIONS)

peers: $(VENV)/.solvers  ## Run configs/peers.yml: every solver there is
	$(BIN)/python -m tools.run.run_benchmark --config configs/peers.yml \
		$(RUN_OPTIONS)

# OpenBLAS knows no CPU that is newer than itself and takes AVX2 kernels there;
# the others get the best that this one has
speed: CONFIG = configs/speed.yml
speed: $(VENV)/.solvers  ## Run configs/speed.yml (CONFIG=...): who is fastest
	OPENBLAS_CORETYPE=$$($(BIN)/python -m tools.run.blas_core_type) \
	$(BIN)/python -m tools.run.run_benchmark --config $(CONFIG) $(RUN_OPTIONS)

data: $(VENV)/.test  ## Run configs/data.yml: the real data sets
	$(BIN)/python -m tools.run.run_benchmark --config configs/data.yml \
		$(RUN_OPTIONS)

page: $(VENV)/.run  ## Write the newest result as one page that needs no network
	$(BIN)/python -m tools.page.make_page $(RESULT)

figures: $(VENV)/.run  ## Draw all plots of RESULT=... for a paper: PDF, SVG, PNG
	$(BIN)/python -m tools.page.paper_figures $(RESULT) \
		$(if $(PLOT),--plot $(PLOT))

publish: $(VENV)/.run  ## Put RESULT=... of CONFIG=... into results/
	$(BIN)/python -m tools.page.publish_result $(RESULT) --config $(CONFIG)
	$(MAKE) conclusion

conclusion: $(VENV)/.run  ## Write what README and docs say of results anew
	$(BIN)/python -m tools.tables

site: $(VENV)/.run  ## Build the site of all published results in site/
	$(BIN)/python -m tools.page.make_site

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

# lightning has no wheel: it is built with what is installed before it
$(LEGACY)/.installed: requirements-legacy.txt
	$(PYTHON) -m venv $(LEGACY)
	$(LEGACY)/bin/python -m pip install --quiet -r requirements-legacy.txt
	$(LEGACY)/bin/python -m pip install --quiet --no-build-isolation \
		sklearn-contrib-lightning==0.6.2.post0
	touch $@

$(VENV)/.solvers: requirements-solvers.txt $(VENV)/.test
	$(PIP) -r requirements.txt -r requirements-solvers.txt
	touch $@
