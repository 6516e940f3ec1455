# SPDX-License-Identifier: GPL-2.0-only
# about: two backends in one table larger than memory: one scans a stretch, 8 KiB at a time, the other takes what a bitmap names, in order and dense by places, after the leaves of its index
# consumer: block
# split: test
# device: nvme ssd cloud
# memory: 192M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/table" bs=1M count=437 2>/dev/null
dd if=/dev/zero of="$BENCH_DIR/index" bs=1M count=41 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" '
function page(file, n, plan) {
	print file, "read", n * 8192, 8192 >plan
	total += 8192
}
BEGIN {
	srand(seed)
	heap = 437 * 128
	leaves = 41 * 128
	table = dir "/table"
	ix = dir "/index"
	scan = "/tmp/scan"
	bitmap = "/tmp/bitmap"
	printf "fio version 2 iolog\n%s add\n%s open\n", table, table >scan
	printf "fio version 2 iolog\n%s add\n%s add\n%s open\n%s open\n", table, ix, table, ix >bitmap
	# A scan joins in where another has left off, and wraps around.
	at = int(rand() * heap)
	for (n = 0; n < 13500; n++)
		page(table, (at + n) % heap, scan)
	for (query = 0; query < 5; query++) {
		page(ix, 0, bitmap)
		page(ix, 3 + int(rand() * 30), bitmap)
		at = 40 + int(rand() * (leaves - 200))
		for (n = 15 + int(rand() * 70); n > 0; n--) {
			page(ix, at, bitmap)
			# The next leaf is a neighbour unless one was split.
			at = rand() < 0.85 ? at + 1 : 40 + int(rand() * (leaves - 200))
		}
		# Rows of a kind were added together, here more and there less.
		at = int(rand() * heap * 0.3)
		for (found = 0; found < 640 && at < heap;) {
			share = rand() * rand() * rand()
			for (n = 60 + int(rand() * 900); n > 0 && at < heap; n--) {
				if (rand() < share) {
					page(table, at, bitmap)
					found++
				}
				at++
			}
			at += int(rand() * 2500)
		}
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --ioengine=psync --fadvise_hint=0 --invalidate=0 \
	--name=scan --read_iolog=/tmp/scan \
	--name=bitmap --read_iolog=/tmp/bitmap >"$BENCH_OUT/fio.log"
