# SPDX-License-Identifier: GPL-2.0-only
# about: a bulk load merges 9 sorted runs in one spill file, records log-normal about 40 KiB, and writes them out in order; fixed work
# consumer: block
# split: test
# device: hdd cloud ssd
# memory: 384M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/spill" bs=1M count=296 2>/dev/null
: >"$BENCH_DIR/loaded"
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
BEGIN {
	srand(seed)
	spill = dir "/spill"
	loaded = dir "/loaded"
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s add\n%s open\n%s open\n", spill, loaded, spill, loaded >"/tmp/plan"
	# The runs are of unequal length, so some give the next record more
	# often than others; all lie in one file, 32 MiB apart.
	for (run = 0; run < 9; run++) {
		at[run] = run * 33554432 + int(rand() * 1024) * 4096
		all += share[run] = 1 + int(rand() * 4)
	}
	out = total = 0
	while (total < 79691776) {
		pick = rand() * all
		for (run = 0; pick >= share[run]; run++)
			pick -= share[run]
		size = lognormal(40960, 0.8)
		size = size < 2048 ? 2048 : size > 262144 ? 262144 : size
		# A record has its length in front.
		print spill, "read", at[run], 512 >"/tmp/plan"
		print spill, "read", at[run] + 512, size >"/tmp/plan"
		print loaded, "write", out, size >"/tmp/plan"
		at[run] += 512 + size
		out += size
		total += 512 + size
	}
	printf "%s close\n%s close\n", spill, loaded >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=merge --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
