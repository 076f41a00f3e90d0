# FilAgent: what there is to do with a checkout. Everything is made in .venv; nothing is installed elsewhere.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run test lint check bench bench-pii kills demo lock clean

# An interpreter 3.11 when none is found by itself; compiler processes; arguments for the command behind a target.
PYTHON ?=
JOBS ?=
ARGS ?=
export PYTHON JOBS

PY := .venv/bin/python

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-10s%s\n' "$$name" "$$text"; done

setup:
	@sh scripts/setup.sh run

run: setup ## set up what is missing, then serve on 127.0.0.1:8000, the console on 127.0.0.1:7860 (ARGS="--workers 2")
	@exec .venv/bin/filagent serve $(ARGS)

test: ## all tests (ARGS="tests/unit -k name")
	@sh scripts/setup.sh test
	@$(PY) -m pytest $(ARGS)

lint: ## style, types, import contracts, repository rules
	@sh scripts/setup.sh lint
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy runtime memory policies console bench scripts gradio_app.py
	@.venv/bin/lint-imports
	@$(PY) scripts/check_repository.py

check: lint test ## lint and test

bench: setup ## the figures, each beside the bare backend in the same run
	@$(PY) -m bench $(ARGS)

bench-pii: setup ## personal data left in clear, beside stock Presidio and a six-regex redactor (ARGS="--split dev --misses 20")
	@$(if $(ARGS),$(PY) -m bench.pii $(ARGS),$(PY) -m bench.pii --split held --stock; held=$$?; \
		$(PY) -m bench.pii --split letters-held --stock && exit $$held)

kills: ## kill what serves, at random under load, and judge what is left (1,000 times; ARGS="50 --seed 7")
	@sh scripts/setup.sh test
	@$(PY) scripts/kill_rounds.py $(or $(ARGS),1000)

demo: setup ## a governed turn, its proof, a forgery refused, a person erased: two minutes in the terminal
	@$(PY) scripts/demo.py $(ARGS)

lock: ## pin requirements/*.in anew, every file by hash (needs uv)
	@sh scripts/lock.sh

clean: ## remove what can be made again; data, logs, keys and models stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find runtime memory policies console migrations tests scripts -type d -name __pycache__ -prune -exec rm -rf {} +
