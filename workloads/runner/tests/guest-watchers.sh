# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# Has the kernel watched itself until now? For guests' shells.

# watchers: "0 NAME" for each that this kernel was built with and that is at it,
# "1 NAME" for each that is not: switched off, or ended by what it has met
watchers()
{
	[ -e /sys/kernel/debug/kmemleak ] || [ -e /sys/kernel/debug/kcsan ] ||
		mount -t debugfs debug /sys/kernel/debug 2>/dev/null
	if [ -r /sys/kernel/debug/kcsan ]; then
		awk '/^(enabled|setup_watchpoints): [1-9]/ { n++ }
			END { print n != 2, "KCSAN" }' /sys/kernel/debug/kcsan
	fi
	if [ -r /proc/lockdep_stats ]; then
		awk '/debug_locks: *1/ { n++ }
			END { print n != 1, "lockdep" }' /proc/lockdep_stats
	fi
	if [ -w /sys/kernel/debug/kmemleak ]; then
		# It takes no more orders when it has given up
		echo scan 2>/dev/null >/sys/kernel/debug/kmemleak &&
			echo "0 kmemleak" || echo "1 kmemleak"
	fi
}
