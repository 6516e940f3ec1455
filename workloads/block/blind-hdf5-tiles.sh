# SPDX-License-Identifier: GPL-2.0-only
# about: a climate archive of 88 x 112 packed chunks, log-normal about 23 KiB, in one file: maps take rows of chunks whole, time series take 2 or 3 columns of them, the library's index nodes first
# consumer: block
# split: test
# device: hdd cloud
# memory: 192M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/archive.h5" bs=1M count=262 2>/dev/null
awk -v seed="$BENCH_SEED" -v file="$BENCH_DIR/archive.h5" "$(cat /usr/share/bench/lognormal.awk)"'
function take(at, n) {
	print file, "read", at, n >"/tmp/plan"
	total += n
}
# A chunk, and before the first of its node the node itself, which stays
function chunk(row, column,  c) {
	c = row * 112 + column
	if (!(int(c / 56) in known)) {
		known[int(c / 56)] = 1
		take(node[int(c / 56)], 2616)
	}
	take(start[c], size[c])
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s open\n", file, file >"/tmp/plan"
	# Superblock and the headers of the objects
	take(0, 512)
	take(800, 544)
	end = 4096
	for (c = 0; c < 88 * 112; c++) {
		# A node is put where the file ends when the last one is full.
		if (c % 56 == 0) {
			node[c / 56] = end
			end += 2616
		}
		n = lognormal(23500, 0.3)
		start[c] = end
		size[c] = n > 65536 ? 65536 : n
		end += size[c]
	}
	for (slice = 0; slice < 11; slice++) {
		if (slice % 2) {
			row = int(rand() * 86)
			for (n = 1 + int(rand() * 2); n > 0; n--)
				for (column = 0; column < 112; column++)
					chunk(row + n, column)
			continue
		}
		column = int(rand() * 109)
		wide = 2 + int(rand() * 2)
		for (row = 0; row < 88; row++)
			for (n = 0; n < wide; n++)
				chunk(row, column + n)
	}
	printf "%s close\n", file >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=slices --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
