# SPDX-License-Identifier: GPL-2.0-only
# about: 20 senders and 20 receivers pass messages through pipes, as fast as they can
# consumer: sched
# split: test
# device: ssd
# memory: 256M
# needs: hackbench
# package: rt-tests
# metric: energy_delay lower
set -eu

hackbench --pipe --groups 1 --loops 600 >"$BENCH_OUT/hackbench.log"
awk '$1 == "Time:" { printf "metric delay %.3f ms\n", $2 * 1000; found = 1 }
	END { exit !found }' "$BENCH_OUT/hackbench.log"
