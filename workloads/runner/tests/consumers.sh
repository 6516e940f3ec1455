#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The TAP of consumers/*/tests/guest/*.sh, run in guests on a disk, brought
# out and renumbered.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for file in "$top"/consumers/*/tests/guest/*.sh; do
	consumer=${file#"$top"/consumers/}
	consumer=${consumer%%/*}
	name=${file##*/}
	# The disks that a test is for stand in it; without, it is for one
	device=$(sed -n 's/^# device: *//p' "$file")
	{
		cat <<-END
		# about: guest test $name
		# consumer: $consumer
		# split: test
		# device: ${device:-cloud}
		# memory: 512M
		# needs: fio mlctl
		# metric: tests higher
		( set +e
		END
		cat "$file"
		cat <<-'END'
		) >$BENCH_OUT/tap 2>&1
		echo "metric tests $(grep -c '^ok' $BENCH_OUT/tap) 1"
		END
	} >"$tmp/$consumer-$name"
done

status=0
out=$top/build/test/consumers
rm -rf "$out"
WORKLOADS=$tmp POLICIES=stock DEVICES='' SEEDS=1 SUITE=full OUT=$out \
	"$top/workloads/runner/bench" >"$tmp/log" 2>&1 || status=$?
sed 's/^/# /' "$tmp/log"
count=0
for run in "$out"/runs/*; do
	name=${run##*/}
	name=$(echo "$name" | cut -d. -f2,3)
	# A guest that came to no end has no plan, and that is a failure
	if ! grep -q '^1\.\.' "$run/tap" 2>/dev/null; then
		count=$((count + 1))
		echo "not ok $count - $name: no plan, see $run/console.log"
		status=1
		continue
	fi
	while IFS= read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			count=$((count + 1))
			echo "${line%%ok *}ok $count - $name: ${line#* - }"
			;;
		'1..'*) ;;
		*) echo "# $line" ;;
		esac
	done <"$run/tap"
done
echo "1..$count"
exit "$status"
