# `make sweep` runs the main job, `make test` the checks; both make the environment if need be.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile

.PHONY: sweep test test-slow chaos audit check docs format clean

sweep: $(INSTALLED)
	$(BIN)/gx2c sweep geography+smt --preset quick

test: check
	$(BIN)/pytest $(PARALLEL)

# whole sweeps; a whole cluster, which wants the machine to itself; properties on fresh examples
test-slow: $(INSTALLED)
	$(BIN)/pytest -m "slow and not hypothesis and not last" $(PARALLEL)
	$(BIN)/pytest -m "slow and last"
	$(BIN)/pytest -m hypothesis --hypothesis-profile fresh $(PARALLEL)

# kills parts of real sweeps fifty times; about twenty minutes
chaos: $(INSTALLED)
	PYTHONPATH=.:tests/sweeps $(BIN)/python tests/chaos/chaos.py --out docs/chaos.json
	$(BIN)/python docs/make_chaos_table.py

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive gx2c trainables search_spaces sweeps cluster

# the site, from Markdown, docstrings and notebooks, which run if code has changed; a warning is an error
docs: $(INSTALLED)
	$(BIN)/sphinx-build -W --keep-going -q -c docs . build/site

# known vulnerabilities of what constraints.txt pins
audit: $(INSTALLED)
	$(BIN)/python tests/audit.py

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"gx2c needs Python 3.11 to 3.13 and found {v[0]}.{v[1]}; run: make PYTHON=python3.12 ...")'
	@echo "installing gx2c into $(VENV) (once; a few minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
