# The commands people type. `make` lists them.

PYTHON ?= python3
ARGS ?=

# Reflex finds bun and node in .venv/bin; without it there, it would try to download them.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export REFLEX_CHECK_LATEST_VERSION := false
export REFLEX_TELEMETRY_ENABLED := false
export PYTHONUNBUFFERED := 1
# Compiled once, even where the machine says to keep nothing: each process and each worker of the tests would do it anew.
export PYTHONDONTWRITEBYTECODE :=

# The registry npm is set to, handed to Reflex, which otherwise tries out hosts of its own.
REGISTRY = NPM_CONFIG_REGISTRY="$$(npm --loglevel=error config get registry)"

.PHONY: help run dev serve build test lint migrate shots texts lock browser bench bench-gate bench-scale fuzz simulate storm chaos mutants sandbox-fidelity audit lighthouse breaches audit-deps

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' Makefile

run: .venv/product migrate ## The whole product on this machine, with demo chargers and a payment sandbox
	@$(REGISTRY) exec python scripts/together.py "reflex run --env prod" "python -m simulator"

dev: .venv/product migrate ## The same with hot reload
	@$(REGISTRY) exec python scripts/together.py "reflex run --env preview" "python -m simulator"

serve: .venv/product migrate ## Production only: no demo chargers, no sandbox
	@$(REGISTRY) exec reflex run --env prod

build: .venv/product ## Build the pages once, for servers that run without Node (docs/deploy.md)
	@$(REGISTRY) reflex export --env prod --frontend-only --no-zip

test: .venv/dev browser ## Every test; ARGS="tests/unit -k wallet" for some
	@$(REGISTRY) exec pytest -n auto --dist loadgroup $(ARGS)

lint: .venv/dev ## Style, types, who imports whom, and what a repository of this product never holds
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	@! grep -rns 'https\?://' reflex.lock requirements*.txt \
		|| { echo "A lock names an address. Make it against the default registries: CONTRIBUTING.md, Locks."; exit 1; }
	@! git ls-files | grep -E '\.(js|jsx|ts|tsx|mjs|cjs)$$' \
		|| { echo "The product is Python only; compose this in Python instead."; exit 1; }

migrate: .venv/product ## Bring the database up to date (EVAPP_DATABASE_URL, or var/evapp.db)
	@alembic upgrade head

bench: .venv/dev ## Measure the chargers' side beside its peers; ARGS="flow --rounds 9" for some (bench/README.md)
	@python -m bench $(ARGS)

bench-gate: .venv/dev ## Two minutes of it: have messages become dearer? CI asks, too
	@python -m bench gate

bench-scale: .venv/dev ## 10,000 chargers on one CSMS process and on two; ARGS="--chargers 1000 --charging 200" for less
	@python -m bench.scale $(ARGS)

fuzz: .venv/dev ## A hundred thousand odd frames to the chargers' port; ARGS="--frames 1000 --seed 7"
	@python -m bench.fuzz $(ARGS)

simulate: .venv/dev ## The product simulated from one seed, twice; ARGS="--seed 7 --steps 5000" for a certain one
	@python -m tests.money.simulation $(ARGS)

storm: .venv/dev ## Processes in each other's way and 50 of them killed, on both databases; ARGS="--seed 7" for a certain one
	@python -m tests.money.chaos $(ARGS)

chaos: .venv/dev ## 200 charges while each web and CSMS process, Redis and PostgreSQL die in turn; ARGS="--seed 7" for a certain run
	@python -m tests.chaos $(ARGS)

mutants: .venv/dev ## Plant faults into the modules of money and count those no test finds; ARGS="wallet --share 0.2" for some
	@python -m scripts.mutants $(ARGS)

breaches: .venv/dev browser ## Take out each defence and see its test fail; ARGS="webhook" for some
	@$(REGISTRY) exec python -m scripts.breaches $(ARGS)

audit-deps: .venv/dev .venv/audit ## Known weaknesses of the locked packages, Python's and the front end's; asks services outside
	@.venv/audit/bin/pip-audit --requirement requirements.txt --requirement requirements-otel.txt --no-deps --disable-pip --strict --progress-spinner off
	@cd reflex.lock && $(REGISTRY) bun audit

sandbox-fidelity: .venv/dev ## Let PhonePe's own Python SDK drive our PhonePe sandbox, in both URL layouts
	@python -m scripts.sandbox_fidelity

audit: .venv/dev browser ## Judge every page in Chromium: axe, width, weight, calm, thumbs, keyboard, installing; prints a table
	@$(REGISTRY) exec pytest -q -s tests/e2e/test_audit.py tests/e2e/test_pages.py $(ARGS)

lighthouse: .venv/dev browser ## Lighthouse's scores of every page on a simulated phone
	@$(REGISTRY) exec python -m scripts.lighthouse $(ARGS)

shots: .venv/dev browser ## Take the pictures of docs/shots from the running product
	@$(REGISTRY) exec python -m tests.e2e.shots $(ARGS)

texts: .venv/dev ## Bring the languages' catalogues up to date with the sentences in the code; says what waits for a translation
	@python -m scripts.texts

lock: .venv/dev ## Pin the packages anew: requirements*.txt and reflex.lock; ARGS=--upgrade for newer ones
	@for lock in requirements requirements-otel requirements-dev; do \
		pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
			--output-file=$$lock.txt $(ARGS) $$lock.in || exit 1; \
	done
	# Twice: Reflex writes package.json in its lasting form only when it finds one there.
	rm -rf .web reflex.lock && $(REGISTRY) reflex compile
	rm -rf .web && $(REGISTRY) reflex compile

browser: .venv/dev
	@python scripts/browser.py

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit("evapp needs Python 3.11 or newer: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/audit: | .venv/bin/pip
	@# Apart from what it judges: what it needs itself is no part of the locks.
	@$(PYTHON) -m venv $@ && $@/bin/pip install -qq --disable-pip-version-check pip-audit==2.10.1 || { rm -rf $@; exit 1; }

.venv/product: requirements.txt | .venv/bin/pip
	@echo "Installing the packages of requirements.txt into .venv; the first time takes a minute."
	@.venv/bin/pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt requirements-otel.txt requirements.txt | .venv/bin/pip
	@echo "Installing the packages of requirements-dev.txt into .venv; the first time takes a minute."
	@.venv/bin/pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/product $@
