# SPDX-License-Identifier: GPL-2.0-only
# about: an embedded database, pages of 4 KiB: 620 lookups and leaf scans of a B-tree that has been split, and overflow chains of large rows
# consumer: block
# split: test
# device: cloud ssd nvme
# memory: 160M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/db" bs=1M count=263 2>/dev/null
awk -v seed="$BENCH_SEED" -v db="$BENCH_DIR/db" "$(cat /usr/share/bench/lognormal.awk)"'
function page(n) {
	print db, "read", n * 4096, 4096 >"/tmp/plan"
	total += 4096
}
# A row too large for its leaf goes on in pages that were free at that time:
# mostly neighbours.
function overflow(n,  at) {
	at = int(rand() * pages)
	while (n-- > 0) {
		page(at)
		at = rand() < 0.93 ? at + 1 : int(rand() * pages)
		if (at >= pages)
			at = 0
	}
}
BEGIN {
	srand(seed)
	pages = 263 * 256
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s open\n", db, db >"/tmp/plan"
	for (i = 0; i < 290; i++)
		inner[i] = 1 + int(rand() * (pages - 1))
	for (query = 0; query < 620; query++) {
		# The change counter, root and two levels
		print db, "read", 24, 16 >"/tmp/plan"
		page(0)
		page(inner[int(rand() * 9)])
		page(inner[9 + int(rand() * 281)])
		leaf = int(rand() * pages)
		if (rand() < 0.72) {
			page(leaf)
			if (rand() < 0.35)
				overflow(1 + lognormal(7, 1.1))
			continue
		}
		for (n = 4 + lognormal(18, 0.7); n > 0; n--) {
			page(leaf)
			if (rand() < 0.04)
				overflow(1 + lognormal(5, 1))
			leaf = rand() < 0.9 ? leaf + 1 : int(rand() * pages)
			if (leaf >= pages)
				leaf = 1
		}
	}
	printf "%s close\n", db >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=queries --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
