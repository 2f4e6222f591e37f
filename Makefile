# What a person does with this project. Everything installs into .venv of the clone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test check simulate bench conformance clean

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP)        ## install, start, deploy the form-processing example, send a day of traffic, show what happened
	@$(BIN)/python examples/form-processing/demo.py

test: $(STAMP)        ## install and pass the tests
	@$(BIN)/python -m pytest
	@$(BIN)/python -m pytest examples/form-processing/tests

check: $(STAMP)       ## what a commit must pass: types, lint, layers
	@$(BIN)/ruff check src tests examples
	@$(BIN)/ruff format --check src tests examples
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/tidy

simulate: $(STAMP)    ## thirty CPU-minutes of seeds; FOR=60 SEED=7 for others
	@$(BIN)/python -m tests.simulation --seconds $(or $(FOR),1800) --seed $(or $(SEED),0)

bench: $(STAMP)       ## speed, as ratios to the floor of this machine
	@$(BIN)/python -m tests.bench

conformance: $(STAMP) ## the wire against botocore in full, and the other slow suites
	@$(BIN)/python -m pytest tests/conformance -m "slow or not slow" --timeout 1800

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
