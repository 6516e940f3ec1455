#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the simulated CPU from inside a guest that was booted with
# rig_cpufreq.enable=1. Prints TAP. All times are the guest's virtual time.
# Usage: cpufreq.sh [slowdown|bursts|energy|fast_switch|invariance|clock]...
# Needs stress-ng and busybox. Exit status: 0 if all passed.

POLICY=/sys/devices/system/cpu/cpufreq/policy0
CLOCK=/sys/devices/system/clocksource/clocksource0/current_clocksource
WORK_OPS=${WORK_OPS:-400}
TMP=${TMPDIR:-/tmp}/rig-cpufreq.$$
count=0
failed=0

# ok CONDITION-STATUS DESCRIPTION: one TAP line
ok() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
	fi
}

# near A B PERCENT: whether A is within PERCENT of B
near() {
	awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN {
		d = a - b; if (d < 0) d = -d
		exit !(b > 0 && d <= b * p / 100)
	}'
}

# error A B: by how many percent A is more than B
error() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%+.2f", (a / b - 1) * 100 }'
}

stat() {
	awk -v key="$1" '$1 == key { print $2 }' "$POLICY/rig_stats"
}

governor() {
	echo "$1" > "$POLICY/scaling_governor"
}

set_khz() {
	governor userspace
	echo "$1" > "$POLICY/scaling_setspeed"
}

# snapshot FILE: energy and residencies, read without a new process so that they
# are of nearly the same time
snapshot() {
	{
		read -r uj < "$POLICY/rig_energy_uj"
		echo "$uj"
		while read -r line; do
			echo "$line"
		done < "$POLICY/rig_residency"
	} > "$1"
}

# between BEFORE AFTER: "busy_ns idle_ns energy_uj predicted_uj" that went by
between() {
	awk -v table="$POLICY/rig_power" '
	BEGIN { while ((getline line < table) > 0) {
		split(line, f, " "); pb[f[1]] = f[3]; pi[f[1]] = f[4] } }
	FNR == 1 { file++ }
	NF == 3 { s = file == 1 ? -1 : 1
		busy += s * $2; idle += s * $3
		uj += s * ($2 * pb[$1] + $3 * pi[$1]) / 1e9 }
	NF == 1 { e += (file == 1 ? -1 : 1) * $1 }
	END { printf "%.0f %.0f %.0f %.0f\n", busy, idle, e, uj }' "$1" "$2"
}

# work OPS: seconds that a fixed amount of work took
work() {
	stress-ng --cpu 1 --cpu-method int64 --cpu-ops "$1" --seed 1 \
		--metrics --yaml "$TMP/yaml" > /dev/null 2>&1
	awk '$1 == "wall-clock-time:" { print $2; exit }' "$TMP/yaml"
}

# pause SECONDS: sleep without a new process, whose initial utilisation would
# raise the frequency
pause() {
	# shellcheck disable=SC3045 # busybox has read -t
	read -r -t "$1" _ <> "$TMP/fifo"
}

# bursts: nanoseconds of processor time for many short wake-ups, each about as
# long as the run between two steals
bursts() {
	snapshot "$TMP/before"
	i=0
	while [ $i -lt 1000 ]; do
		pause 0.002
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
			n=$((i * 3 + 1))
		done
		i=$((i + n - i * 3))
	done
	snapshot "$TMP/after"
	between "$TMP/before" "$TMP/after" | cut -d ' ' -f 1
}

power_uw() {
	awk -v khz="$1" -v col="$2" '$1 == khz { print $col }' \
		"$POLICY/rig_power"
}

test_slowdown() {
	set_khz "$fmax"
	base=$(work "$WORK_OPS")
	echo "# $WORK_OPS bogo-ops at $fmax kHz: $base s"
	for khz in $table; do
		[ "$khz" = "$fmax" ] && continue
		set_khz "$khz"
		took=$(work "$WORK_OPS")
		want=$(awk -v b="$base" -v m="$fmax" -v f="$khz" \
			'BEGIN { print b * m / f }')
		near "$took" "$want" 2
		ok $? "work at $khz kHz takes $took s for $want s: $(error "$took" "$want") %"
	done
}

test_bursts() {
	set_khz "$fmax"
	base=$(bursts)
	for khz in $table; do
		[ "$khz" = "$fmax" ] && continue
		set_khz "$khz"
		took=$(bursts)
		want=$(awk -v b="$base" -v m="$fmax" -v f="$khz" \
			'BEGIN { printf "%.0f", b * m / f }')
		near "$took" "$want" 2
		ok $? "short bursts at $khz kHz: $took ns for $want: $(error "$took" "$want") %"
	done
}

test_energy() {
	for khz in $fmin $fmax; do
		set_khz "$khz"
		snapshot "$TMP/before"
		sleep 5
		snapshot "$TMP/after"
		# shellcheck disable=SC2046 # four numbers are wanted
		set -- $(between "$TMP/before" "$TMP/after")
		near "$2" 5000000000 2
		ok $? "5 s of sleep at $khz kHz are $2 ns idle"
		near "$3" "$4" 0.2
		ok $? "energy is the sum over the table: $3 uJ for $4 uJ"
		near "$3" $(($(power_uw "$khz" 4) * 5)) 3
		ok $? "5 s of sleep at $khz kHz cost $3 uJ"

		snapshot "$TMP/before"
		start=$(cut -d ' ' -f 1 /proc/uptime)
		work $((WORK_OPS / 2)) > /dev/null
		end=$(cut -d ' ' -f 1 /proc/uptime)
		snapshot "$TMP/after"
		# shellcheck disable=SC2046
		set -- $(between "$TMP/before" "$TMP/after")
		want=$(awk -v s="$start" -v e="$end" -v p="$(power_uw "$khz" 3)" \
			'BEGIN { print (e - s) * p }')
		near "$3" "$want" 3
		ok $? "a busy CPU at $khz kHz costs $3 uJ for $want uJ"
		near "$3" "$4" 0.2
		ok $? "energy is the sum over the table: $3 uJ for $4 uJ"
	done
}

test_fast_switch() {
	governor schedutil
	fast=$(stat fast_switches)
	slow=$(stat slow_switches)
	sleep 1
	work 20 > /dev/null
	[ "$(stat fast_switches)" -gt "$fast" ]
	ok $? "schedutil switches from the scheduler ($(($(stat fast_switches) - fast)) times)"
	[ "$(stat slow_switches)" -eq "$slow" ]
	ok $? "schedutil never switches from a thread"
	! grep -q '^sugov' /proc/[0-9]*/comm
	ok $? "schedutil has no thread"
}

# A task that slept starts to spin on a CPU that is held at the lowest frequency
# for 100 ms. With invariance its utilisation grows as slowly as its work does
# and is about 0.4 when the limit is lifted, so schedutil asks for a middle
# frequency. Without, it is 0.9, and the frequency is at the top in a few ticks.
test_invariance() {
	governor schedutil
	echo "$fmin" > "$POLICY/scaling_max_freq"
	{ pause 1; while :; do :; done; } &
	spinner=$!
	pause 1.1
	echo "$fmax" > "$POLICY/scaling_max_freq"
	pause 0.01
	read -r soon < "$POLICY/scaling_cur_freq"
	pause 2
	read -r late < "$POLICY/scaling_cur_freq"
	kill $spinner
	wait $spinner 2> /dev/null
	[ "$soon" -gt "$fmin" ] && [ "$soon" -lt 1600000 ]
	ok $? "10 ms after the limit was lifted: $soon kHz"
	[ "$late" -eq "$fmax" ]
	ok $? "2 s later: $late kHz"
	dmesg | grep -q 'rig_cpufreq: .*frequency invariance on'
	ok $? "the kernel log says that invariance is on"
}

test_clock() {
	[ "$(cat $CLOCK)" = tsc ]
	ok $? "the clock source is $(cat $CLOCK)"
	! dmesg | grep -qi unstable
	ok $? "no clock was found unstable"
	! dmesg | grep -q 'hrtimer: interrupt took'
	ok $? "no timer interrupt was too long"
}

if [ ! -r "$POLICY/rig_energy_uj" ]; then
	echo "Bail out! no $POLICY/rig_energy_uj: boot with rig_cpufreq.enable=1"
	exit 1
fi
if ! command -v stress-ng > /dev/null; then
	echo "Bail out! stress-ng not found"
	exit 1
fi

mkdir -p "$TMP" && mkfifo "$TMP/fifo" || exit 1
old=$(cat "$POLICY/scaling_governor")
table=$(cut -d ' ' -f 1 "$POLICY/rig_power")
fmin=$(echo "$table" | head -n 1)
fmax=$(echo "$table" | tail -n 1)

[ $# -gt 0 ] || set -- slowdown bursts energy fast_switch invariance clock
for name; do
	"test_$name"
done

governor "$old"
sed 's/^/# /' "$POLICY/rig_stats"
rm -r "$TMP"
echo "1..$count"
[ "$failed" -eq 0 ]
