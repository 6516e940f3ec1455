# SPDX-License-Identifier: GPL-2.0-only
# about: 60 frames a second of 2 to 7 ms each, to be ready before the next
# consumer: sched
# split: train
# device: ssd
# memory: 256M
# needs: loadgen
# metric: energy_delay lower
exec loadgen periodic --period 16667 --work 2000 --work-max 7000 --time 3000 \
	--seed "$BENCH_SEED"
