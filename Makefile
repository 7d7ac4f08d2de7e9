# The commands of this repository; every target builds what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SERVICES := $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml))
PACKAGES := libs/values libs/contracts libs/rpc libs/chassis $(SERVICES) cli deploy/local
EDITABLE := $(foreach package,$(PACKAGES),-e $(package))
CODE := libs services cli deploy tests

.PHONY: help venv demo up down status test crash soak bench unit integration lint format proto schemas rights lock images manifests settings cluster

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

venv: $(STAMP) ## Create .venv from the hash-pinned lock

$(STAMP): requirements.lock $(foreach package,$(PACKAGES),$(package)/pyproject.toml)
	@deploy/local/bootstrap.sh "$(PYTHON)" "$(VENV)" $(EDITABLE)
	@touch $@

demo: $(STAMP) ## Play one shipment from lodging to closing (CRASH=1: kill every service once during it)
	@$(BIN)/trade demo $(if $(filter-out 0,$(CRASH)),--crash)

up: $(STAMP) ## Start the platform and leave it running
	@$(BIN)/trade dev up

down: $(STAMP) ## Stop the platform and keep its data
	@$(BIN)/trade dev down

status: $(STAMP) ## Show what runs
	@$(BIN)/trade dev status

test: ## Run every test; install missing system packages (Debian as root) or list them
	@deploy/local/system-packages.sh
	@$(MAKE) -s $(STAMP)
	@deploy/local/test.sh "$(BIN)" $(ARGS)

crash: $(STAMP) ## Run the failure tests: kill, freeze, cut, fill, then check the invariants (SAMPLE=1: a part; ARGS=--help)
	@PYTHONPATH=tests $(BIN)/python -m chaos.cells $(if $(filter-out 0,$(SAMPLE)),--sample --seed "$$(git rev-parse --short HEAD)") $(ARGS)

bench: $(STAMP) ## Measure the core beside equivalent hand-written code (ARGS=--help)
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

unit: $(STAMP) ## Run the tests without servers
	@$(BIN)/pytest -q -n 2 -m "not infra" $(ARGS)

integration: $(STAMP) ## Run the tests on real servers
	@$(BIN)/pytest -q -n 2 --dist loadgroup -m infra $(ARGS)

soak: $(STAMP) ## Inject faults into the whole platform under traffic, then check the invariants (MINUTES=10; SEED=…)
	@PYTHONPATH=tests $(BIN)/python -m chaos.soak --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

lint: ## Check style, types, layers, generated files and the lock
	@deploy/local/system-packages.sh venv
	@$(MAKE) -s $(STAMP)
	@deploy/local/lint.sh "$(BIN)" $(CODE)

format: $(STAMP) ## Format the code and apply safe fixes
	@$(BIN)/ruff check --fix --quiet $(CODE)
	@$(BIN)/ruff format --quiet $(CODE)

proto: $(STAMP) ## Generate the gRPC stubs from proto/
	@$(BIN)/python libs/rpc/generate.py

schemas: $(STAMP) ## Generate the golden schemas of the contracts
	@$(BIN)/python libs/contracts/schemas.py

images: $(STAMP) ## Build the images by buildah or docker, with a bill of materials each (ARGS="--only registry")
	@PYTHONPATH=deploy/local:deploy/images $(BIN)/python deploy/images/build.py $(ARGS)

manifests: $(STAMP) ## Render every overlay of deploy/k8s (needs kubectl or kustomize)
	@PYTHONPATH=deploy/k8s $(BIN)/python deploy/k8s/strimzi.py --write
	@$(BIN)/python deploy/k8s/render.py --write

settings: $(STAMP) ## Write the table of settings (docs/runbooks/settings.md)
	@PYTHONPATH=deploy/k8s $(BIN)/python deploy/k8s/settings_table.py --write

cluster: $(STAMP) ## Build images, install the overlay `try` on a one-node cluster, play one shipment (TOOL=the cluster's)
	@deploy/k8s/cluster-test.sh "$(BIN)" "$(TOOL)"

rights: $(STAMP) ## Write the page of Kafka users and their rights from the topics table
	@$(BIN)/python libs/contracts/kafka_rights_page.py --write

lock: $(STAMP) ## Resolve requirements.in into the hash-pinned lock (asks the package index)
	@$(BIN)/python deploy/local/lock.py --write
