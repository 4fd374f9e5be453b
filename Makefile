# Every chore of O2B by name; nothing needs to be installed but Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
.DEFAULT_GOAL := help
# Whoever forbids it pays for it: each process, and there are hundreds, would compile all of O2B anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo up test test-faults lint mutants bench shots messages clean

help: ## say what each target does
	@sed -n 's/^\([.a-z-]*\):[^#]*## /\1|/p' Makefile | while IFS='|' read name what; do printf '  make %-11s %s\n' "$$name" "$$what"; done

demo: .venv ## run O2B with a demo carrier on http://localhost:8000 (ARGS=--no-serve: load it and end)
	@exec $(BIN)/python manage.py up --demo $(ARGS)

up: .venv ## the same without demo data
	@exec $(BIN)/python manage.py up $(ARGS)

# Three on two cores: one of them waits for browsers and for workers, most of its time.
test: .venv ## run the tests (ARGS="-k quotes")
	@exec $(BIN)/python -m pytest -n 3 $(ARGS)

test-faults: .venv ## kill workers, beat, Redis and Postgres under orders and bill runs (a short form is in make test)
	@O2B_FAULTS=whole exec $(BIN)/python -m pytest tests/scenarios/test_fulfilment_faults.py tests/scenarios/test_run_faults.py tests/scenarios/test_faults.py tests/scenarios/test_run_races.py tests/scenarios/test_full_disk.py tests/scenarios/test_ten_thousand.py -n 2 $(ARGS)

lint: .venv ## format, style, direction of imports, types, checks, migrations
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/mypy .
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run

mutants: .venv ## plant small faults in the pricing engine and count those the tests notice (ARGS="--count 200 --seed 1")
	@exec $(BIN)/python -m tests.mutants $(ARGS)

bench: .venv ## measure bill runs, orders, prices, sheets, fulfilment and queues
	$(BIN)/python manage.py bench_bill_run --json $(ARGS)
	$(BIN)/python manage.py bench_pdfs --json
	$(BIN)/python manage.py bench_orders_api --json
	$(BIN)/python manage.py bench_pricing --json
	$(BIN)/python manage.py bench_import --json
	$(BIN)/python manage.py bench_fulfilment --json
	$(BIN)/python manage.py bench_claim_next --json
	$(BIN)/python manage.py bench_queue --json

shots: .venv ## take the pictures of docs/screenshots anew
	@exec $(BIN)/python -m tests.shots $(ARGS)

messages: .venv ## collect the texts for translation and compile locale/de (needs gettext)
	@command -v msgfmt >/dev/null || { echo "Collecting texts needs GNU gettext (msgfmt), for example from \`apt-get install gettext\`." >&2; exit 1; }
	$(BIN)/django-admin makemessages -l de --ignore .venv --ignore tests --ignore .o2b --no-wrap --add-location file
	$(BIN)/django-admin compilemessages -l de --ignore .venv

clean: ## throw away .venv, the embedded servers' data and all caches
	@if [ -e .o2b/servers.json ] && [ -x $(BIN)/python ]; then O2B_HOME=.o2b $(BIN)/python -m o2b.servers; fi
	rm -rf .venv .o2b .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# The lock lists the development tools too. The stamp is written last: half an install is none.
.venv: .venv/installed ## make the Python environment that the lock names

.venv/installed: requirements.lock requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "O2B needs Python 3.11 or newer; this is Python %d.%d. Name another with `make PYTHON=python3.11`." % sys.version_info[:2])'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "o2b.pth").write_text(f"{pathlib.Path.cwd()}\n")'
	@touch .venv/installed
