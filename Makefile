# `make run` and `make test` are all the set-up there is.
#
# A stamp file in .venv stands for each lock that was installed, so that a warm start does nothing
# and a changed lock is installed again.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# `check` is in an order: its tests come last, also under -j.
.NOTPARALLEL:

# `make PYTHON=python3.12 test` asks for one by name. A shim may exist and not run, so each is run.
RECENT_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(RECENT_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# A worker starts its own databases: more of them than this cost more than they bring. The last
# tests go to whichever worker is free.
IN_PARALLEL := -n auto --maxprocesses 4 --dist worksteal

# A .venv is made again when its Python is gone, or is not the one that was asked for by name.
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
check: lint types contracts ## all that CI checks: lint, types, contracts, every test
	@$(PYTEST) $(IN_PARALLEL)

.PHONY: coverage
coverage: .venv/.installed-dev ## run every test and show which lines none of them runs
	@$(PYTEST) $(IN_PARALLEL) --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: lint
lint: .venv/.installed-dev ## look for mistakes and for unformatted code
	@$(BIN)/python -m ruff check
	@$(BIN)/python -m ruff format --check

# The benchmarks are typed too, with what they import.
.PHONY: types
types: .venv/.installed-bench ## check the types
	@$(BIN)/python -m mypy

.PHONY: contracts
contracts: .venv/.installed-dev ## check who imports whom, and that each dependency is declared and used
	@$(BIN)/python $(BIN)/lint-imports --no-logo
	@$(BIN)/python -m deptry --no-ansi .

.PHONY: format
format: .venv/.installed-dev ## format the code and mend what can be mended
	@$(BIN)/python -m ruff check --fix-only
	@$(BIN)/python -m ruff format

.PHONY: soak
soak: .venv/.installed-dev ## load it and let things fail, for 10 minutes; ARGS='--minutes 60 --database sqlite'
	@$(BIN)/python -m tests.kernel.soak $(ARGS)

.PHONY: mutants
mutants: .venv/.installed-dev ## remove guards one by one, and see a test fail for each; ARGS='--only NAME'
	@$(BIN)/python -m tests.kernel.mutants $(ARGS)

.PHONY: bench
bench: .venv/.installed-bench .venv/run/.installed ## measure, at length
	@$(BIN)/python -m benchmarks --python .venv/run/bin/python $(ARGS)

.PHONY: bench-quick
bench-quick: .venv/.installed-bench .venv/run/.installed ## measure, roughly
	@$(BIN)/python -m benchmarks --python .venv/run/bin/python --quick $(ARGS)

# What is measured has the packages that it has in production: structlog and dependency-injector
# import other ones where they find them, which would double their share of the start.
.venv/run/.installed: requirements/run.txt .venv/.installer
	@$(BIN)/python -m venv --clear .venv/run
	@$(call INSTALL,.venv/run/bin/python,$<)
	@touch $@

# --universal: one lock for every platform and every Python from 3.11 on. The index's address stays
# out, so that each machine uses its own, and extras stay in: pip looks for them. Each lock holds
# to the one before it.
LOCK = $(BIN)/uv pip compile --quiet --system-certs pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-strip-extras --no-emit-index-url \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: .venv/.installer ## write requirements/*.txt from pyproject.toml; UPGRADE=1 moves to the newest
	@$(LOCK) -o requirements/run.txt
	@$(LOCK) --group dev -c requirements/run.txt -o requirements/dev.txt
	@$(LOCK) --group dev --group bench -c requirements/dev.txt -o requirements/bench.txt
	@$(BIN)/uv pip compile --quiet --system-certs --group installer --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade) -o requirements/uv.txt

.PHONY: clean
clean: ## remove what was made here, but for the data
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

# uv only saves time: where it cannot be had, pip installs the same lock. Like pip, it is to trust
# whom the machine trusts (--system-certs): a proxy that inspects has a certificate of its own.
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
