#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests of loadgen (TAP). Nothing here depends on how fast the machine is.
# Usage: run.sh   (CC and CFLAGS as usual, e.g. CFLAGS=-fsanitize=address)
set -u

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
nr=0
failed=0

# ok NAME: judge by the status of the command before it
ok()
{
	status=$?
	nr=$((nr + 1))
	if [ "$status" = 0 ]; then
		echo "ok $nr - $1"
	else
		echo "not ok $nr - $1"
		failed=$((failed + 1))
	fi
}

# refused NAME STATUS ARG...: one line on stderr, nothing on stdout, that status
refused()
{
	name=$1
	want=$2
	shift 2
	"$tmp/loadgen" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" = "$want" ] && [ ! -s "$tmp/out" ] &&
		[ "$(wc -l <"$tmp/err")" = 1 ] && grep -q '^loadgen: ' "$tmp/err"
	ok "$name"
}

# metric NAME: its value in the last summary
metric()
{
	awk -v name="$1" '$1 == "metric" && $2 == name { print $3 }' "$tmp/out"
}

# plan ARG...: print the plan, which must have jobs
plan()
{
	"$tmp/loadgen" --dry-run "$@" >"$tmp/plan" && [ -s "$tmp/plan" ] &&
		cat "$tmp/plan"
}

# shellcheck disable=SC2086 # CFLAGS is a list
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Werror ${CFLAGS:-} -pthread \
	-o "$tmp/loadgen" "$here"/../loadgen.c "$here"/../plan.c "$here"/../stats.c
ok "builds without a warning"

poisson="poisson --rate 500 --work 10 --time 20000"
bursty="bursty --rate 1000 --on 20 --off 80 --work 10 --time 100000"
for mode in "$poisson" "$bursty"; do
	# shellcheck disable=SC2086 # the words of a command
	{
		plan $mode --seed 3 >"$tmp/a" && plan $mode --seed 3 >"$tmp/b" &&
			cmp -s "$tmp/a" "$tmp/b"
		ok "${mode%% *}: equal seeds, equal plans"
		plan $mode --seed 4 >"$tmp/b" && ! cmp -s "$tmp/a" "$tmp/b"
		ok "${mode%% *}: another seed, another plan"
		plan $mode --seed 3 --threads 2 >"$tmp/b" &&
			grep '^0 ' "$tmp/b" | cmp -s - "$tmp/a"
		ok "${mode%% *}: a second thread does not change the first one's plan"
		sed -n 's/^1 //p' "$tmp/b" >"$tmp/c" && sed 's/^0 //' "$tmp/a" |
			cmp -s - "$tmp/c"
		[ $? = 1 ]
		ok "${mode%% *}: the second thread has a plan of its own"
		awk '$2 < last { bad = 1 } { last = $2 } END { exit bad || last >= 100000000000 }' \
			"$tmp/a"
		ok "${mode%% *}: arrivals rise and end with the plan"
	}
done

# The seed is fixed, so these are exact facts about one plan, not chances: the
# mean of 10000 exponential gaps is within 5 % and 1/e of them exceed it.
# shellcheck disable=SC2086
plan $poisson | awk '{ n++; gap = $2 - last; last = $2; long += gap > 2000000 }
	END { exit !(n > 9500 && n < 10500 && long / n > 0.35 && long / n < 0.385) }'
ok "poisson: the gaps are exponential with the asked mean"

# On a fifth of the time at 1000/s: 20000 jobs in 100 s, far from evenly.
# shellcheck disable=SC2086
plan $bursty | awk '{ n++; long += $2 - last > 20000000; last = $2 }
	END { exit !(n > 17000 && n < 23000 && long > 700 && long < 1000) }'
ok "bursty: the mean rate is on / (on + off), with silences between"

plan periodic --period 1000 --work 5 --time 4 >"$tmp/a"
printf '0 0 5\n0 1000000 5\n0 2000000 5\n0 3000000 5\n' | cmp -s - "$tmp/a"
ok "periodic: one job a period from 0 to the end"

plan periodic --period 1000 --work 5 --work-max 8 --time 1000 |
	awk '{ seen[$3]++; if ($3 < 5 || $3 > 8) bad = 1 }
	END { exit bad || seen[5] < 200 || seen[6] < 200 || seen[7] < 200 || seen[8] < 200 }'
ok "work is drawn evenly, both ends included"

seq 200 -1 1 | "$tmp/loadgen" summary >"$tmp/out"
[ "$(metric completed)" = 200 ] && [ "$(metric lat_mean)" = 100.500 ] &&
	[ "$(metric lat_p1)" = 2.000 ] && [ "$(metric lat_p50)" = 100.000 ] &&
	[ "$(metric lat_p99)" = 198.000 ] && [ "$(metric lat_p99.5)" = 199.000 ] &&
	[ "$(metric lat_p99.9)" = 200.000 ] && [ "$(metric delay)" = 0.198000 ] &&
	[ -z "$(metric missed)" ]
ok "quantiles are the nearest rank of the sorted latencies"

echo 7 | "$tmp/loadgen" summary >"$tmp/out"
[ "$(metric lat_p1)" = 7.000 ] && [ "$(metric lat_p99.99)" = 7.000 ]
ok "one latency is every quantile"

seq 1 200 | "$tmp/loadgen" summary --deadline 150 >"$tmp/out"
[ "$(metric missed)" = 50 ] && [ "$(metric delay)" = 0.198000 ]
ok "late: the delay is the latency; equal to the deadline is in time"
seq 1 200 | "$tmp/loadgen" summary --deadline 300 >"$tmp/out"
[ "$(metric missed)" = 0 ] && [ "$(metric delay)" = 0.300000 ]
ok "early: the delay is the deadline"

"$tmp/loadgen" poisson --rate 2000 --work 1 --time 50 --threads 2 >"$tmp/out" &&
	jobs=$("$tmp/loadgen" poisson --rate 2000 --work 1 --time 50 --threads 2 -n | wc -l) &&
	[ "$(metric completed)" = "$jobs" ] && [ -n "$(metric delay)" ]
ok "a run completes every job of its plan"

"$tmp/loadgen" --help | grep -q '^Usage: loadgen MODE'
ok "--help"

refused "no mode" 64
refused "unknown mode" 64 steady
refused "two modes" 64 poisson bursty
refused "unknown option" 64 poisson --frequency 3
refused "option without a value" 64 poisson --rate
refused "not a number" 64 poisson --rate ten --work 1
refused "negative number" 64 poisson --rate -1 --work 1
refused "number too large" 64 poisson --rate 99999999999999999999 --work 1
refused "no work" 64 poisson --rate 10
refused "no rate" 64 poisson --work 1
refused "no period" 64 periodic --work 1
refused "no phases" 64 bursty --work 1 --rate 1
refused "option of another mode" 64 poisson --rate 10 --work 1 --period 5
refused "work range upside down" 64 poisson --rate 10 --work 5 --work-max 4
refused "empty plan" 64 poisson --rate 1 --work 1 --time 1
refused "plan too long" 71 poisson --rate 1000000 --work 1 --time 3600000
refused "summary with a plan option" 64 summary --work 1
refused "summary of nothing" 65 summary

echo "12 apples" | "$tmp/loadgen" summary >/dev/null 2>"$tmp/err"
[ $? = 65 ] && grep -q 'line 1' "$tmp/err"
ok "bad input names its line"

seq 1 9 | "$tmp/loadgen" summary 2>/dev/null >/dev/full
[ $? = 74 ]
ok "a full disk is an error"

echo "1..$nr"
[ "$failed" = 0 ]
