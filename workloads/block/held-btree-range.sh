# SPDX-License-Identifier: GPL-2.0-only
# about: 600 range queries: two 8 KiB reads in an index, then 1 to 64 reads of 16 KiB from a random place of a table
# consumer: block
# split: test
# device: ssd nvme cloud
# memory: 512M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/index" bs=1M count=32 2>/dev/null
dd if=/dev/zero of="$BENCH_DIR/table" bs=1M count=368 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
BEGIN {
	srand(seed)
	index_ = dir "/index"
	table = dir "/table"
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s add\n%s open\n%s open\n", index_, table, index_, table >"/tmp/plan"
	for (query = 0; query < 600; query++) {
		# The inner nodes are the file'\''s first 1 MiB, soon cached.
		print index_, "read", int(rand() * 128) * 8192, 8192 >"/tmp/plan"
		print index_, "read", (128 + int(rand() * 3968)) * 8192, 8192 >"/tmp/plan"
		n = 1 + lognormal(5, 1)
		n = n > 64 ? 64 : n
		at = int(rand() * (368 * 64 - n))
		for (i = 0; i < n; i++)
			print table, "read", (at + i) * 16384, 16384 >"/tmp/plan"
		total += 16384 + n * 16384
	}
	printf "%s close\n%s close\n", index_, table >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=queries --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
