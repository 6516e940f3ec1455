# SPDX-License-Identifier: GPL-2.0-only
# about: a query takes 3 columns of 12 side by side, pages of three sizes by turns, row group after row group; fixed work
# consumer: block
# split: test
# device: nvme ssd cloud
# memory: 768M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/table" bs=1M count=768 2>/dev/null
awk -v seed="$BENCH_SEED" -v table="$BENCH_DIR/table" '
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s open\n", table, table >"/tmp/plan"
	# Bytes of a page of each column; a page of every column holds as many
	# rows. Pages are compressed, so each differs a little from the next.
	split("3000 61000 9000 24000 90000 5000 13000 88000 36000 2000 18000 47000", page)
	# One narrow, one middling and one wide column
	split("1 3 6 10", narrow)
	split("4 7 9 11", middling)
	split("2 5 8 12", wide)
	column[1] = narrow[1 + int(rand() * 4)]
	column[2] = middling[1 + int(rand() * 4)]
	column[3] = wide[1 + int(rand() * 4)]
	at = total = 0
	for (;;) {
		pages = 16 + int(rand() * 16)
		for (c = 1; c <= 12; c++) {
			start[c] = at
			at += int(page[c] * 1.1 * pages)
		}
		if (at > 768 * 1048576)
			break
		# The query reads the pages of three columns in step.
		for (p = 0; p < pages; p++)
			for (i = 1; i <= 3; i++) {
				c = column[i]
				size = int(page[c] * (0.9 + 0.2 * rand()))
				print table, "read", start[c], size >"/tmp/plan"
				start[c] += size
				total += size
			}
		# The footer of the row group
		print table, "read", at, 700 >"/tmp/plan"
		at += 700
		total += 700
	}
	printf "%s close\n", table >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=query --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
