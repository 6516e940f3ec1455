#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The TAP of consumers/*/tests/guest/*.sh, run in guests on their disks, brought
# out and renumbered; and whether the guests' kernels had something to say.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
. "$top/workloads/runner/lib.sh"
. "$here/alarms.sh"

usage()
{
	cat <<-END
	usage: consumers.sh [NAME|all|workloads ...]
	Run the guest tests of the consumers (all, the default), or only those NAMEd
	(as verify), each on the devices and with the programs that its header tells:
	    # device: hdd cloud     (cloud)
	    # needs: mlctl fio      (fio mlctl)
	workloads: all of workloads/block, random readahead and the rule by turns,
	each for LIMIT (20) seconds at most from when its files are made;
	workloads-hdd and so on: those whose first device is an hdd.
	Environment:
	  KERNEL_DIR=DIR   kernel to boot (build/kernel)
	  ACCEL=race       two CPUs in real time (tcg: one, in virtual time)
	  MORE_MEMORY=MB   for guests whose kernel needs it (0)
	  GO_ON=1          keep the good guests of an earlier, ended command; those
	                   that failed, are missing or have another test are run
	  JOBS RUN_LIMIT   as in bench
	END
}

case ${1:-} in
--help | -h) usage; exit 0 ;;
'') set -- all ;;
esac
: "${KERNEL_DIR:=$top/build/kernel}" "${LIMIT:=20}"
suite=consumers-${KERNEL_DIR##*/}
out=$top/build/test/$suite
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/tests"

# said FILE KEY DEFAULT: what the header says
said()
{
	local value

	value=$(sed -n "1,10s/^# $2: //p" "$1")
	printf '%s' "${value:-$3}"
}

# as_workload NAME CONSUMER DEVICES PROGRAMS: stdin is a guest test
as_workload()
{
	cat >"$tmp/tests/$1.sh" <<-END
	# about: guest test $1
	# consumer: $2
	# split: test
	# device: $3
	# memory: 512M
	# needs: $4
	# metric: tests higher
	cd /
	( set +e; cd \$BENCH_DIR
	$(cat "$here/guest-watchers.sh" "$here/guest-tap.sh" -)
	) >\$BENCH_OUT/tap 2>&1
	echo "metric tests \$(grep -c '^ok' \$BENCH_OUT/tap) 1"
	END
}

# The wanted workloads, those of one device in one guest
workloads()
{
	local device file name

	for device in hdd ssd nvme cloud; do
		is_wanted workloads "$@" || is_wanted "workloads-$device" "$@" || continue
		{
			printf 'limit=%s\n' "$LIMIT"
			cat "$here/guest-workloads.sh"
			for file in "$top"/workloads/block/*.fio "$top"/workloads/block/*.sh; do
				[ "$(said "$file" device '' | cut -d' ' -f1)" = $device ] || continue
				name=$(basename "$file")
				printf "workload %s %s <<'END_OF_WORKLOAD'\n" "${name##*.}" "${name%.*}"
				cat "$file"
				echo END_OF_WORKLOAD
			done
			echo tap_end
		} | as_workload "workloads-$device" block $device "fio mlctl"
	done
}

is_wanted() { [[ " ${*:2} " == *" $1 "* ]]; }

for file in "$top"/consumers/*/tests/guest/*.sh; do
	consumer=${file#"$top"/consumers/}
	name=$(basename "$file" .sh)
	is_wanted "$name" "$@" || is_wanted all "$@" || continue
	devices=$(said "$file" device cloud)
	needs=$(said "$file" needs "fio mlctl")
	as_workload "$name" "${consumer%%/*}" "$devices" "$needs" <"$file"
done
workloads "$@"
[ -n "$(ls "$tmp/tests")" ] || die -x "$EX_USAGE" "there is no test of that name: $*"

make -s -C "$top/userspace/tests" BUILD="$top/build/userspace/tests" guest >&2 ||
	die "the guest's tests do not build"
# The programs of all tests, whichever are wanted: the guests of GO_ON are equal
# shellcheck disable=SC2046 # a list of words
KERNEL_DIR=$KERNEL_DIR "$top/workloads/runner/initramfs" -o "$suite" \
	$({ echo fio mlctl; sed -n 's/^# needs: //p' "$top"/consumers/*/tests/guest/*.sh; } |
		tr ' ' '\n' | LC_ALL=C sort -u) || exit

# keep_good: of what an earlier command has left; bench runs the rest. What this
# command has not been asked for stays
keep_good()
{
	local run manifest=$out/manifest.json

	# Tests that are not what they were
	find "$tmp/tests" -name '*.sh' -exec sha256sum {} + | sed 's,  .*/, ,' |
		jq -nR --slurpfile was "$manifest" '[inputs | split(" ") |
			{"workload \(.[1])": .[0]}] | add as $now | $was[0] |
			.files_sha256 |= with_entries(select(($now[.key] // .value) == .value))' \
			>"$tmp/manifest" && cp "$tmp/manifest" "$manifest" || exit
	for run in "$out"/runs/*; do
		is_good "$run" || rm -rf "$run"
	done
	rm -f "$out/results.csv"
}

is_good()
{
	grep -q '^1\.\.' "$1/tap" && ! grep -q '^not ok' "$1/tap" &&
		alarms "$1/console.log" &&
		jq -e --arg name "$(basename "$1" | cut -d. -f2)" \
			'.files_sha256["workload \($name).sh"]' "$out/manifest.json"
} >/dev/null 2>&1

status=0
if [ -n "${GO_ON:-}" ] && [ -f "$out/manifest.json" ]; then
	keep_good
else
	rm -rf "$out"
fi
export KERNEL_DIR IMAGE=$top/build/$suite.cpio
WORKLOADS=$tmp/tests POLICIES=stock DEVICES='' SEEDS=1 SUITE=full OUT=$out \
	"$top/workloads/runner/bench" >"$tmp/log" 2>&1 || status=$?
sed 's/^/# /' "$tmp/log"
count=0
for run in "$out"/runs/*; do
	name=$(basename "$run" | cut -d. -f2,3 --output-delimiter=' on ')
	# A guest that came to no end has no plan, and that is a failure
	if ! grep -q '^1\.\.' "$run/tap" 2>/dev/null; then
		count=$((count + 1))
		echo "not ok $count - $name: no plan, see $run/console.log"
		status=1
		# What there was before that
		[ ! -f "$run/tap" ] || sed 's/^/# /' "$run/tap"
		tail -n 20 "$run/console.log" | sed 's/^/# /'
		continue
	fi
	while IFS= read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			count=$((count + 1))
			[ "${line#not }" = "$line" ] || status=1
			echo "${line%%ok *}ok $count - $name: ${line#* - }"
			;;
		'1..'*) ;;
		*) echo "# $line" ;;
		esac
	done <"$run/tap"
	count=$((count + 1))
	if alarms "$run/console.log" >"$tmp/alarms"; then
		echo "ok $count - $name: the kernel has nothing to complain of"
	else
		echo "not ok $count - $name: the kernel has nothing to complain of"
		head -n 80 "$tmp/alarms" | sed 's/^/# /'
		status=1
	fi
done
echo "1..$count"
exit "$status"
