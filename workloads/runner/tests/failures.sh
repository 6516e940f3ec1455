#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests that panic, hang, run out of memory or fail, a full disk, an
# interrupt: each is told in one line, the rest goes on, nothing is lost.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
top=$(cd "$here/../../.." && pwd)
bench=$top/workloads/runner/bench
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# workload NAME COMMAND: a minimal workload of the user's
workload()
{
	mkdir -p "$tmp/w"
	cat >"$tmp/w/$1.sh" <<-END
	# about: $1
	# consumer: block
	# split: test
	# device: nvme
	# memory: 256M
	# metric: done higher
	$2
	echo metric done 1 1
	END
}
run() { WORKLOADS=$tmp/w POLICIES=stock SEEDS=1 "$bench" >"$tmp/log" 2>&1; }

workload a-panic 'echo c >/proc/sysrq-trigger'
workload b-error 'echo broken >&2; exit 3'
workload c-hang 'while :; do :; done'
workload d-memory 'tail /dev/zero'
workload e-power 'poweroff -f'
workload f-silent 'exit 0'
workload g-good ':'
status=0
OUT=$tmp/out RUN_LIMIT=20 run || status=$?
sed 's/^/# /' "$tmp/log"
[ "$status" -eq 1 ]
tap $? "bench ends with status 1, got $status" "$tmp/log"
reason()
{
	grep -qx "block,$1,test,nvme,stock,1,failed,$2,1" "$tmp/out/results.csv"
	tap $? "$1 is a failed run: $2"
}
reason a-panic panic
reason b-error error
reason c-hang hang
reason d-memory oom
reason e-power truncated
reason f-silent error
grep -q '^block,g-good,test,nvme,stock,1,done,1,1$' "$tmp/out/results.csv"
tap $? "the run after them is measured"
grep -q 'FAILED (panic), see .*a-panic.*console.log' "$tmp/log"
tap $? "the log's place is told"
grep -q 'a-panic' "$tmp/out/report.md"
tap $? "the report lists it"

# A policy that does not take is an error, not a silent stock run
printf '# about: x\n# consumer: block\nexit 1\n' >"$tmp/broken.sh"
rm "$tmp"/w/[a-f]*
WORKLOADS=$tmp/w POLICIES=$tmp/broken.sh SEEDS=1 OUT=$tmp/policy "$bench" >"$tmp/log" 2>&1
grep -q ',broken,1,failed,error,1' "$tmp/policy/results.csv"
tap $? "a policy that cannot be switched on fails the run" "$tmp/log"

# Interrupt after the first result, then go on with the same OUT
for i in 1 2 3 4; do workload "sleep$i" "[ $i = 1 ] || while [ \$((n += 1)) -lt 1500000 ]; do :; done"; done
rm "$tmp"/w/g-good.sh
(OUT=$tmp/resume JOBS=1 run) &
pid=$!
for _ in $(seq 300); do
	! grep -q ',sleep1,.*,primary' "$tmp/resume/results.csv" 2>/dev/null || break
	sleep 0.2
done
pkill -TERM -P "$pid" 2>/dev/null
status=0
wait "$pid" || status=$?
grep -q '^interrupted after [1-3] of 4 runs; go on with: ' "$tmp/log"
tap $? "an interrupt says how to go on, status $status" "$tmp/log"
grep -q ',sleep1,.*,primary.higher.done,1,1$' "$tmp/resume/results.csv"
tap $? "what was measured before it is kept"
! pgrep -f "$tmp/resume" >/dev/null
tap $? "no guest is left behind"
OUT=$tmp/resume run
tap $? "the same OUT goes on" "$tmp/log"
grep -q 'runs were there already' "$tmp/log"
tap $? "without doing again what was done" "$tmp/log"
[ "$(grep -c ',primary.higher.done,1,1$' "$tmp/resume/results.csv")" -eq 4 ]
tap $? "and has every run once"

# A directory that was kept without its runs, and another selection
mkdir "$tmp/kept"
cp "$tmp/resume/results.csv" "$tmp/resume/manifest.json" "$tmp/kept"
mkdir "$tmp/away"
mv "$tmp"/w/sleep[123].sh "$tmp/away"
workload good ':'
OUT=$tmp/kept run
tap $? "a results.csv and its manifest are enough to go on" "$tmp/log"
[ "$(grep -c ',primary.higher.done,1,1$' "$tmp/kept/results.csv")" -eq 5 ] &&
	grep -qx 'bench: 1 runs were there already' "$tmp/log"
tap $? "what other commands have measured is kept" "$tmp/log"
[ "$(jq -r '[.runs, .failed, (.earlier | length > 0)] | map(tostring) | join(" ")' "$tmp/kept/manifest.json")" = "5 0 true" ]
tap $? "and their commands are told"
workload good 'true'
OUT=$tmp/kept run
status=$?
[ "$status" -eq 65 ] && grep -q 'other files (workload good.sh)' "$tmp/log"
tap $? "a workload that has changed is not mixed into it" "$tmp/log"
rm "$tmp/w/good.sh"
mv "$tmp"/away/* "$tmp/w"

# How runs were chosen does not matter, what they ran on does
status=0
OUT=$tmp/resume SUITE=full run || status=$?
[ "$status" -eq 0 ] && grep -qx 'bench: 4 runs were there already' "$tmp/log"
tap $? "another suite goes on with it, too" "$tmp/log"
{ cat "$top/build/initramfs.cpio"; echo; } >"$tmp/other.cpio"
status=0
OUT=$tmp/resume IMAGE=$tmp/other.cpio run || status=$?
[ "$status" -eq 65 ] && grep -q 'choose another OUT' "$tmp/log"
tap $? "another image is not mixed into it" "$tmp/log"
rm "$tmp/other.cpio"

# A disk that is full: a small file system of our own, in a private namespace
mkdir "$tmp/small"
export tmp bench
status=0
# shellcheck disable=SC2016 # expanded inside the namespace
unshare -rm sh -c 'mount -t tmpfs -o size=2m small "$tmp/small" &&
	OUT=$tmp/small/out WORKLOADS=$tmp/w POLICIES=stock SEEDS=1 exec "$bench"' \
	>"$tmp/log" 2>&1 || status=$?
[ "$status" -eq 73 ] && grep -q 'results cannot be written to' "$tmp/log"
tap $? "a full disk is told, status $status" "$tmp/log"
tap_end
