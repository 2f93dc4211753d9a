# On a fresh machine with Python 3.11 (or newer) and make, `make test` and `make demo` work at once:
# the first target that needs it builds .venv from the lock file.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
DOCSTAMP := $(VENV)/.installed-docs
LIBSTAMP := $(VENV)/.installed-libraries
PIP     := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= auto

# Sizes of `make fuzz`: examples per property, and the seed, printed so that a run can be repeated.
EXAMPLES ?= 10000
SEED     ?= $(shell date +%s)

# Where torch is found without CUDA.
TORCH   ?= https://download.pytorch.org/whl/cpu

# Overridden by `make PYTHON=/path/to/python setup`.
PYTHON  ?= $(shell for p in python3.11 python3; do \
	"$$p" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; \
	done)

.PHONY: help setup test check docs bench bench-native demo fuzz lock clean
.DEFAULT_GOAL := help

help:
	@echo "make setup   install the locked dependencies and the package into $(VENV)"
	@echo "make demo    the quickstart study: a chip of 29,360 for GPT-2 XL with its plan and report, in two minutes"
	@echo "make test    all tests"
	@echo "make docs    the documentation as a site in build/site"
	@echo "make check   formatting, linting, types and the import contract"
	@echo "make bench   every figure of README, in about two and a half hours on two cores; the short ones first, bench-native last"
	@echo "make bench-native   those beside libraries: installs torch, OpenVINO and ONNX Runtime (Linux, Python 3.11,"
	@echo "             300 MB to fetch) into $(VENV) and needs AVX512-VNNI"
	@echo "make fuzz    random operators and instructions (EXAMPLES=$(EXAMPLES), SEED=... repeats a run)"
	@echo "make lock    renew the three lock files from pyproject.toml"
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

# Minutes on two cores that do nothing else, roughly, at the end of each line. Interrupted, those of more than five continue
# where they stopped, but for the search of eight models.
bench: setup
	$(BIN)/python benchmarks/predictions.py                                 # 0.2
	$(BIN)/python benchmarks/serving.py                                     # 0.1
	$(BIN)/intarsia calibrate a100 --recompute none --attention eager       # 1
	$(BIN)/intarsia serve llama2-7b --cluster tpuv4x8 --prompt 512 --output 256 --space wide  # 0.3
	$(BIN)/python benchmarks/vta_reference.py                               # 1
	$(BIN)/python benchmarks/schedule.py                                    # 1
	$(BIN)/python benchmarks/chip_search.py                                 # 1
	$(BIN)/intarsia search gpt3-175b --space phaze --cluster tpuv4x1024 --global-batch 4096 --seq 2048  # 1
	$(BIN)/intarsia plan gpt3-175b --cluster tpuv4-likex1024 --global-batch 4096 --seq 2048  # 0.5
	$(BIN)/intarsia search resnet-50 --space wide --cluster tpuv4x8 --global-batch 256  # 1
	$(BIN)/python benchmarks/placement.py                                   # 2
	$(BIN)/python benchmarks/expert_plans.py                                # 2
	$(BIN)/python benchmarks/embed_deepbench.py                             # 2
	$(BIN)/python benchmarks/vta_batch16.py --calls                         # 0.1
	$(BIN)/python benchmarks/skew_gain.py                                   # 3
	$(BIN)/intarsia search bert-large --space phaze --cluster tpuv4x64 --global-batch 512 --front area  # 4
	$(BIN)/python benchmarks/schedule.py --seeds 3 10                       # 3
	$(MAKE) demo                                                            # 2
	$(BIN)/python benchmarks/embedding_costs.py --search                    # 5
	$(BIN)/python benchmarks/embedding_costs.py --search --space phaze      # 5
	$(BIN)/python benchmarks/chip_search.py --models all --together         # 15
	$(BIN)/intarsia bench deepbench --target vta --set inference            # 15
	$(BIN)/intarsia bench deepbench --target vta --set inference --kind conv  # the same, without the products
	$(BIN)/intarsia bench deepbench --target vta --set inference --kind gemm  # and without the convolutions
	$(BIN)/python benchmarks/vta_batch16.py                                 # 20
	$(BIN)/python benchmarks/published_evaluation.py                        # 20
	$(MAKE) bench-native                                                    # 30, without what is downloaded

bench-native: $(LIBSTAMP)
	$(BIN)/intarsia bench x86 --against torch,openvino,onnxruntime
	$(BIN)/intarsia bench x86 --threads 2 --against torch,openvino,onnxruntime
	$(BIN)/python benchmarks/native_model.py
	$(BIN)/intarsia calibrate x86
	$(BIN)/intarsia bench deepbench --target x86 --against torch,openvino,onnxruntime --kind gemm --set inference_device
	$(BIN)/intarsia bench deepbench --target x86 --against torch,openvino,onnxruntime --kind conv
	$(BIN)/intarsia bench deepbench --target x86 --against torch,openvino,onnxruntime --kind gemm --set inference_server

$(LIBSTAMP): $(STAMP) requirements-libraries.lock
	$(PIP) install --require-hashes --extra-index-url $(TORCH) -r requirements-libraries.lock
	@touch $(LIBSTAMP)

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
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m piptools compile --quiet --strip-extras --generate-hashes \
		--allow-unsafe --extra libraries --constraint requirements.lock --extra-index-url $(TORCH) \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		--output-file requirements-libraries.lock pyproject.toml

clean:
	rm -rf $(VENV) build out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
