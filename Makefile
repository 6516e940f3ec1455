# SPDX-License-Identifier: GPL-2.0-only
# For people. The kernel reads Kbuild. All output goes to build/.

runner := workloads/runner
export CONSUMER SUITE WORKLOADS POLICIES DEVICES SEEDS OUT ACCEL JOBS RUN_LIMIT KSRC

.PHONY: help bench figures bench-core bench-guard bench-readahead bench-trees demo
.PHONY: train test test-debug lint shell report
.PHONY: kernel userspace clean

help:
	@cat $(runner)/help

bench: deps-bench kernel build/mlreport initramfs
	@$(runner)/bench

bench-core: deps-bench kernel core-image
	@$(runner)/bench-core

bench-guard: deps-test
	@$(runner)/bench-guard

bench-readahead: deps-bench kernel core-image
	@$(runner)/bench-readahead

bench-trees: deps-test userspace
	@userspace/tests/bench-trees.sh

train: deps-bench kernel userspace
	@needs=$$(CONSUMER=$${CONSUMER:-block} POLICIES=record $(runner)/bench --needs) && \
		$(runner)/initramfs $$needs
	@consumers/$${CONSUMER:-block}/train

demo: deps-bench kernel core-image
	@$(runner)/demo

test: deps-test kernel userspace build/mlreport
	@$(runner)/test

test-debug: deps-test userspace
	@$(runner)/test-debug

lint: deps-lint
	@$(runner)/kernel source
	@$(runner)/lint

shell: deps-bench kernel initramfs
	@$(runner)/shell

report: build/mlreport
	@build/mlreport "$${OUT:-results/reference}/results.csv"

figures:
	@dir="$${OUT:-results/block}" && consumers/block/figures "$$dir/results.csv" >"$$dir/figures.md.new" && \
	mv "$$dir/figures.md.new" "$$dir/figures.md" && echo "figures: $$dir/figures.md" || \
	{ rm -f "$$dir/figures.md.new"; exit 1; }

kernel:
	@$(runner)/kernel build

userspace:
	@$(MAKE) -s -C userspace

.PHONY: initramfs core-image deps-bench deps-test deps-lint
initramfs: userspace
	@needs=$$($(runner)/bench --needs) && $(runner)/initramfs $$needs

core-image: userspace
	@$(runner)/initramfs -o core mlctl

deps-bench:
	@packages=$$($(runner)/bench --packages) && $(runner)/deps bench $$packages

deps-test deps-lint:
	@$(runner)/deps $(@:deps-%=%)

build/mlreport: $(wildcard results/report/*.c results/report/*.h)
	@mkdir -p build
	@$(CC) -O2 -Wall -Wextra -std=gnu11 -o $@ results/report/*.c -lm

clean:
	rm -rf build
