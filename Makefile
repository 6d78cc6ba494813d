# The commands of Daiban. `make run` and `make test` need Python 3.11 or later and nothing else.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
BIN := .venv/bin
# What is compiled is measured as Python: only the branches are read, since its numbers do not wrap round there.
COMPILED := $(addprefix tests/agents/matching/test_,best_set.py knapsacks.py descent.py batch.py dives.py) \
	$(addprefix tests/routing/search/test_,tails.py replan.py unserved.py proof.py solve.py nearby.py)
AS_PYTHON = for each in $(COMPILED); do NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -q --timeout 45 \
	-m "not slow" -W "ignore:overflow encountered:RuntimeWarning" $$each >/dev/null 2>&1; done; true
export PYTHONDONTWRITEBYTECODE :=  # packages are compiled when first imported, which must be kept

.PHONY: run operator test quick check mutants coverage lock acts chaos crowd walk fuzz requests bench fmt clean help python
.DEFAULT_GOAL := run

run: python       ## start everything; Ctrl-C ends it
	@$(PYTHON) prepare.py run && exec $(BIN)/python -m web.run

operator:         ## a link, good once, by which the first operator sets a password; while `make run` runs
	@$(BIN)/flask --app wsgi accounts operator $(LOGIN)

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
	$(BIN)/python -m tests.gates.unused

mutants: python   ## small changes to the rules that some test must notice; MODULES=... for some only
	@$(PYTHON) prepare.py check
	$(BIN)/python -m tests.gates.mutants $(MODULES)

coverage: python  ## branches that the quick tests reach, a room; TESTS=all for every test, LEAST=90 to fail below
	@$(PYTHON) prepare.py $(if $(TESTS),test,check)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q $(if $(TESTS),,--quick)
	$(if $(TESTS),$(AS_PYTHON))
	$(BIN)/coverage combine --quiet
	$(BIN)/python -m tests.gates.coverage_by_room $(LEAST)

fmt:              ## write the code in the agreed style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: python      ## new versions into the lock files
	@$(PYTHON) prepare.py lock

recompute: python ## every date and lamp of 5,000 generated projects, found again by plain SQL and by hand
	@$(PYTHON) prepare.py test
	DAIBAN_RECOMPUTED=5000 $(BIN)/pytest tests/dispatch/cases/test_recomputation.py -n 0 --timeout 7200

acts: python      ## 10,000 random acts, after which all that is owed stands in every list; DAIBAN_ACTS=... for fewer
	@$(PYTHON) prepare.py test
	DAIBAN_ACTS=$${DAIBAN_ACTS:-10000} $(BIN)/pytest tests/dispatch/cases/test_owed_by_hand.py -n 0 --timeout 14400

chaos: python     ## the long form of the tests that kill workers, broker and database
	@$(PYTHON) prepare.py test
	CHAOS=long $(BIN)/pytest tests/notifications -k chaos --timeout 7200 -n 2 --maxschedchunk 1

crowd: python     ## fifty thousand placements, completions and leaves at once
	@$(PYTHON) prepare.py test
	CROWD=50000 $(BIN)/pytest tests/dispatch/assignment/test_crowd.py --timeout 14400 --log-cli-level INFO

walk: python      ## two couriers, one phone, two thousand random steps; WALK_SEED=... for another walk
	@$(PYTHON) prepare.py test
	WALK=2000 $(BIN)/pytest tests/web/pages/courier/test_courier_walk.py -n 0 --timeout 14400

fuzz: python      ## a hundred thousand plans and re-plans of random days; FUZZ=... for another number, FUZZ_FROM=... for others
	@$(PYTHON) prepare.py test
	FUZZ=$${FUZZ:-100000} $(BIN)/pytest tests/routing/search/test_fuzz.py -n 0 --log-cli-level INFO --timeout 14400

requests: python  ## forty generated requests of each kind to every operation of the API; REQUESTS=... for another number
	@$(PYTHON) prepare.py test
	REQUESTS=$${REQUESTS:-40} $(BIN)/pytest tests/web/api/test_api_resources.py -k whatever_is_sent -n 0

bench: python     ## the gap table of the routing engine
	@$(PYTHON) prepare.py run
	$(BIN)/python -m routing.bench

clean:            ## forget the environment and the pages' assets; the data stays
	rm -rf .venv web/static/vendor .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

help:             ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

python:
	@test -n "$(PYTHON)" || { echo "daiban: Python 3.11 or later is needed and none is on PATH" >&2; exit 1; }
