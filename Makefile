# The only commands to remember: `make run`, `make test`, `make test-system`, `make check`, `make bench`,
# `make docs`, `make figures`, `make up`, `make down`, `make clean`. All state is in .state, the environment in .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
STATE := $(if $(RETENTION_STATE),$(RETENTION_STATE),$(CURDIR)/.state)
BIN := $(CURDIR)/.venv/bin
UV := $(CURDIR)/.venv/bootstrap/bin/uv
export PYTHONPATH :=
export PATH := $(BIN):$(PATH)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

.venv/bootstrap/bin/uv: requirements-bootstrap.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 is needed: set PYTHON=/path/to/python3.11"; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "$(PYTHON) is not Python 3.11 to 3.13: set PYTHON=/path/to/python3.11"; exit 3; }
	@echo "Installing (about a minute, once) ..."
	@$(PYTHON) -m venv .venv/bootstrap
	@.venv/bootstrap/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Two stamps, so that `make run` does not wait for what only tests and checks need.
.venv/.run: requirements.lock pyproject.toml .venv/bootstrap/bin/uv
	@test -x .venv/bin/python || $(UV) venv -q --allow-existing --python $(PYTHON) .venv
	@$(UV) pip install -q --python .venv/bin/python --compile-bytecode --require-hashes -r requirements.lock
	@$(UV) pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@$(UV) pip install -q --python .venv/bin/python --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: run
run: .venv/.run ## The daily load on the demo company, or on DATA=<folder> AS_OF=<date>
	@$(BIN)/python -m local.quickstart $(if $(DATA),--data "$(DATA)") $(if $(AS_OF),--as-of "$(AS_OF)")

.PHONY: test
test: .venv/.dev ## Every test but those of whole installations
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not system" $(ARGS)

.PHONY: test-system
test-system: .venv/.dev ## The scheduler, the installed wheel, the upgrade of an earlier release
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m system $(ARGS)

.PHONY: check
check: .venv/.dev ## ruff, mypy --strict, sqlfluff, yamllint, dbt parse
	@$(BIN)/ruff check . && $(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/yamllint -s .
	@$(BIN)/sqlfluff lint -q --processes 2 dbt_project/models dbt_project/tests
	@$(BIN)/retention dbt parse

.PHONY: docs
docs: .venv/.dev ## Build the documentation into .state/site, without any network access
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q -d "$(STATE)/site" && echo "$(STATE)/site/index.html"

.PHONY: figures
figures: .venv/.dev ## Record the outputs shown in README.md and docs/ from the current state
	@$(BIN)/python docs/record_figures.py

.PHONY: bench
bench: .venv/.dev ## Every performance claim as a ratio
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

.PHONY: up
up: .venv/.run ## Start the database, the demo company, Airflow's scheduler and web UI
	@$(BIN)/python -m local.services up

.PHONY: down
down: .venv/.run ## Stop what `make up` and `make run` started
	@$(BIN)/python -m local.services down

.PHONY: interface
interface: .venv/.dev ## Freeze the published names and commands of release VERSION=1.2.3
	@$(BIN)/python -c "from pathlib import Path; from retention import interface; \
	  print(interface.write(Path('.'), '$(VERSION)'))"

.PHONY: lock
lock: .venv/bootstrap/bin/uv ## Resolve the requirements again and pin them by hash
	@for name in requirements-bootstrap requirements requirements-compose requirements-dev; do \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --python-version 3.11 $$name.in -o $$name.lock || exit 1; done

.PHONY: clean
clean: ## Stop everything and delete the state (the environment stays)
	@test ! -x $(BIN)/python || $(BIN)/python -m local.services down --and-forget
	@rm -rf $(STATE)
