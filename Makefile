# `make` names the verbs. Setting up happens by itself, and again only when a lock file changes.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run demo test check bench migrate rebuild contracts clean

STAMPS := .tools/stamps
MEGA := .venv/bin/mega

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMPS)/python $(STAMPS)/kafka $(STAMPS)/anvil ## fetch what is missing: Python environment, Kafka, anvil

run: setup ## start the whole world on 127.0.0.1, Ctrl-C stops it
	@exec $(MEGA) run

demo: setup ## buy a role in the running world, from wallet to picture
	@exec $(MEGA) demo role-mint

test: setup $(STAMPS)/metaplex ## run all tests, which start what they need
	@exec .venv/bin/pytest

check: $(STAMPS)/python ## lint, format, types, and who may import whom
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup ## measure the ledger, into bench/latest.json
	@exec .venv/bin/python -m bench

migrate: $(STAMPS)/python ## bring the database at DATABASE_ADMIN_URL up to date
	@exec $(MEGA) migrate

rebuild: $(STAMPS)/python ## build every read model anew from the ledger
	@exec $(MEGA) projections rebuild --all

contracts: ## compile the development contracts
	@cd contracts && npm ci --silent && npm run --silent build

clean: ## remove the world's data, .mega
	rm -rf .mega

$(STAMPS)/prerequisites: embedded/prerequisites.sh
	@mkdir -p $(STAMPS)
	@bash embedded/prerequisites.sh
	@touch $@

$(STAMPS)/python: requirements.lock embedded/install.sh | $(STAMPS)/prerequisites
	@bash embedded/install.sh python
	@touch $@

$(STAMPS)/kafka: embedded/pom.xml | $(STAMPS)/python
	@bash embedded/install.sh kafka
	@touch $@

$(STAMPS)/anvil: embedded/anvil/package-lock.json | $(STAMPS)/prerequisites
	@bash embedded/install.sh anvil
	@touch $@

$(STAMPS)/metaplex: tests/js/package-lock.json | $(STAMPS)/prerequisites
	@bash embedded/install.sh metaplex
	@touch $@
