# SPDX-License-Identifier: GPL-2.0-only
# about: cmp compares two files of 28 MiB: two streams of 4 KiB reads that take turns; fixed work
# consumer: block
# split: test
# device: hdd cloud
# memory: 256M
# suite: full
# metric: elapsed lower
set -eu

cd "$BENCH_DIR"
# The gap between the two files follows the seed.
dd if=/dev/zero of=one bs=1M count=28 2>/dev/null
dd if=/dev/zero of=gap bs=1M count=$((20 + BENCH_SEED * 37 % 200)) 2>/dev/null
dd if=/dev/zero of=two bs=1M count=28 2>/dev/null
bench-begin

cmp one two
echo "metric useful_read $((56 << 20)) B"
