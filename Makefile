# `make demo` shows what yibao does, `make test` runs the suite, `make check` everything CI asks for.
# All three set themselves up; they need python3 (3.11 to 3.13) with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STORY := scenarios/whole-autumns/the-counters-story.yaml
LOCK := pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-annotate --quiet

.PHONY: demo test check coverage bench docs torture fuzz mutants pythons lock clean

demo: $(READY)
	$(BIN)/yibao replay scenarios
	$(BIN)/yibao replay $(STORY)
	$(BIN)/yibao explain $(STORY)

test: $(READY)
	$(BIN)/python -m pytest -n 2 --doctest-modules src tests

coverage: $(READY)
	$(BIN)/python -m coverage run -m pytest tests
	$(BIN)/python -m coverage report

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	PYTHONPATH=src:tests $(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_wheel.py

# The suite on every Python from 3.11 to 3.13 that is here.
pythons:
	.ci/each-python suite

# Some minutes; each mutant that survives is printed.
mutants: $(READY)
	cd tests && ../$(BIN)/python tools/mutants.py

# Minutes of broken input; the seed it prints repeats a failure.
fuzz: $(READY)
	cd tests && ../$(BIN)/python tools/fuzz.py --minutes 5

# Minutes of writers and followers killed, servers crashed, connections cut, processes forked and
# whatever they do interrupted by signals; counts are printed.
TORTURE ?= 400
torture: $(READY)
	cd tests/adapters && YIBAO_TORTURE=$(TORTURE) ../../$(BIN)/python -m pytest -n 2 -rP \
		store/sqlite/test_crashes.py store/postgres/test_crashes.py store/postgres/test_faults.py \
		store/test_forks.py store/test_signals.py following/test_followers.py \
		upkeep/test_restored.py service/test_crowds.py service/test_many_at_once.py

# The reference of all public names, from their docstrings, into docs/reference.
docs: $(READY)
	cd tests && ../$(BIN)/python tools/reference.py ../docs/reference

# Minutes; ratios to a raw driver and to the stock library, in one run.
bench: $(READY)
	cd benchmarks && PYTHONPATH=../tests ../$(BIN)/python bench.py

# Needs network; `git diff requirements*.txt` afterwards shows what moved.
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv $(LOCK) --output-file requirements.txt
	$(BIN)/uv $(LOCK) --extra dev --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) .venv-3.* docs/reference dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)
