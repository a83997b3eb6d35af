# Every target sets up what it needs: .venv with pinned, hashed dependencies.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A clean environment: no module, interpreter or settings of the caller's shell leaks into ours.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV DJANGO_SETTINGS_MODULE
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: help setup lock demo run lab incident simulate test test-full check format clean screenshots messages lambda-zip bench bench-compare claims chaos month audit

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## .venv with pinned and hashed dependencies

$(READY): requirements/dev.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Set PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install it with 'apt-get install python3-venv'."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned dependencies into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@# uv takes seconds where pip takes minutes, but knows nothing of pip's own settings (index, proxy, certificates).
	@$(BIN)/uv pip install --system-certs --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt || { \
		echo "uv could not install them; trying pip, which takes some minutes …"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt; }
	@touch $@

lock: ## write the lock files anew from pyproject.toml
	@test -x $(BIN)/uv || $(MAKE) --no-print-directory setup
	@requirements/lock

demo: $(READY) ## lab, broker and panel on loopback with three applications under live traffic
	@exec $(BIN)/python -m stack demo

run: $(READY) ## the panel without the lab, configured by the environment
	@exec $(BIN)/python -m stack run

lab: $(READY) ## the local AWS alone, under traffic, with its page to train on
	@exec $(BIN)/python -m lab --traffic $(if $(SCENARIO),--scenario $(SCENARIO))

incident: $(READY) ## one whole incident, headless; writes build/incident.json
	@exec $(BIN)/python -m stack incident $(SCENARIO)

screenshots: $(READY) ## pictures of the running product into docs/images/ (needs chromium)
	@exec $(BIN)/python -m stack.pictures

messages: $(READY) ## locale/django.pot, what pages say, for translators (needs gettext)
	@exec $(BIN)/python -m panel.messages

simulate: $(READY) ## random histories in virtual time against the rules; N=10000 of them
	@exec $(BIN)/python -m bench.simulate $(N)

PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
# What a database can do differently from another: transactions, locks, constraints.
ON_BOTH := tests/panel/engine tests/panel/ingest tests/panel/operations

test: $(READY) ## the tests, those about the database on SQLite and PostgreSQL
	@$(PYTEST) -m "not full"
	@$(PYTEST) -m "not full" --database=postgresql $(ON_BOTH)

test-full: $(READY) ## the tests and the long ones, all of the panel's on SQLite and PostgreSQL
	@$(PYTEST)
	@$(PYTEST) --database=postgresql tests/panel

bench: $(READY) ## benchmarks against their limits: a table and build/bench.json (BENCH="NAME…" for some)
	@exec $(BIN)/python -m bench $(BENCH)

bench-compare: $(READY) ## what of the last run got worse since the newest in bench/history/
	@exec $(BIN)/python -m bench compare

claims: $(READY) ## the README's table of claims, from the last make bench, make incident and make chaos
	@exec $(BIN)/python -m bench claims

chaos: $(READY) ## every scenario with every fault, on the real product; SCENARIO=, FAULT=, CELL=surge/redis-lost, SEED=
	@exec $(BIN)/python -m bench.chaos $(if $(CELL),--cell $(CELL)) $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(FAULT),--fault $(FAULT)) $(if $(SEED),--seed $(SEED))

month: $(READY) ## a month of the panel in virtual time: memory, queues or tables that grow (build/month.json)
	@exec $(BIN)/python -m bench.month

lambda-zip: $(READY) ## the Lambda packages build/api-service.zip and build/failover.zip, the same bytes each time
	@exec $(BIN)/python -m stack.lambda_zip

format: $(READY) ## format code and templates
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix . ; $(BIN)/djade --target-version 5.2 $$(git ls-files 'templates/*.html') || true

audit: $(READY) ## known vulnerabilities of the locked packages; needs the network
	@$(BIN)/python .ci/audit $(BIN)/pip-audit

check: $(READY) ## formatting, lint, types, import rules, migrations, templates, deploy checks
	@BIN=$(BIN) bash .ci/check

clean: ## remove what was built (not var/, the panel's data)
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
