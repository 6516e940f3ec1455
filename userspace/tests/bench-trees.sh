#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bench-trees.sh [OUT.csv] - figures of the integer trees
#
# Time of a decision by the table, by generated if/else and by XGBoost, in one
# run, then parity with XGBoost on ROWS (default 1000000) rows a model. Default
# of OUT.csv: build/results/trees/trees.csv. REPEATS sets how often times are taken.
set -eu
set -o pipefail

tests=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$tests/../.." && pwd)
build=${BUILD:-$top/build/userspace/tests}
out=${1:-$top/build/results/trees/trees.csv}
rows=${ROWS:-1000000}
repeats=${REPEATS:-51}

make -s -C "$tests" "$build/bench_trees" "$build/parity"
mkdir -p "$build/ifelse" "$(dirname "$out")"
{
	"$build/bench_trees" --repeats "$repeats" --out "$out" --dir "$build/ifelse"
	echo
	echo "parity with XGBoost, $rows rows a model:"
	"$build/parity" --rows "$rows"
} | tee "${out%.csv}.txt"
