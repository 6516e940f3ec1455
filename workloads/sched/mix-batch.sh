# SPDX-License-Identifier: GPL-2.0-only
# about: frames at 50 Hz beside a batch job (stress-ng, nice 19) that takes what is left for a while
# consumer: sched
# split: test
# device: ssd
# memory: 256M
# needs: stress-ng loadgen
# metric: energy_delay lower
# suite: full
set -eu

nice -n 19 stress-ng --matrix 1 --matrix-size 64 --matrix-ops 60 \
	--seed "$BENCH_SEED" >"$BENCH_OUT/stress-ng.log" 2>&1 &
loadgen periodic --period 20000 --work 1000 --work-max 5000 --time 2500 \
	--seed "$BENCH_SEED"
wait
