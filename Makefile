# Stillpoint. `make help` lists the targets. Each installs the Debian packages that it lacks.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

# Everything that is worth keeping from one checkout to the next: compiler cache, lint results and
# the test cluster's programs.
export STILLPOINT_CACHE ?= $(HOME)/.cache/stillpoint
export CCACHE_DIR ?= $(STILLPOINT_CACHE)/ccache

.PHONY: help deps build test sim test-tsan lint format cluster cluster-down e2e demo image crds clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## Install the Debian packages that all targets need
	@tools/deps.sh build cluster

build: ## Build build/release/stillpoint
	@tools/deps.sh build
	@tools/build.sh release stillpoint

test: ## Run unit tests (ASan, UBSan), simulator, contract and lint; with CI=true also TSan and the real cluster
	@tools/deps.sh build $(if $(filter true,$(CI)),cluster)
	@tools/test.sh

sim: ## Run the simulator on all cores: every pair of kills, then RUNS=100000 seeds
	@tools/deps.sh build
	@tools/sim.sh $(or $(RUNS),100000)

test-tsan: ## Run the tests of the exec thread under the thread sanitizer
	@tools/deps.sh build
	@tools/tsan.sh

lint: ## Check format, clang-tidy, layers, headers and shell scripts
	@tools/deps.sh build
	@tools/lint.sh

format: ## Format the C++ sources in place
	@tools/deps.sh build
	@git ls-files -co --exclude-standard -- '*.h' '*.cc' | xargs -r clang-format-19 -i

cluster: ## Start a real single-node Kubernetes on this machine (needs root)
	@tools/deps.sh build cluster
	@e2e/cluster/up.sh

cluster-down: ## Stop it and leave nothing behind
	@tools/deps.sh cluster
	@e2e/cluster/down.sh

e2e: ## Run the real-cluster suite (on your own cluster with E2E_KUBECONFIG=FILE)
	@tools/deps.sh build $(if $(E2E_KUBECONFIG),,cluster)
	@tools/e2e.sh

demo: ## Back up, destroy and restore an application in front of you (CLUSTER=real, APP=sqlite)
	@tools/deps.sh build $(if $(filter real,$(CLUSTER)),cluster)
	@tools/build.sh release stillpoint
	@CLUSTER=$(CLUSTER) APP=$(APP) tools/demo.sh

image: ## Build the container image: build/image/stillpoint.tar
	@tools/deps.sh build
	@tools/image.sh

crds: ## Write deploy/crd from the C++ description of the kinds
	@tools/deps.sh build
	@tools/build.sh release stillpoint
	@build/release/stillpoint crds >build/stillpoint.yaml
	@mv build/stillpoint.yaml deploy/crd/stillpoint.yaml
	@echo "crds: deploy/crd/stillpoint.yaml is up to date"

clean: ## Remove build/
	@rm -rf build
