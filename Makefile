# On a fresh machine with Python 3.11 (or newer) and make, `make test` and `make demo` work at once:
# the first target that needs it builds .venv from the lock file.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
DOCSTAMP := $(VENV)/.installed-docs
PIP     := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= auto

# Sizes of `make fuzz`: examples per property, and the seed, printed so that a run can be repeated.
EXAMPLES ?= 10000
SEED     ?= $(shell date +%s)

# Overridden by `make PYTHON=/path/to/python setup`.
PYTHON  ?= $(shell for p in python3.11 python3; do \
	"$$p" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; \
	done)

.PHONY: help setup test check docs bench demo fuzz lock clean
.DEFAULT_GOAL := help

help:
	@echo "make setup   install the locked dependencies and the package into $(VENV)"
	@echo "make demo    the quickstart study: a chip of 29,360 for GPT-2 XL with its plan and report, in two minutes"
	@echo "make test    all tests"
	@echo "make docs    the documentation as a site in build/site"
	@echo "make check   formatting, linting, types and the import contract"
	@echo "make bench   every figure of README: VTA, proofs, schedules, plans, chips, predictions (DeepBench continues where it stopped)"
	@echo "make fuzz    random operators and instructions (EXAMPLES=$(EXAMPLES), SEED=... repeats a run)"
	@echo "make lock    renew requirements.lock and requirements-docs.lock from pyproject.toml"
	@echo "make clean   remove everything that make made"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer with the venv module found (tried python3.11 and" \
		"python3); install one, or name one: make PYTHON=/path/to/python setup" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(STAMP)

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DOCSTAMP)
	rm -rf build/pages
	mkdir -p build/pages
	cp -Rp docs examples build/pages
	$(BIN)/python docs/site/reference.py build/pages/docs/reference
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs/site -d build/doctrees build/pages/docs build/site
	$(BIN)/python docs/site/offline.py build/site

$(DOCSTAMP): $(STAMP) requirements-docs.lock
	$(PIP) install --require-hashes -r requirements-docs.lock
	@touch $(DOCSTAMP)

bench: setup
	$(BIN)/python benchmarks/vta_reference.py
	$(BIN)/python benchmarks/embed_deepbench.py
	$(BIN)/python benchmarks/vta_batch16.py --calls
	$(BIN)/python benchmarks/skew_gain.py
	$(BIN)/python benchmarks/schedule.py
	$(BIN)/python benchmarks/placement.py
	$(BIN)/python benchmarks/predictions.py
	$(BIN)/python benchmarks/expert_plans.py
	$(BIN)/python benchmarks/chip_search.py
	$(BIN)/python benchmarks/embedding_costs.py --search
	$(BIN)/python benchmarks/published_evaluation.py
	$(BIN)/python benchmarks/serving.py
	$(BIN)/intarsia calibrate a100 --recompute none --attention eager
	$(BIN)/intarsia bench deepbench --target vta --set inference

demo: setup
	$(BIN)/intarsia study examples/quickstart.toml -o out/quickstart
	@echo "open out/quickstart/report.html in a browser"

fuzz: setup
	@echo "seed $(SEED), $(EXAMPLES) examples of each property"
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/fuzz -n $(WORKERS) --maxprocesses 8 \
		--hypothesis-profile=fuzz --hypothesis-seed=$(SEED)

lock:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install "pip-tools>=7.5"
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m piptools compile --quiet --strip-extras --generate-hashes \
		--allow-unsafe --extra dev --extra ray --all-build-deps --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options --output-file requirements.lock pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m piptools compile --quiet --strip-extras --generate-hashes \
		--allow-unsafe --extra docs --constraint requirements.lock --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options --output-file requirements-docs.lock pyproject.toml

clean:
	rm -rf $(VENV) build out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
