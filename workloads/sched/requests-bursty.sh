# SPDX-License-Identifier: GPL-2.0-only
# about: requests of 0.3 to 1.2 ms that come for 80 ms, then not for 240 ms
# consumer: sched
# split: train
# device: ssd
# memory: 256M
# needs: loadgen
# metric: energy_delay lower
exec loadgen bursty --rate 600 --on 80 --off 240 --work 300 --work-max 1200 \
	--time 4000 --seed "$BENCH_SEED"
