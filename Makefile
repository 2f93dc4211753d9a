# On a fresh machine with Python 3.11 (or newer) and make, `make test` and `make demo` work at once:
# the first target that needs it builds .venv from the lock file.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PIP     := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= auto

# Sizes of `make fuzz`: examples per property, and the seed, printed so that a run can be repeated.
EXAMPLES ?= 10000
SEED     ?= $(shell date +%s)

# The layers of `make demo`: ResNet's first convolution, and a layer of DeepBench.
RESNET_FIRST := conv2d:n=1,c=3,h=224,w=224,k=64,r=7,s=7,stride=2,pad=3
DEEPBENCH    := deepbench:conv/inference_server/0

# Overridden by `make PYTHON=/path/to/python setup`.
PYTHON  ?= $(shell for p in python3.11 python3; do \
	"$$p" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; \
	done)

.PHONY: help setup test check bench demo fuzz lock clean
.DEFAULT_GOAL := help

help:
	@echo "make setup   install the locked dependencies and the package into $(VENV)"
	@echo "make demo    two real layers on VTA: embedded, compiled, run, in under a minute"
	@echo "make test    all tests"
	@echo "make check   formatting, linting, types and the import contract"
	@echo "make bench   every figure of README: VTA, proofs, schedules, plans, chips, predictions (DeepBench continues where it stopped)"
	@echo "make fuzz    random operators and instructions (EXAMPLES=$(EXAMPLES), SEED=... repeats a run)"
	@echo "make lock    renew requirements.lock from pyproject.toml"
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
	$(BIN)/intarsia calibrate a100 --recompute none --attention eager
	$(BIN)/intarsia bench deepbench --target vta --set inference

demo: setup
	$(BIN)/intarsia explain $(RESNET_FIRST) --instr vta.gemm
	$(BIN)/intarsia run $(RESNET_FIRST) --target vta
	$(BIN)/intarsia explain $(DEEPBENCH) --instr vta.gemm
	$(BIN)/intarsia run $(DEEPBENCH) --target vta

fuzz: setup
	@echo "seed $(SEED), $(EXAMPLES) examples of each property"
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/fuzz -n $(WORKERS) --maxprocesses 8 \
		--hypothesis-profile=fuzz --hypothesis-seed=$(SEED)

lock:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install "pip-tools>=7.5"
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m piptools compile --quiet --strip-extras --generate-hashes \
		--allow-unsafe --extra dev --all-build-deps --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
