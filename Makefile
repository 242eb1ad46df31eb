# `make demo` and `make test` are the two commands of the README. Everything lives in $(VENV).
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# One OpenMP thread per process: two of them on a busy two-core machine run many times slower than one.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

BENCHMARKS := $(filter-out benchmarks/%_cases.py,$(wildcard benchmarks/*.py))

.PHONY: help install demo test lint bench docs clean

help:
	@echo "make demo     set up, train on three kinds of real data, name the report"
	@echo "make test     set up, run every check"
	@echo "make install  set up everything: tests, docs, benchmarks"
	@echo "make bench    the accuracy and speed runs, hours (writes benchmarks/results)"
	@echo "make docs     the documentation, in docs/_build/html"

# torch first and alone, everything else under the constraints: otherwise pip may fetch gigabytes of CUDA packages.
$(VENV)/.torch: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) $$(grep '^torch==' constraints.txt)
	@touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml
	$(PIP) -c constraints.txt -e '.[report]'
	@touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml
	$(PIP) -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.all: $(VENV)/.torch pyproject.toml
	$(PIP) -c constraints.txt -e '.[dev,docs,bench]'
	@touch $@ $(VENV)/.dev $(VENV)/.demo

install: $(VENV)/.all

demo: $(VENV)/.demo
	@$(BIN)/python examples/demo.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

test: lint
	@sh tests/browser.sh
	$(BIN)/python -m pytest -n 2 -m "not slow"

bench: $(VENV)/.all
	$(BIN)/python -m pytest -m slow
	@for b in $(BENCHMARKS); do echo "== $$b"; $(BIN)/python $$b || exit 1; done

docs: $(VENV)/.all
	$(BIN)/python -m sphinx -q -W -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

clean:
	rm -rf $(VENV) docs/_build docs/api .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
