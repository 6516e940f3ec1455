# SPDX-License-Identifier: GPL-2.0-only
# about: a database restarts: its log is read on, 8 KiB at a time, and the pages that it names are read from 6 tables and an index, some written back
# consumer: block
# split: test
# device: ssd cloud nvme
# memory: 224M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/base"
dd if=/dev/zero of="$BENCH_DIR/base/wal" bs=1M count=31 2>/dev/null
for table in 0:149 1:83 2:61 3:27 4:19 5:7 6:44; do
	dd if=/dev/zero of="$BENCH_DIR/base/t${table%:*}" bs=1M count="${table#*:}" 2>/dev/null
done
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/base" '
BEGIN {
	srand(seed)
	split("149 83 61 27 19 7 44", mib)
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s/wal add\n%s/wal open\n", dir, dir >"/tmp/plan"
	for (t = 0; t < 7; t++) {
		name[t] = dir "/t" t
		printf "%s add\n%s open\n", name[t], name[t] >"/tmp/plan"
		pages[t] = mib[t + 1] * 128
		# Rows are added where there is room, then behind that.
		fill[t] = int(pages[t] * (0.6 + 0.2 * rand()))
	}
	at = int(rand() * 900)
	for (block = 0; block < 1730; block++) {
		print dir "/wal", "read", (at + block) * 8192, 8192 >"/tmp/plan"
		total += 8192
		for (n = int(rand() * 5); n > 0; n--) {
			t = int(rand() * rand() * 7)
			kind = rand()
			if (kind < 0.45) {
				p = fill[t]
				if (rand() < 0.3)
					fill[t] = (fill[t] + 1) % pages[t]
			} else if (kind < 0.7) {
				# Rows of late are changed most.
				p = int(fill[t] * (1 - rand() * rand() * rand()))
			} else {
				t = 6
				p = int(rand() * pages[t])
			}
			# The database has a cache of its own.
			if ((t, p) in have)
				continue
			have[t, p] = 1
			print name[t], "read", p * 8192, 8192 >"/tmp/plan"
			total += 8192
			if (rand() < 0.12)
				print name[t], "write", p * 8192, 8192 >"/tmp/plan"
		}
	}
	printf "%s/wal close\n", dir >"/tmp/plan"
	for (t = 0; t < 7; t++)
		printf "%s close\n", name[t] >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=replay --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
