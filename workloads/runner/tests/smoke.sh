#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make bench SUITE=smoke, for real: the figures are there, equal runs
# agree, and neither a neighbour nor a loaded host shows.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
top=$(cd "$here/../../.." && pwd)
tmp=$(mktemp -d)
load=
trap 'rm -rf "$tmp"; [ -z "$load" ] || kill $load 2>/dev/null' EXIT

policies="$top/workloads/policies/stock.sh $top/workloads/policies/stock2.sh"
smoke() { OUT=$tmp/$1 SUITE=smoke POLICIES=$policies JOBS=$2 "$top/workloads/runner/bench" >"$tmp/log" 2>&1; }

smoke side "$(nproc)"
tap $? "make bench SUITE=smoke ends well" "$tmp/log"
csv=$tmp/side/results.csv
sed 's/^/# /' "$tmp/log"

for consumer in block mm sched; do
	awk -F, -v c="$consumer" '$1 == c && $5 == "stock" && $7 ~ /^primary\./ && $9 > 0 { n++ }
		END { exit n > 0 ? 0 : 1 }' "$csv"
	tap $? "$consumer: a primary figure of the stock kernel"
done
grep -q '^mm,.*,stock,1,swap_out,' "$csv"
tap $? "mm: swap is counted"
grep -q '^sched,.*,stock,1,energy,J,[0-9.]*[1-9]' "$csv"
tap $? "sched: energy is counted"

# agree POLICY-A CSV-A POLICY-B CSV-B: primary figures within 0.1 %. Nearly
# always they agree in every digit; in a rare run some latencies differ in the
# sixth. All of it is virtual time: the host's speed has no part in it.
agree()
{
	awk -F, -v a="$1" -v b="$3" '
		$7 !~ /^primary\./ { next }
		FNR == NR { if ($5 == a) was[$1, $2, $4, $6] = $9; next }
		$5 == b {
			x = was[$1, $2, $4, $6]
			if (x == "" || x == 0) { bad = 1; next }
			n++
			d = $9 / x - 1
			if (d < 0) d = -d
			if (d > 0.001) { bad = 1; print $0 ": was " x }
			else if (d > 0) print "differs a little: " $0 ": was " x
		}
		END { exit bad || !n }' "$2" "$4"
}
agree stock "$csv" stock2 "$csv" >"$tmp/diff"
tap $? "stock2 agrees with stock" "$tmp/diff"
sed 's/^/# /' "$tmp/diff"

# The host fully loaded, one guest at a time: the same figures
for _ in $(seq "$(nproc)"); do
	sh -c 'while :; do :; done' &
	load="$load $!"
done
smoke alone 1
tap $? "the same on a loaded host, one guest at a time" "$tmp/log"
# shellcheck disable=SC2086 # a list of words
kill $load; load=
agree stock "$csv" stock "$tmp/alone/results.csv" >"$tmp/diff"
tap $? "and its figures agree with those measured side by side" "$tmp/diff"
sed 's/^/# /' "$tmp/diff"

[ -s "$tmp/side/report.md" ]
tap $? "a report is written"
cp "$tmp/side/report.md" "$tmp/report.before"
OUT=$tmp/side make -s -C "$top" report >"$tmp/log" 2>&1 &&
	cmp "$tmp/report.before" "$tmp/side/report.md"
tap $? "make report makes the same report from the CSV alone" "$tmp/log"
jq -e '.complete and .failed == 0 and (.kernel | length > 0) and
	(.packages | length > 3)' "$tmp/side/manifest.json" >"$tmp/log" 2>&1
tap $? "the manifest says what was measured" "$tmp/log"
! grep -F "$top/" "$tmp/side/manifest.json" >"$tmp/log"
tap $? "and not where the repository lies" "$tmp/log"
tap_end
