# The development words: the same for README, CI and people.
# Needs Python 3.11 to 3.13, make and git; `make install` does the rest inside $(VENV).
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install check fix test editor pythons simulate soak demo bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## .venv with the locked tools and this checkout; PYTHON=python3.12 picks another Python
ifneq ($(origin PYTHON),file)
	@test "$$($(PYTHON) -c 'import sys; print(sys.version_info[:2])')" = "$$($(PY) -c 'import sys; print(sys.version_info[:2])')" \
	  || { echo "$(VENV) was made with $$($(PY) -V), not with $(PYTHON): run 'make clean' first, or choose another VENV=DIR" >&2; exit 1; }
endif

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else 1)' \
	  || { echo "jobsctl needs Python 3.11 to 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1): give one with PYTHON=..." >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(PY) -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

check: $(STAMP) ## lint, format, types, import rules
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

fix: $(STAMP) ## what lint and format can repair by themselves
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# One worker more than there are processors: most of the time a test of real processes waits for one.
WORKERS ?= $(shell expr $$(nproc) + 1)
test: $(STAMP) ## every test; ARGS='tests/watching -k name' for some, WORKERS=0 in one process
	$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

simulate: $(STAMP) ## the whole daemon in simulated time, with faults; SEED=7 DAYS=3000
	@$(PY) -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(DAYS),--days $(DAYS)) $(ARGS)

soak: export SOAK_MINUTES = $(or $(MINUTES),10)
soak: export SOAK_SEED ?= $(shell date +%s)
soak: export FAULTS = full
soak: $(STAMP) ## real faults on real processes for long; MINUTES=30 SOAK_SEED=7
	$(PY) -m pytest tests/faults tests/crashing $(ARGS)

editor: $(STAMP) ## our schema in a real yaml-language-server; needs npm, keeps the server in .editor
	npm install --silent --no-audit --no-fund --no-save --prefix .editor yaml-language-server@1.25.0
	$(PY) -m pytest tests/editing $(ARGS)

PYTHONS ?= python3.11 python3.12 python3.13
pythons: ## every test on each of PYTHONS that is here, in a .venv-3.X of its own, from the same lock
	@for python in $(PYTHONS); do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) \
	    || { echo "$$python: not here, left out"; continue; }; \
	  echo "== $$python"; \
	  $(MAKE) --no-print-directory test PYTHON=$$python VENV=.venv-$$version ARGS='$(ARGS)' || exit 1; \
	done

demo: $(STAMP) ## a git repository of jobs, a daemon on it, live; Ctrl-C or DEMO_SECONDS=60 ends it
	@$(PY) examples/demo.py $(ARGS)

bench: $(STAMP) ## measure, and say which targets are reached
	$(PY) -m benchmarks $(ARGS)

# Resolved with the oldest supported Python: what only it needs is a superset. The options keep every host's name out of the files.
COMPILE = $(VENV)-lock/bin/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock: export CUSTOM_COMPILE_COMMAND = make lock
lock: $(STAMP) ## renew the locks; ARGS=--upgrade for newer versions
	@test -x $(VENV)-lock/bin/pip-compile || { $(PY) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet pip-tools; }
	$(COMPILE) $(ARGS) --extra notify --output-file requirements.lock pyproject.toml
	$(PY) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
	  | $(COMPILE) $(ARGS) --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml -

clean: ## remove what the other words made
	rm -rf $(VENV) $(VENV)-lock .venv-3.* .editor build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
