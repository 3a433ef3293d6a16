# Everything a person does with this repository. `make` alone prints the list.
PYTHON ?= python3
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test nightly mutants race chaos planted demo lint check bench bench-full lock clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  %-12s %s\n", $$1, $$2}'

setup: ## install exactly what the lock says into .venv (nothing when it is already there)
	@$(PYTHON) -m launcher setup

run: setup ## start the whole platform; Ctrl-C ends it
	@$(PY) -m launcher run

test: setup ## the whole suite on servers of its own
	@$(PY) -m pytest -q -n 3 --dist worksteal

nightly: setup ## twenty times the random cases, a race of a million attempts, chaos with a hundred thousand payments
	@TEST_EFFORT=2000 $(PY) -m pytest -q -n 2 --timeout 3600 tests/pricing tests/life
	@$(PY) -m bench.race 1000000
	@$(PY) -m bench.chaos --payments 100000

mutants: setup ## spoil engine and proof, and count what the tests notice (WHICH=all tries every way)
	@$(PY) -m tests.mutants $(WHICH)

race: setup ## sixty-four clients fight for bays: nobody may get what another has (ATTEMPTS=200000)
	@$(PY) -m bench.race $(ATTEMPTS)

chaos: setup ## payments while everything dies that can die, both books to the fen (PAYMENTS=2000 SEED=… HANDLER=naive)
	@$(PY) -m bench.chaos $(if $(PAYMENTS),--payments $(PAYMENTS)) $(if $(SEED),--seed $(SEED)) $(if $(HANDLER),--handler $(HANDLER))

planted: setup ## plant bugs that must never pass, one by one, and see the suite notice
	@$(PY) -m tests.planted $(BUG)

demo: setup ## an evening at the car-parks, told in the terminal, every figure checked
	@$(PY) -m demo

lint: setup ## lint, formatting and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .

check: lint ## the same, and the tests about the house
	@$(PY) -m pytest -q tests/house

bench: setup ## measure the promises about speed (ONLY="rush gates" measures these groups)
	@$(PY) -m bench $(ONLY)

bench-full: setup ## the same with all that grows at full size: 5,000 lots and gates, 200,000 bays, a million bill lines
	@$(PY) -m bench full $(ONLY)

lock: setup ## write requirements*.txt anew from requirements*.in
	@$(PY) -m launcher lock

clean: ## stop what `make run` left, remove the environment and all local data
	@if [ -x $(PY) ]; then $(PY) -m launcher clean; else $(PYTHON) -m launcher clean; fi
