#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot the simulated devices and let them show what their parameters say:
# the TAP of rig/tests/guest/*.sh, run in guests, brought out and renumbered.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# as_workload NAME CONSUMER DEVICE SCRIPT: a workload that runs a guest test
as_workload()
{
	{
		cat <<-END
		# about: device test $1
		# consumer: $2
		# split: test
		# device: $3
		# memory: 512M
		# needs: fio stress-ng
		# metric: tests higher
		cd /
		umount \$BENCH_DIR
		( set +e
		END
		cat "$4"
		cat <<-'END'
		) >$BENCH_OUT/tap 2>&1
		echo "metric tests $(grep -c '^ok' $BENCH_OUT/tap) 1"
		END
	} >"$tmp/$1.sh"
}

guest=$top/workloads/rig/tests/guest
for device in hdd ssd nvme cloud; do
	as_workload "disk-$device" block "$device" "$guest/disk.sh"
done
as_workload cpufreq sched ssd "$guest/cpufreq.sh"

status=0
WORKLOADS=$tmp POLICIES=stock SEEDS=1 SUITE=smoke OUT=$top/build/test/devices \
	"$top/workloads/runner/bench" >"$tmp/log" 2>&1 || status=$?
sed 's/^/# /' "$tmp/log"
count=0
for run in "$top"/build/test/devices/runs/*; do
	name=${run##*/}
	name=$(echo "$name" | cut -d. -f2)
	# A guest that came to no end has no plan, and that is a failure
	if ! grep -q '^1\.\.' "$run/tap" 2>/dev/null; then
		count=$((count + 1))
		echo "not ok $count - $name: no plan, see $run/console.log"
		continue
	fi
	while IFS= read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			count=$((count + 1))
			echo "${line%%ok *}ok $count - $name:${line#*ok [0-9]*[ -]}"
			;;
		'1..'*) ;;
		*) echo "# $line" ;;
		esac
	done <"$run/tap"
done
rm -rf "$top/build/test/devices"
echo "1..$count"
exit "$status"
