# Two commands are all that anyone needs: `make demo` and `make test`. Both set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Set to 1 where a skipped test of a real component is a failure (see tests/conftest.py).
REQUIRE_REAL ?=
PYTEST := $(BIN)/python -m pytest -n 2 $(if $(REQUIRE_REAL),--require-real)

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format docs bench lock clean tests-here tests-next

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## +/\t/' | expand -t 12

# The stamp makes a second run instant and needs no network; it falls when the lock or the project file changes.
# A pip that is told to look at other indexes still gets what the hashes name, or nothing.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or newer is needed; name one with make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "make: cannot create $(VENV); on Debian: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## analyse a sample trace and show the verdict
	@$(BIN)/leakwatch analyze sample_traces/tf_function_retracing.csv --limit 1GiB || test $$? -eq 10

test: lint tests-next tests-here  ## every check and every test (the same set-up)

tests-here: $(READY)
	$(PYTEST) --cov --cov-report=term:skip-covered
	@$(BIN)/python .ci/branch_floor.py --floor 90 detectors playbooks

tests-next: $(READY)
	@BASE=$(BIN)/python .ci/second_interpreter 3.13

check: lint  ## format, lint, types, import contracts, docs snippets
	$(BIN)/python -m pytest -q tests/test_docs.py

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)  ## put every file in its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)  ## put what the documents' commands print now into the documents
	$(BIN)/python docs/write_commands.py
	$(BIN)/python docs/run_snippets.py --write README.md CONTRIBUTING.md docs/*.md

bench: $(READY)  ## detection quality and speed beside the peers' rules, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.quality --write
	$(BIN)/python -m benchmarks.reading --write
	$(BIN)/python -m benchmarks.many_files --write
	$(BIN)/python -m benchmarks.logs --write
	$(BIN)/python -m benchmarks.history --write
	$(BIN)/python -m benchmarks.footprint --write
	$(BIN)/python -m benchmarks.lint_noise --write
	$(BIN)/python -m benchmarks.speed --write

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-annotate --no-strip-extras --custom-compile-command 'make lock' pyproject.toml

lock: $(READY)  ## pin the newest releases that pyproject.toml allows, with hashes
	$(COMPILE) --upgrade --output-file requirements/lock.txt
	$(COMPILE) --upgrade --group dev --constraint requirements/lock.txt --output-file requirements/dev.txt

clean:  ## remove what make made
	rm -rf $(VENV) .venvs build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* coverage.json
