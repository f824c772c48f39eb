# Ringback's tasks; `make` alone lists them. GNU make and Python 3.11+ are all that must be there.

PYTHON  ?= python3
# Twice as many as cores: tests wait for databases, servers and browsers about as long as they work.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
ARGS    ?=

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install -qq --disable-pip-version-check
LOCKED := $(PIP) --no-compile --require-hashes
# On all cores, and once and for all: an environment that writes no bytecode would compile at every start.
COMPILE := $(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
NEWER  := import sys; sys.exit(sys.version_info < (3, 11) and "Ringback needs Python 3.11 or newer: make PYTHON=python3.12 …")

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use

.PHONY: help
help: ## list these tasks
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nPYTHON=%s picks the interpreter, ARGS="…" goes to the command that a task runs.\n' '$(PYTHON)'

.PHONY: demo
demo: $(VENV)/.runtime ## sample companies on a throw-away database, served
	$(BIN)/ringback demo $(ARGS)

.PHONY: install
install: $(VENV)/.runtime ## the command ringback, in .venv

##@ Work on it

.PHONY: test
test: $(VENV)/.dev chromium clients ## every test, on SQLite and a real PostgreSQL, in a real browser
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

.PHONY: test-all
test-all: $(VENV)/.dev chromium all-clients ## the same with every client there is, and many more generated requests
	$(BIN)/python -m pytest -n $(WORKERS) -m '' $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## a million generated inputs: what is read and decided, and requests as bytes
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n $(WORKERS) -m hypothesis tests/domain tests/api/test_fuzz.py $(ARGS)

.PHONY: coverage
coverage: $(VENV)/.dev chromium clients ## the same, and which lines and branches no test reached
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term $(ARGS)

.PHONY: screenshots
screenshots: $(VENV)/.dev chromium ## every page of the demo as a picture, in build/screenshots
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

.PHONY: docs
docs: $(VENV)/.dev ## the reference pages in docs/reference, made of the code
	$(BIN)/python -m docs.generate

.PHONY: bench
bench: $(VENV)/.dev ## what is promised of speed, measured in ten minutes; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-long
bench-long: $(VENV)/.dev ## pages with a million calls and three million receipts; half an hour; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.growth $(ARGS)

.PHONY: crash
crash: $(VENV)/.dev ## servers and databases killed under load, 60 times each; writes benchmarks/RESULTS.md
	$(BIN)/python -m tests.crash $(ARGS)

.PHONY: check
check: formatted linted typed layered declared housed ## format, lint, types, layers, dependencies, house numbers

.PHONY: formatted linted typed layered declared housed
formatted: $(VENV)/.dev
	$(BIN)/ruff format --check --output-format concise .
linted: $(VENV)/.dev
	$(BIN)/ruff check .
typed: $(VENV)/.dev
	$(BIN)/mypy
layered: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo
declared: $(VENV)/.dev
	$(BIN)/deptry --no-ansi src
	$(BIN)/deptry --no-ansi --config client/pyproject.toml src/ringback/client
housed: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/house

.PHONY: format
format: $(VENV)/.dev ## put every file into the house's format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: wheels
wheels: $(VENV)/.runtime ## what is published, in dist: the package of the server and that of the Python client
	$(BIN)/python -m pip wheel -qq --no-deps --no-build-isolation --wheel-dir dist . ./client

.PHONY: clean
clean: ## remove what was installed and built; the repository stays
	rm -rf $(VENV) $(NODE)/node_modules build dist .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Dependencies

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: lock
lock: $(VENV)/.tools ## requirements/*.lock from pyproject.toml, keeping the versions they have
	$(LOCK) $(UPGRADE) pyproject.toml --output-file requirements/runtime.lock
	$(LOCK) $(UPGRADE) pyproject.toml --group dev --constraint requirements/runtime.lock --output-file requirements/dev.lock
	$(LOCK) $(UPGRADE) --group build --constraint requirements/dev.lock --output-file requirements/build.lock
	$(LOCK) $(UPGRADE) --group tools --constraint requirements/dev.lock --output-file requirements/tools.lock

.PHONY: upgrade
upgrade: ## the same, with the newest versions that pyproject.toml allows
	$(MAKE) lock UPGRADE=--upgrade

.PHONY: audit
audit: $(VENV)/.tools ## known vulnerabilities in what is locked (asks a public service)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements/dev.lock

# --- how things get installed; each stamp is newer than what it was made from ------------------------------------------

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c '$(NEWER)'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: requirements/runtime.lock requirements/build.lock pyproject.toml | $(BIN)/python
	@echo 'Installing Ringback into $(VENV) …'
	@$(LOCKED) --requirement requirements/runtime.lock --requirement requirements/build.lock
	@$(COMPILE)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	@echo 'Installing what tests and checks need …'
	@$(LOCKED) --requirement requirements/dev.lock
	@$(COMPILE)
	@touch $@

# The machine's own, else Debian's package if that may be installed here.
.PHONY: chromium
chromium: $(VENV)/.dev
	@$(BIN)/python -m tests.browser.chromium

# What posts in the tests: programs of this machine, else Debian's packages of them, and packages of npm.
NODE := tests/blackbox/node
.PHONY: clients all-clients
clients: $(VENV)/.dev
	@$(BIN)/python -m tests.blackbox.programs
	@$(MAKE) --no-print-directory $(NODE)/node_modules/.package-lock.json
all-clients: clients
	@$(BIN)/python -m tests.blackbox.programs --all
$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json
	@echo 'Installing what tests have from npm …'
	@cd $(NODE) && npm ci --silent --no-audit --no-fund
	@touch $@

$(VENV)/.tools: requirements/tools.lock $(VENV)/.runtime
	@echo 'Installing what maintainers need …'
	@$(LOCKED) --requirement requirements/tools.lock
	@touch $@
