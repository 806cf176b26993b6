# tsnet. `make demo` and `make test` do all their own set-up; `make help` lists the rest.
ARCH := $(shell uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')
NODE := node_modules/node-linux-$(ARCH)/bin/node
# Everything runs on the Node that the lockfile pins, whatever the machine has.
export PATH := $(CURDIR)/node_modules/node-linux-$(ARCH)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
SOURCES := $(shell find src scripts/build -type f) package-lock.json
.DELETE_ON_ERROR:
CHAOS ?= --seed 1 --minutes 30
.PHONY: help build test lint unit demo bench chaos walk storm fuzz docs setup clean plugin plugin-install install uninstall deb dist

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

node_modules/.package-lock.json: package-lock.json
	@npm ci --silent --no-progress
	@touch $@

dist/tsnet: node_modules/.package-lock.json $(SOURCES)
	@$(NODE) scripts/build/build.ts

build: dist/tsnet ## one executable: dist/tsnet

plugin: build ## the managed plugin: dist/plugin, for docker plugin create
	@$(NODE) scripts/plugin/build.ts

plugin-install: plugin ## the same, created and enabled on the engine that DOCKER_HOST names
	@$(NODE) scripts/plugin/install.ts

install: build ## the daemon with its systemd units (DESTDIR, PREFIX)
	@bash scripts/install/install.sh

uninstall: ## takes that away again; refused while networks exist (PURGE=1: with them)
	@bash scripts/install/uninstall.sh

deb: build ## the same as a Debian package: dist/tsnet_*.deb
	@$(NODE) scripts/deb/build.ts

dist: plugin deb ## what a release consists of, with checksums and SBOM: dist/release
	@$(NODE) scripts/dist/dist.ts

setup: node_modules/.package-lock.json
	@bash scripts/setup/packages.sh

demo: setup build ## the main job on a throwaway Docker host, nothing left behind
	@$(NODE) scripts/demo/demo.ts

lint: node_modules/.package-lock.json ## style and types
	@biome check --error-on-warnings --reporter=summary .
	@tsc -p .

test: setup plugin lint ## lint, types and every test
	@$(NODE) node_modules/vitest/vitest.mjs run

unit: node_modules/.package-lock.json ## the tests that need neither root nor an engine
	@$(NODE) node_modules/vitest/vitest.mjs run --project unit

bench: setup build ## tsnet beside Docker's own drivers, with ratios, a chart and what was aimed at (BENCH=--help)
	@$(NODE) bench/bench.ts --targets $(BENCH)
	@$(NODE) bench/datapath/datapath.ts
	@$(NODE) bench/limits/limits.ts

chaos: setup build ## random operations under random faults, and a judge of what is left (CHAOS="--seed 1 --minutes 30")
	@$(NODE) chaos/chaos.ts $(CHAOS)

walk: setup build ## tsnet killed at every step of every operation
	@$(NODE) chaos/walk/walk.ts

storm: setup build ## 200 containers up and down 20 times, with the daemon's memory and descriptors
	@$(NODE) chaos/storm/storm.ts

fuzz: setup build ## generated requests: a million at a kernel in memory, 100,000 at a real one
	@$(NODE) chaos/fuzz/fuzz.ts --requests 1000000
	@$(NODE) chaos/fuzz/fuzz.ts --real --requests 100000

docs: node_modules/.package-lock.json ## the generated pages of docs/
	@$(NODE) scripts/docs/write.ts

clean: ## remove what was built
	@rm -rf dist
