#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fuzz.sh [RUNS] - build and run every fuzz_*.c here
#
# RUNS inputs a target, default 100000; 10000000 is the full run. A target
# fuzz_NAME.c starts from corpus/NAME/; what it finds goes to the build
# directory. The code that it exercises is named, relative to the top, by a line
# "fuzz: FILE..." in its first comment.
# FUZZ_JOBS processes share the runs, default: one a processor. TAP.
set -u

runs=${1:-100000}
case $runs in
'' | *[!0-9]* | 0)
	echo "usage: ${0##*/} [RUNS]" >&2
	exit 64
	;;
esac
tests=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$tests/../.." && pwd)
build=${BUILD:-$top/build/userspace/tests}/fuzz
jobs=${FUZZ_JOBS:-$(nproc)}
clang=${CLANG:-clang}
flags=(-g -O1 -std=gnu11 -Wall -Wextra -fno-omit-frame-pointer
	-fsanitize=fuzzer -fsanitize=address -fsanitize=undefined
	-fno-sanitize-recover=all
	-I"$top/userspace/kernel_shim" -I"$top/ml_lib/include/uapi")
number=0
failed=0

result()
{
	number=$((number + 1))
	echo "$1 $number - $2"
	[ "$1" = ok ] || failed=1
}

# fuzz NAME: RUNS inputs in all, shared by the jobs
fuzz()
{
	local name=$1 work=$build/$1 pids=() job status=0 sources total

	rm -rf "$work"
	mkdir -p "$work" || return 1
	sources=$(sed -n 's/^ \* fuzz: //p' "$tests/fuzz_$name.c")
	# Names of files without blanks: meant to be split.
	# shellcheck disable=SC2086
	(cd "$top" && "$clang" "${flags[@]}" "userspace/tests/fuzz_$name.c" \
		$sources -lz -o "$work/fuzz") >"$work/log" 2>&1 || {
		sed 's/^/# /' "$work/log"
		return 1
	}
	for ((job = 1; job <= jobs; job++)); do
		mkdir -p "$work/found.$job"
		"$work/fuzz" -runs=$((runs / jobs + 1)) -seed=$job \
			-max_len=4096 -timeout=10 -print_final_stats=1 \
			-artifact_prefix="$work/" "$work/found.$job" \
			"$tests/corpus/$name" >"$work/log.$job" 2>&1 &
		pids+=($!)
	done
	for ((job = 1; job <= jobs; job++)); do
		wait "${pids[job - 1]}" && continue
		status=1
		tail -n 40 "$work/log.$job" | sed 's/^/# /'
	done
	total=$(sed -n 's/^stat::number_of_executed_units: *//p' \
		"$work"/log.* | awk '{ n += $1 } END { print n + 0 }')
	echo "# fuzz_$name: $total inputs, $(sed -n \
		's/.*DONE *\(cov: [0-9]* ft: [0-9]*\).*/\1/p' \
		"$work"/log.* | sort -k2,2n | tail -n 1)"
	return $status
}

targets=("$tests"/fuzz_*.c)
echo "1..${#targets[@]}"
if ! command -v "$clang" >/dev/null; then
	for target in "${targets[@]}"; do
		result ok "$(basename "$target" .c) # SKIP no $clang"
	done
	exit 0
fi
for target in "${targets[@]}"; do
	name=$(basename "$target" .c)
	name=${name#fuzz_}
	if fuzz "$name"; then
		result ok "fuzz_$name"
	else
		result "not ok" "fuzz_$name"
	fi
done
exit $failed
