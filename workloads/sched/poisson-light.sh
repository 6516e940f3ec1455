# SPDX-License-Identifier: GPL-2.0-only
# about: Poisson bursts of about 1 ms, 18 % of the CPU at full speed
# consumer: sched
# split: train
# device: ssd
# memory: 256M
# needs: loadgen
# metric: energy_delay lower
# suite: smoke quick full
exec loadgen poisson --rate 150 --work 800 --work-max 1600 --time 3000 \
	--seed "$BENCH_SEED"
