#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad requests to bench and its helpers: one line, the right status, nothing
# booted (none of these needs a kernel).
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
runner=$here/..
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

expect "unknown suite" 64 "expected smoke, quick, full or published" env SUITE=huge "$runner/bench"
expect "unknown consumer" 64 "expected block, mm or sched" env CONSUMER=net "$runner/bench"
expect "bad seeds" 64 "SEEDS=0" env SEEDS=0 "$runner/bench"
expect "bad accelerator" 64 "expected tcg or kvm" env ACCEL=xen "$runner/bench"
expect "bad memory" 64 "expected megabytes" env MORE_MEMORY=x "$runner/bench"
expect "bad device" 64 "expected words of hdd" env DEVICES=tape "$runner/bench"
expect "no such workload" 65 "is not there" env WORKLOADS="$tmp/none" "$runner/bench"
expect "no such policy" 65 "no policy 'best'" env POLICIES=best "$runner/bench"
mkdir "$tmp/empty"
expect "empty directory" 65 "no workload" env WORKLOADS="$tmp/empty" "$runner/bench"
expect "not a kernel tree" 65 "is not a kernel source tree" env KSRC="$tmp/empty" "$runner/kernel" source
expect "no such tree" 65 "is not a kernel source tree" env KSRC="$tmp/none" "$runner/kernel" source

printf '# about: x\n# consumer: block\n# split: test\n# device: ssd\n# memory: 256M\n# metric: x higher\n# color: red\n' >"$tmp/w.sh"
expect "unknown key in a workload of the user's" 65 "w.sh:7: unknown key 'color'" \
	env WORKLOADS="$tmp/w.sh" "$runner/bench"
sed -i '/color/d' "$tmp/w.sh"
expect "a workload of the user's is planned" 0 "block w test ssd stock 3" \
	env WORKLOADS="$tmp/w.sh" POLICIES=stock SEEDS=3 "$runner/bench" --list
printf '# needs: nonesuch-program\n' >>"$tmp/w.sh"
expect "its programs are named" 0 "nonesuch-program" \
	env WORKLOADS="$tmp/w.sh" "$runner/bench" --needs
cp "$tmp/w.sh" "$tmp/empty/w.sh"
expect "the same name twice" 65 "is there already" \
	env WORKLOADS="$tmp/w.sh $tmp/empty" "$runner/bench"
expect "a policy that does not fit" 65 "no policy fits" \
	env WORKLOADS="$tmp/w.sh" POLICIES=static-performance "$runner/bench"

policy()
{
	printf '# about: x\n# consumer: block\n# suite: %s\n# files: %s\n:\n' "$1" "$2" >"$tmp/p.sh"
}
sed -i '/nonesuch/d' "$tmp/w.sh"
policy full model.bin
expect "a policy's file that is not there" 65 "p.sh: its file $tmp/model.bin is not there" \
	env WORKLOADS="$tmp/w.sh" POLICIES="$tmp/p.sh" "$runner/bench"
: >"$tmp/model.bin"
expect "one that is, beside the policy" 0 "block w test ssd p 1" \
	env WORKLOADS="$tmp/w.sh" POLICIES="$tmp/p.sh" "$runner/bench" --list
policy full "model.bin empty/model.bin"
: >"$tmp/empty/model.bin"
expect "two of one name" 65 "a second file with the name 'model.bin'" \
	env WORKLOADS="$tmp/w.sh" POLICIES="$tmp/p.sh" "$runner/bench"
policy none README.md
mkdir -p "$runner/../../build"
cp "$tmp/p.sh" "$runner/../../build/errors-p.sh"
expect "paths of ours begin at the repository" 0 "block w test ssd errors-p 1" \
	env WORKLOADS="$tmp/w.sh" POLICIES="$runner/../../build/errors-p.sh" "$runner/bench" --list
rm "$runner/../../build/errors-p.sh"
SUITE=full WORKLOADS=$tmp/w.sh "$runner/bench" --list >"$tmp/list"
! grep -q ' record ' "$tmp/list" && grep -q ' random ' "$tmp/list"
tap $? "what is of suite none runs only when it is named" "$tmp/list"

expect "what is published is chosen" 64 "itself" \
	env SUITE=published SEEDS=2 "$runner/bench"
expect "nothing is published" 64 "nothing is published of 'mm'" \
	env SUITE=published CONSUMER=mm "$runner/bench"
SUITE=published CONSUMER=block "$runner/bench" --list >"$tmp/list"
for run in "column-scan test nvme trees 3" "held-tar-list test hdd trees 1" \
	"backup-beside-db train hdd trees-ml 2" "seq-64k train hdd stock 1"; do
	grep -qx "block $run" "$tmp/list"
	tap $? "published: $run" "$tmp/list"
done
! grep -qE ' (held-|blind-)[^ ]* .* (static-|[^ ]* [2-9]$)' "$tmp/list" &&
	[ -z "$(sort "$tmp/list" | uniq -d)" ]
tap $? "and no more than that, nor twice" "$tmp/list"

for program in bench bench-readahead kernel initramfs collect deps lint test test-debug shell; do
	expect "$program --help" 0 "usage:" "$runner/$program" --help
done
tap_end
