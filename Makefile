# Each target does all the set-up that it needs; CI runs `test` and `check`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt

# Tests run in so many processes, each with one thread.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# A wheel of mmcv's operators, which take tens of minutes to build; without one they are built.
WHEELS ?= ../shared/wheels

.PHONY: demo test test-mmdet test-transformers5 test-app test-slow fuzz gpu-check check format docs release clean

demo: $(VENV)/.demo
	$(BIN)/vps demo --out out/demo

test: $(VENV)/.dev
	$(PYTEST) -m "not slow"

test-mmdet: $(VENV)/.mmdet
	$(PYTEST) -m "mmdet and not slow" tests/detectors

# The adapters of transformers on version 5, which stands in front of the other.
test-transformers5: $(VENV)/.transformers5
	PYTHONPATH=$(VENV)/transformers5 $(PYTEST) -m "not slow" \
		-k "(hf or florence or demo) and not no_numbers and not left_changed and not plain_objects" \
		tests/detectors

# Gradio wants an older pillow than the newest. The browser is Debian's chromium.
test-app: $(VENV)/.app
	$(PYTEST) -n 0 tests/app

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

# Broken inputs at every public door, 10 minutes of them; FUZZ="--count 10000" asks for more.
fuzz: $(VENV)/.dev
	$(BIN)/python tools/fuzz.py --out out/fuzz $(FUZZ)

# What only a GPU can tell.
gpu-check: $(VENV)/.dev
	$(PYTEST) -n 0 tests/detectors -k cuda
	$(BIN)/python tools/benchmark.py overhead
	$(BIN)/python tools/benchmark.py throughput

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The site, in out/site; its tutorials run while it is built.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f .mkdocs.yml

# Builds what is uploaded, and tries the wheel in an environment of its own without a network.
release: $(VENV)/.dev
	$(PIP) build
	rm -rf out/dist
	$(BIN)/python -m build --outdir out/dist .
	$(BIN)/python tools/check_wheel.py out/dist/*.whl
	@echo "next: date the version in CHANGELOG.md and CITATION.cff, commit, and:" \
		git tag -a v$$($(BIN)/python -c 'import vps; print(vps.__version__)')

clean:
	rm -rf $(VENV) out build *.egg-info

$(VENV)/.demo: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(PIP) -e '.[hf,eval]'
	touch $@

$(VENV)/.dev: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev]'
	touch $@

$(VENV)/.docs: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(PIP) -e '.[docs]'
	touch $@

# Where no wheel of mmcv suits, its build has to see torch.
$(VENV)/.mmdet: $(VENV)/.dev
	$(PIP) 'setuptools>=77,<81' wheel
	$(PIP) --no-build-isolation $(addprefix --find-links ,$(wildcard $(WHEELS))) -e '.[mmdet]'
	touch $@

$(VENV)/.transformers5: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --target $(VENV)/transformers5 \
		'transformers>=5,<6'
	touch $@

$(VENV)/.app: $(VENV)/.dev
	$(PIP) -e '.[app,video]' playwright
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
