# SPDX-License-Identifier: GPL-2.0-only
# about: schedutil changes the frequency at most once in 2000 us
# consumer: sched
# suite: full
set -u

file=/sys/devices/system/cpu/cpufreq/schedutil/rate_limit_us
want=2000

if ! { echo "$want" >"$file" && [ "$(cat "$file")" = "$want" ]; } 2>/dev/null; then
	echo "$file did not take '$want'" >&2
	exit 1
fi
