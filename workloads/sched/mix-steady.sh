# SPDX-License-Identifier: GPL-2.0-only
# about: light requests beside a steady background load of 15 % (stress-ng)
# consumer: sched
# split: train
# device: ssd
# memory: 256M
# needs: stress-ng loadgen
# metric: energy_delay lower
set -eu

stress-ng --cpu 1 --cpu-load 15 --cpu-load-slice 20 --cpu-method int32 \
	--timeout 3 --seed "$BENCH_SEED" >"$BENCH_OUT/stress-ng.log" 2>&1 &
loadgen poisson --rate 200 --work 300 --work-max 900 --time 2500 \
	--seed "$BENCH_SEED"
wait
