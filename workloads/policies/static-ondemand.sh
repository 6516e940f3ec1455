# SPDX-License-Identifier: GPL-2.0-only
# about: cpufreq governor ondemand (stock: schedutil)
# consumer: sched
# suite: quick full
set -u

file=/sys/devices/system/cpu/cpufreq/policy0/scaling_governor
want=ondemand

if ! { echo "$want" >"$file" && [ "$(cat "$file")" = "$want" ]; } 2>/dev/null; then
	echo "$file did not take '$want'" >&2
	exit 1
fi
