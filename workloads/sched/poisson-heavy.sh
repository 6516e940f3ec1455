# SPDX-License-Identifier: GPL-2.0-only
# about: two servers, each with Poisson bursts of 2 to 8 ms, together 35 % of the CPU
# consumer: sched
# split: test
# device: ssd
# memory: 256M
# needs: loadgen
# metric: energy_delay lower
exec loadgen poisson --rate 35 --work 2000 --work-max 8000 --time 3000 \
	--threads 2 --seed "$BENCH_SEED"
