# The commands of Daiban. `make run` and `make test` need Python 3.11 or later and nothing else.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE :=  # packages are compiled when first imported, which must be kept

.PHONY: run test quick check mutants coverage lock chaos crowd bench fmt clean help python
.DEFAULT_GOAL := run

run: python       ## start everything; Ctrl-C ends it
	@$(PYTHON) prepare.py run && exec $(BIN)/python -m web.run

test: python      ## every check and every test
	@$(PYTHON) prepare.py test
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -n 2
	$(BIN)/python -m tests.gates.mutants --short
	@$(PYTHON) prepare.py browser

quick: python     ## the tests that need no database, broker, browser or search: under 20 s
	@$(PYTHON) prepare.py check
	$(BIN)/pytest -q --quick -n 2

check:            ## style, types, the contract between the rooms, sizes, dead code, commits
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.gates.house
	$(BIN)/python -m tests.gates.dead_code

mutants: python   ## small changes to the rules that some test must notice; MODULES=... for some only
	@$(PYTHON) prepare.py check
	$(BIN)/python -m tests.gates.mutants $(MODULES)

coverage: python  ## branches that the quick tests reach, a room; TESTS=all for every test, LEAST=90 to fail below
	@$(PYTHON) prepare.py $(if $(TESTS),test,check)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q $(if $(TESTS),,--quick)
	$(BIN)/coverage combine --quiet
	$(BIN)/python -m tests.gates.coverage_by_room $(LEAST)

fmt:              ## write the code in the agreed style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: python      ## new versions into the lock files
	@$(PYTHON) prepare.py lock

chaos: python     ## the long form of the tests that kill workers, broker and database
	@$(PYTHON) prepare.py test
	CHAOS=long $(BIN)/pytest tests/notifications -k chaos --timeout 7200 -n 2 --maxschedchunk 1

crowd: python     ## fifty thousand placements, completions and leaves at once
	@$(PYTHON) prepare.py test
	CROWD=50000 $(BIN)/pytest tests/dispatch/assignment/test_crowd.py --timeout 14400 --log-cli-level INFO

bench: python     ## the gap table of the routing engine
	@$(PYTHON) prepare.py run
	$(BIN)/python -m routing.bench

clean:            ## forget the environment and the pages' assets; the data stays
	rm -rf .venv web/static/vendor .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

help:             ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

python:
	@test -n "$(PYTHON)" || { echo "daiban: Python 3.11 or later is needed and none is on PATH" >&2; exit 1; }
