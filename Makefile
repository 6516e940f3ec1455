# SPDX-License-Identifier: GPL-2.0-only
# For people. The kernel reads Kbuild. All output goes to build/.

runner := workloads/runner
export CONSUMER SUITE WORKLOADS POLICIES DEVICES SEEDS OUT ACCEL JOBS RUN_LIMIT KSRC

.PHONY: help bench test lint shell report kernel clean

help:
	@cat $(runner)/help

bench: deps-bench kernel build/mlreport initramfs
	@$(runner)/bench

test: deps-test kernel build/mlreport
	@$(runner)/test

lint: deps-lint
	@$(runner)/kernel source
	@$(runner)/lint

shell: deps-bench kernel initramfs
	@$(runner)/shell

report: build/mlreport
	@build/mlreport "$${OUT:-results/reference}/results.csv"

kernel:
	@$(runner)/kernel build

.PHONY: initramfs deps-bench deps-test deps-lint
initramfs:
	@needs=$$($(runner)/bench --needs) && $(runner)/initramfs $$needs

deps-bench:
	@packages=$$($(runner)/bench --packages) && $(runner)/deps bench $$packages

deps-test deps-lint:
	@$(runner)/deps $(@:deps-%=%)

build/mlreport: $(wildcard results/report/*.c results/report/*.h)
	@mkdir -p build
	@$(CC) -O2 -Wall -Wextra -std=gnu11 -o $@ results/report/*.c -lm

clean:
	rm -rf build
