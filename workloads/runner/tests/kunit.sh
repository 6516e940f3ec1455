#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# KUnit on UML, for every .kunitconfig in the tree.
set -u
top=$(cd "$(dirname "$0")/../../.." && pwd)
status=0
cd "$top/build/linux" || exit 1
while read -r config; do
	# kunit.py turns TAP into words; the raw kernel output is what we count
	python3 tools/testing/kunit/kunit.py run --raw_output=kunit \
		--kunitconfig="ml_suite/${config#"$top"/}" \
		--build_dir="$top/build/kunit" --make_options="CC=ccache gcc" \
		--jobs="$(nproc)" >"$top/build/kunit.log" 2>&1 || status=1
	# Only the innermost lines: one for each case
	awk '/^ +(not )?ok [0-9]+ / && !/# SKIP/ {
		sub(/^ +/, ""); ok = $1 == "ok"; sub(/^(not )?ok [0-9]+ /, "")
		printf "%s %d - %s\n", ok ? "ok" : "not ok", ++n, $0
		next
	}
	END { print "1.." n + 0 }' "$top/build/kunit.log"
	grep -qE '^ +ok [0-9]+' "$top/build/kunit.log" ||
		{ tail -n 15 "$top/build/kunit.log" | sed 's/^/# /'; status=1; }
done < <(cd "$top" && find ml_lib consumers workloads -name .kunitconfig 2>/dev/null | LC_ALL=C sort)
exit "$status"
