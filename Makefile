# The verbs of this repository. Needed on a fresh machine: Python 3.11 or later, make. `make help` lists the verbs.
#
# Only relative paths are used, so a checkout whose path has spaces works.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PIP_INSTALL := $(PIP) install --quiet --progress-bar off
# uv installs in seconds what takes pip most of a minute; where it cannot (it reads no pip.conf), pip does.
# --no-deps: a lock names everything, so nothing need be resolved again (or could be added). No bytecode: of 11,000 modules
# a few thousand are ever used, and compiling those when they are first loaded halves the installation
UV := $(VENV)/uv/bin/uv
LOCKED := --quiet --require-hashes --no-deps -r
INSTALL_LOCKED = @$(UV) pip install --python $(BIN)/python $(LOCKED) $< || $(PIP) install --no-compile $(LOCKED) $<
# a lock names packages and hashes, and no index: each machine has its own
UV_COMPILE := $(UV) pip compile pyproject.toml --group build --universal --python-version 3.11 --quiet \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate
DATA ?= .analytics
TESTERS ?= 4
EXAMPLES ?= 10
ARGS ?=
say = @printf '\n==> %s\n' "$(1)"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Packages are installed without bytecode (see INSTALL_LOCKED). Where this is set, as in many containers, none would ever be
# kept, and each process of an instance would compile all that it loads: 18 s of CPU for a start instead of 6
unexport PYTHONDONTWRITEBYTECODE
# the stamps below are the targets that make compares; running steps side by side would mix their output
.NOTPARALLEL:
.PHONY: help setup setup-dev run test lint types imports suite check properties bench pages docs proto stack stack-down lock clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | while IFS='|' read -r verb text; do printf '%-18s %s\n' "$$verb" "$$text"; done

setup: $(VENV)/.project ## make .venv from the locked packages and install the project into it

setup-dev: $(VENV)/.dev ## the same, with the tools for tests, types and generation

run: setup ## start everything here, load the sample data, print addresses and sign-in links (DATA=DIR, ARGS=…)
	@exec $(BIN)/analytics up --demo --data "$(DATA)" $(ARGS)

# pytest is last: where Kafka tests could not run, its last line is the last line of all. mypy runs beside it, and says
# something where it finds something; `make types` says that alone
test: lint imports ## lint, types, import rule and the whole suite against real servers (ARGS=… for pytest)
	$(call say,mypy beside pytest)
	@$(BIN)/mypy >$(VENV)/types.log 2>&1 & types=$$!; \
		$(MAKE) --no-print-directory suite; suite=$$?; \
		wait $$types || { cat $(VENV)/types.log; exit 1; }; exit $$suite

lint: setup-dev ## ruff: rules and format
	$(call say,ruff check)
	@$(BIN)/ruff check .
	$(call say,ruff format)
	@$(BIN)/ruff format --check --quiet . || { echo 'Not formatted: run .venv/bin/ruff format .' >&2; exit 1; }

types: setup-dev ## mypy --strict, tests included
	$(call say,mypy)
	@$(BIN)/mypy

imports: setup-dev ## the import rule, by import-linter
	$(call say,import-linter)
	@$(BIN)/lint-imports --no-logo

# a file that takes long must not be the last one, alone: tests/support/order.py puts those first
suite: setup-dev ## the tests of `make test` alone (ARGS=… for pytest, TESTERS=4 processes)
	$(call say,pytest)
	@$(BIN)/python -m pytest -m 'not check and not ci' -n $(TESTERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup-dev $(VENV)/axe/.made ## the long tests: volume, kills, memory (ARGS=… for pytest)
	$(call say,pytest: long tests)
	@$(BIN)/python -m pytest -m 'check or ci' -o faulthandler_timeout=0 $(ARGS)

properties: setup-dev ## the property tests alone, with ten times as many examples (EXAMPLES=10; ARGS=… for pytest)
	$(call say,pytest: property tests)
	@ANALYTICS_TEST_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -m 'hypothesis and not check and not ci' \
		-n $(TESTERS) --dist loadfile -o faulthandler_timeout=0 $(ARGS)

bench: setup-dev ## rates and latencies beside their floors, as a table and in bench-results.json; first bytes and paints of pages
	@$(BIN)/analytics bench --json bench-results.json $(ARGS)
	@$(if $(ARGS),,$(BIN)/python -m tests.browser.measure)

pages: setup-dev ## screenshots of the pages with the sample data, and the pictures of docs (ARGS='--docs DIR': these alone, of what runs there)
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

docs: setup-dev ## write the generated pages of docs/reference from the code
	@$(BIN)/python -m app.docs

proto: setup-dev ## write the protobuf and gRPC stubs from proto/*.proto
	@$(BIN)/python -m contract generate

stack: ## docker compose: Kafka, NATS, PostgreSQL and the processes of this service
	@[ -f .env ] || (umask 077 && for name in PASSWORD OWNER WRITER READER MEMBER TOKEN; do \
		printf 'ANALYTICS_STACK_%s=%s\n' $$name "$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(24))')"; \
		done > .env)
	docker compose up --build --detach --wait
	docker compose ps

stack-down: ## stop the stack and keep its volumes
	docker compose down

# Litestar declares polyfactory (and with it faker), which makes up examples for tests; it loads it for nothing else
lock: setup-dev ## write both locks anew from pyproject.toml, newest versions
	$(UV_COMPILE) --upgrade --no-emit-package polyfactory --no-emit-package faker --output-file requirements.lock
	$(UV_COMPILE) --upgrade --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean: ## remove the environment and caches; keeps the data directory
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

# what tests of pages look for barriers with; where there is no npm, or it cannot be had, those tests say so
$(VENV)/axe/.made: tests/browser/axe/package-lock.json | $(VENV)/.made
	@mkdir -p $(@D) && cp tests/browser/axe/package*.json $(@D)
	@if npm ci --prefix $(@D) --no-audit --no-fund --ignore-scripts --silent; then touch $@; \
		else echo 'axe-core could not be fetched (npm ci): tests of barriers are left out' >&2; fi

# ---------------------------------------------------------------------------------------------------------------------
# The environment. Each stamp is newer than what it was made from, so the second call of a verb starts at once.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 setup' >&2; exit 1; }
	$(call say,making $(VENV))
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) \
		|| { echo 'No environment could be made; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@touch $@

$(VENV)/.runtime: requirements.lock $(VENV)/.made
	$(call say,installing the locked packages)
	@awk '/^[^ ]/ {own = /^uv==/} own' requirements-dev.lock > $(VENV)/uv.lock
	@$(PIP_INSTALL) --require-hashes --no-deps --upgrade --target $(VENV)/uv -r $(VENV)/uv.lock || true
	$(INSTALL_LOCKED)
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.runtime
	$(call say,installing the project itself)
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime | $(VENV)/.project
	$(call say,installing the locked development packages)
	$(INSTALL_LOCKED)
	@touch $@
