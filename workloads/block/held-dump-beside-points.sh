# SPDX-License-Identifier: GPL-2.0-only
# about: a dump of a fragmented tablespace, pages of 16 KiB in the order of the key, beside 1500 point queries through a secondary index; the tail of the queries
# consumer: block
# split: test
# device: cloud ssd nvme
# memory: 288M
# needs: fio
# suite: full
# metric: point_lat_p99 lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/orders.ibd" bs=1M count=372 2>/dev/null
awk -v seed="$BENCH_SEED" -v file="$BENCH_DIR/orders.ibd" '
function page(n, plan) {
	print file, "read", n * 16384, 16384 >plan
	total += 16384
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/dump"
	print "fio version 2 iolog" >"/tmp/points"
	printf "%s add\n%s open\n", file, file >"/tmp/dump"
	printf "%s add\n%s open\n", file, file >"/tmp/points"
	pages = 372 * 64
	# Extents of 64 pages, given out to two indexes by turns, then at random
	extents = pages / 64
	for (e = 0; e < extents; e++)
		order[e] = e
	for (e = int(extents * 0.6); e < extents; e++) {
		j = e + int(rand() * (extents - e))
		t = order[e]; order[e] = order[j]; order[j] = t
	}
	e = int(rand() * 40)
	for (read = 0; read < 8200;) {
		e++
		if (rand() < 0.3)
			continue
		for (i = 0; i < 64; i++) {
			# A page that was split has its upper half elsewhere.
			page(order[e % extents] * 64 + i, "/tmp/dump")
			read++
			if (rand() < 0.035) {
				page(int(pages * (0.9 + 0.1 * rand())), "/tmp/dump")
				read++
			}
		}
	}
	# The pool of the database keeps what it has read.
	for (query = 0; query < 1500; query++) {
		secondary = int(pages * (0.55 + 0.02 * rand()))
		if (!(secondary in pool))
			page(secondary, "/tmp/points")
		pool[secondary] = 1
		# Customers of late ask more.
		row = int(pages * (rand() < 0.4 ? 1 - 0.1 * rand() : rand()))
		if (row < pages && !(row in pool))
			page(row, "/tmp/points")
		pool[row] = 1
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --ioengine=psync --fadvise_hint=0 --invalidate=0 \
	--output-format=terse --terse-version=3 \
	--name=dump --read_iolog=/tmp/dump --thinktime=500us --thinktime_blocks=8 \
	--name=points --read_iolog=/tmp/points --thinktime=350us --thinktime_blocks=1 \
	>"$BENCH_OUT/fio.log"
# Its percentiles are fields 18 to 37, in us.
awk -F ';' '$3 == "points" {
	printf "metric point_lat_mean %s us\n", $16
	for (i = 18; i <= 37; i++)
		if (sub(/^99\.0*%=/, "", $i))
			printf "metric point_lat_p99 %s us\n", $i
}' "$BENCH_OUT/fio.log"
