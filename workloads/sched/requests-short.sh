# SPDX-License-Identifier: GPL-2.0-only
# about: three servers with requests of 0.1 to 0.3 ms in bursts of 15 ms
# consumer: sched
# split: test
# device: ssd
# memory: 256M
# needs: loadgen
# metric: energy_delay lower
# suite: full
exec loadgen bursty --rate 1200 --on 15 --off 45 --work 100 --work-max 300 \
	--time 3000 --threads 3 --seed "$BENCH_SEED"
