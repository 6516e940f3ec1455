#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The device of a proxy in a booted guest with two CPUs in real time, where
# races are real: TAP of device_test and life_test, brought out and renumbered.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
. "$top/workloads/runner/lib.sh"
. "$top/workloads/runner/qemu.sh" # sets KERNEL_DIR
. "$here/alarms.sh"

usage()
{
	cat <<-END
	usage: core.sh [TEXT]
	Test the ML_LIB core in a guest; with TEXT, of device_test only what has
	it in its name.
	  KERNEL_DIR=DIR   kernel to boot (default: build/kernel)
	  PARTS="NAME ..." of: device life traces stress failslab leaks
	                   (default: device life traces)
	  STRESS=SECONDS   how long ml_stress and fd_hammer run (20)
	  CORE_LIMIT=S     wall seconds before the guest counts as hung (900)
	  CORE_MEMORY=MB   of the guest (512)
	END
}

case ${1:-} in
--help | -h) usage; exit 0 ;;
esac
: "${PARTS:=device life traces}" "${STRESS:=20}" "${CORE_LIMIT:=900}" "${CORE_MEMORY:=512}"
programs=$top/build/userspace/tests
tests=$top/userspace/tests
modules=$KERNEL_DIR/ml_suite/ml_lib
keep=$top/build/test/core-${KERNEL_DIR##*/}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

make -s -C "$tests" BUILD="$programs" guest >&2 || die "the guest's tests do not build"
mkdir -p "$tmp/tree"/{bin,dev,proc,sys,tmp,tests} "$keep"
cp /bin/busybox "$tmp/tree/bin/"
cp "$programs/device_test" "$programs/fd_hammer" "$tests/life_test.sh" \
	"$tmp/tree/tests/"
for module in demo bench stress; do
	[ ! -f "$modules/ml_$module.ko" ] ||
		cp "$modules/ml_$module.ko" "$tmp/tree/tests/"
done
[ -f "$modules/ml_demo.ko" ] ||
	die -x "$EX_UNAVAILABLE" "$modules/ml_demo.ko is not there: build the kernel first"
case " $PARTS " in
*" stress "*)
	[ -f "$modules/ml_stress.ko" ] ||
		die -x "$EX_UNAVAILABLE" "$modules/ml_stress.ko is not there: this kernel cannot be stressed"
	;;
esac
cp "$here/core-init" "$tmp/tree/init"
cp "$here/guest-watchers.sh" "$tmp/tree/tests/"
printf 'PARTS="%s"\nSTRESS=%s\nONLY="%s"\n' "$PARTS" "$STRESS" "${1:-}" >"$tmp/tree/tests/env"
(cd "$tmp/tree" && find . | cpio --quiet -o -H newc -R 0:0) >"$tmp/initrd"

qemu_command race "$CORE_MEMORY" 64 1 "$tmp/initrd" ""
start=$SECONDS
# QEMU before 8.1 can miss that code has been patched while another CPU runs it
# (qemu commit deba78709a; github.com/multipath-tcp/mptcp_net-next/issues/471).
# The guest then dies of a breakpoint that is no longer there. Nothing of ours
# can look like that, so such a run, and no other, is done again.
for attempt in 1 2 3 4 5; do
	status=0
	timeout -k 2 "$CORE_LIMIT" "${QEMU[@]}" \
		-serial "file:$keep/console.log" -serial "file:$keep/tap" \
		>"$keep/qemu.log" 2>&1 </dev/null || status=$?
	grep -q 'Oops: int3:' "$keep/console.log" || break
	say "# attempt $attempt met QEMU's bug with patched code"
done
say "# the guest ran for $(human_time $((SECONDS - start)))"

# Every result of every part, numbered anew. Each part has a plan, and a part
# that has not kept it has failed.
tr -d '\r' <"$keep/tap" | awk '
	function part_ends() {
		if (part != "" && (planned == "" || planned != seen)) {
			printf "not ok %d - %s: %d tests of %s planned\n", ++n,
				part, seen, planned == "" ? "none" : planned
			bad = 1
		}
	}
	/^PART / { part_ends(); part = $2; planned = ""; seen = 0; next }
	/^1\.\./ { planned = substr($1, 4); next }
	/^TAP version/ { next }
	/^DONE$/ { done = 1; next }
	/^(not )?ok [0-9]+/ {
		seen++
		ok = $1 == "ok"
		sub(/^(not )?ok [0-9]+( -)? ?/, "")
		printf "%sok %d - %s: %s\n", ok ? "" : "not ", ++n, part, $0
		bad = bad || !ok
		next
	}
	/^#/ { print; next }
	{ print "# " $0 }
	END {
		part_ends()
		if (!done) bad = 1
		printf "%sok %d - the guest came to its end\n",
			done ? "" : "not ", ++n
		print n >count
		exit bad
	}' count="$tmp/count"
bad=$?
count=$(cat "$tmp/count")
[ "$status" -ne 124 ] && [ "$status" -ne 137 ] ||
	say "# it was still running after $CORE_LIMIT s, see $keep/console.log"

count=$((count + 1))
if ! alarms "$keep/console.log" >"$tmp/alarms"; then
	say "not ok $count - the kernel has nothing to complain of"
	head -n 80 "$tmp/alarms" | sed 's/^/# /'
	bad=1
elif ! grep -q 'core: tests begin' "$keep/console.log"; then
	say "not ok $count - the guest booted"
	tail -n 15 "$keep/console.log" "$keep/qemu.log" | sed 's/^/# /'
	bad=1
else
	say "ok $count - the kernel has nothing to complain of"
fi
say "1..$count"
exit "$bad"
