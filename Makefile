# `make serve` opens the console on a synthetic school, `make demo` shows what yibao does, `make test`
# runs the suite, `make check` everything CI asks for. All set themselves up in .venv; they need python3
# (3.11 to 3.13) with venv, and make. The first two need what yibao, its office and the web need, and the
# suite more: it installs that beside, of the same versions.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHOWN := $(VENV)/.shown
READY := $(VENV)/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STORY := scenarios/audit/the-counter-was-right-in-september-on-a-check-that-was-wrong.yaml
SCHOOL := $(VENV)/school
LOCK := pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-annotate --quiet

# What installs, type-checks or rewrites the project itself, or runs its documents.
CHECKS := tests/test_wheel.py tests/test_growing.py tests/test_names.py tests/docs
# Servers crash, processes are killed and forked, browsers look: each takes as long as hundreds of others.
SLOW := $(addprefix tests/adapters/, \
	store/postgres/test_crashes.py store/postgres/test_faults.py store/sqlite/test_crashes.py \
	store/test_forks.py store/test_signals.py upkeep/test_restored.py following/test_followers.py \
	following/test_evidence_torn.py http/console/test_browser.py http/test_fuzz.py http/test_serving.py \
	service/test_frozen_clock.py office/imports/test_kills.py office/season/test_a_season.py)

.PHONY: demo serve test slow check coverage pictures bench docs torture fuzz mutants pythons lock clean

demo: $(SHOWN)
	$(BIN)/yibao replay scenarios
	$(BIN)/yibao explain $(STORY)
	$(BIN)/yibao timeline $(STORY) --at "2025-09-10 14:00" --known-at "2025-09-10 14:00"
	$(BIN)/yibao show $(STORY) --at "2025-09-10 14:00"
	rm -rf $(SCHOOL)
	$(BIN)/yibao office demo --out $(SCHOOL)
	YIBAO_DIRECTORY=$(SCHOOL)/people.db YIBAO_DIRECTORY_KEY=$(SCHOOL)/directory.key \
		$(BIN)/yibao office today --school demo --on 2025-12-15 --store $(SCHOOL)/season.db
	@echo
	@echo "To look at it in a browser: make serve"
	@echo "On to your own: $(BIN)/yibao --help, or . $(BIN)/activate and then yibao --help"

# The console on a school of people who are not real, until it is stopped; it tells where to look.
serve: $(SHOWN)
	$(BIN)/yibao serve --demo

test: $(READY)
	$(BIN)/python -m pytest -n 2 --doctest-modules src tests $(addprefix --ignore=,$(CHECKS) $(SLOW))

slow: $(READY)
	$(BIN)/python -m pytest -n 2 $(SLOW)

coverage: $(READY)
	$(BIN)/python -m coverage run -m pytest tests
	$(BIN)/python -m coverage report

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy docs/examples
	$(BIN)/pyright
	PYTHONPATH=src:tests $(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 $(CHECKS)

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
		following/test_evidence_torn.py \
		upkeep/test_restored.py service/test_crowds.py service/test_many_at_once.py \
		following/test_trail_at_once.py ../projections/cohort/test_exact.py office/imports/test_kills.py

# The reference of all public names, from their docstrings, into docs/reference.
docs: $(READY)
	cd tests && ../$(BIN)/python tools/reference.py ../docs/reference

# Minutes; ratios to a raw driver and to the stock library, in one run.
bench: $(READY)
	cd benchmarks && PYTHONPATH=../tests ../$(BIN)/python bench.py

# The pictures of the README, which a test compares with what yibao draws.
pictures: $(READY)
	cd tests && PYTHONPATH=../src ../$(BIN)/python pictures.py

# Needs network; `git diff requirements*.txt` afterwards shows what moved.
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv $(LOCK) pyproject.toml --all-extras --group dev --output-file requirements-dev.txt
	$(BIN)/uv $(LOCK) pyproject.toml --extra office --extra http --constraint requirements-dev.txt --output-file requirements.txt
	echo openfisca-core==46.0.1 | $(BIN)/uv $(LOCK) - --output-file benchmarks/requirements-openfisca.txt
	$(BIN)/uv $(LOCK) --group build --constraint requirements-dev.txt --output-file requirements-build.txt

clean:
	rm -rf $(VENV) .venv-3.* .venv-openfisca docs/reference dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(SHOWN): requirements.txt requirements-build.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes -r requirements.txt -r requirements-build.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $(SHOWN)

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes -r requirements-dev.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $(SHOWN) $(READY)
