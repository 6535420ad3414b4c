# Each target does all the set-up that it needs; CI runs `test` and `check`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt

.PHONY: demo test test-slow check format clean

demo: $(VENV)/.demo
	$(BIN)/vps demo --out out/demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) out build *.egg-info

$(VENV)/.demo: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(PIP) -e '.[hf]'
	touch $@

$(VENV)/.dev: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev]'
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
