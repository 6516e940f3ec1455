# SPDX-License-Identifier: GPL-2.0-only
# about: a reader that waits for the disk, verifies the block's sha256, and goes on
# consumer: sched
# split: train
# device: ssd
# memory: 256M
# needs: fio
# metric: energy_delay lower
set -eu

job="--name=io --directory=$BENCH_DIR --bs=4k --size=8m --direct=1
	--ioengine=psync --randseed=$BENCH_SEED --verify=sha256"
# shellcheck disable=SC2086 # the words of a command
fio $job --rw=write --do_verify=0 >"$BENCH_OUT/prepare.log"
bench-begin

# The job is fixed: its delay is how long all of it took.
# shellcheck disable=SC2086
fio $job --rw=randread --output-format=terse --terse-version=3 >"$BENCH_OUT/fio.terse"
awk -F ';' '$1 == 3 { print "metric delay", $9, "ms"; found = 1 }
	END { exit !found }' "$BENCH_OUT/fio.terse"
