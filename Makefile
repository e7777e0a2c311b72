# `make run` and `make test` are all the set-up there is.
#
# A stamp file in .venv marks each lock as installed: a warm start does nothing, and a changed lock
# is installed again.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# `check` has an order: its tests come last, also with -j.
.NOTPARALLEL:

# `make PYTHON=python3.12 test` selects one. A shim may exist and not work, so each candidate is run.
RECENT_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(RECENT_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Each worker starts its own databases, so that more workers than this take longer. The last tests
# go to any worker that is free.
IN_PARALLEL := -n auto --maxprocesses 4 --dist worksteal

# A .venv is created again when its Python is gone, or is not the one that PYTHON= selects.
VERSION := import sys; print(sys.version, sys.base_prefix)
ifeq ($(shell test -x $(BIN)/python && echo yes),)
REMAKE := FORCE
else ifeq ($(origin PYTHON),command line)
ifneq ($(shell "$(PYTHON)" -c '$(VERSION)' 2>&1),$(shell $(BIN)/python -c '$(VERSION)' 2>&1))
REMAKE := FORCE
endif
endif

.PHONY: FORCE
FORCE:

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: .venv/.installed-run ## start the service
	@$(BIN)/python -m entrypoints $(ARGS)

.PHONY: test
test: .venv/.installed-dev ## run the quick tests; ARGS='-n0 -k name' goes to pytest
	@$(PYTEST) $(IN_PARALLEL) -m "not slow" $(ARGS)

.PHONY: check
check: lint types contracts ## run all checks of CI: lint, types, contracts, every test
	@$(PYTEST) $(IN_PARALLEL)

.PHONY: coverage
coverage: .venv/.installed-dev ## run every test and show which lines none of them runs
	@$(PYTEST) $(IN_PARALLEL) --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: lint
lint: .venv/.installed-dev ## check for mistakes and unformatted code
	@$(BIN)/python -m ruff check
	@$(BIN)/python -m ruff format --check

# The benchmarks are typed too, with what they import.
.PHONY: types
types: .venv/.installed-bench ## check the types
	@$(BIN)/python -m mypy

.PHONY: contracts
contracts: .venv/.installed-dev ## check which layer imports which, and that each dependency is declared and used
	@$(BIN)/python $(BIN)/lint-imports --no-logo
	@$(BIN)/python -m deptry --no-ansi .

.PHONY: format
format: .venv/.installed-dev ## format the code and fix what can be fixed
	@$(BIN)/python -m ruff check --fix-only
	@$(BIN)/python -m ruff format

.PHONY: soak
soak: .venv/.installed-dev ## inject faults under load for 10 minutes; ARGS='--minutes 60 --database sqlite'
	@$(BIN)/python -m tests.kernel.soak $(ARGS)

.PHONY: mutants
mutants: .venv/.installed-dev ## remove guards one by one, and see a test fail for each; ARGS='--only NAME'
	@$(BIN)/python -m tests.kernel.mutants $(ARGS)

.PHONY: bench
bench: .venv/.installed-bench .venv/run/.installed ## run the benchmarks
	@$(BIN)/python -m benchmarks --python .venv/run/bin/python $(ARGS)

.PHONY: bench-quick
bench-quick: .venv/.installed-bench .venv/run/.installed ## run short benchmarks, for a rough comparison
	@$(BIN)/python -m benchmarks --python .venv/run/bin/python --quick $(ARGS)

# The measured service has only the packages of production: structlog and dependency-injector import
# optional packages where they find them, which would double their share of the start.
.venv/run/.installed: requirements/run.txt .venv/.installer
	@$(BIN)/python -m venv --clear .venv/run
	@$(call INSTALL,.venv/run/bin/python,$<)
	@touch $@

# --universal: one lock for every platform and every Python from 3.11 on. The index's address is left
# out, so that each machine uses its own; extras are included, because pip needs them. Each lock is
# constrained by the one before it.
LOCK = $(BIN)/uv pip compile --quiet --system-certs pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-strip-extras --no-emit-index-url \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: .venv/.installer ## write requirements/*.txt from pyproject.toml; UPGRADE=1 takes the newest versions
	@$(LOCK) -o requirements/run.txt
	@$(LOCK) --group dev -c requirements/run.txt -o requirements/dev.txt
	@$(LOCK) --group dev --group bench -c requirements/dev.txt -o requirements/bench.txt
	@$(BIN)/uv pip compile --quiet --system-certs --group installer --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade) -o requirements/uv.txt

.PHONY: clean
clean: ## remove what these targets create, but not the data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
		.coverage .coverage.* htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.created: $(REMAKE)
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(RECENT_ENOUGH)' 2>/dev/null || { echo >&2 \
		"This needs Python 3.11 or newer: install one, or name it (make PYTHON=python3.12 run)."; \
		exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo >&2 \
		"This Python has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv
	@touch $@

# uv only saves time: where it cannot be installed, pip installs the same lock. Like pip, uv uses the
# system's certificates (--system-certs): a proxy that inspects TLS has a certificate of its own.
.venv/.installer: requirements/uv.txt .venv/.created
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< \
		|| echo >&2 "uv cannot be installed here: pip will do"
	@touch $@

.venv/.installed-%: requirements/%.txt .venv/.installer
	@echo "Installing $<"
	@$(call INSTALL,$(BIN)/python,$<)
	@touch $@

INSTALL = { $(BIN)/uv --version >/dev/null 2>&1 && \
	$(BIN)/uv pip install --quiet --system-certs --python $(1) --require-hashes -r $(2); } \
	|| $(1) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)
