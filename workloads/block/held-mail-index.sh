# SPDX-License-Identifier: GPL-2.0-only
# about: a mail index: 4200 reads of 0.5 to 6 KiB at random within a region that moves on, fast and slow, through a large file; fixed work
# consumer: block
# split: test
# device: ssd cloud nvme
# memory: 128M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/index" bs=1M count=512 2>/dev/null
awk -v seed="$BENCH_SEED" -v index_="$BENCH_DIR/index" '
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s open\n", index_, index_ >"/tmp/plan"
	end = 512 * 1048576 - 8192
	width = 20 * 1048576
	home = int(rand() * 200) * 1048576
	for (n = 0; n < 4200; n++) {
		if (n % 420 == 0) {
			# 2 to 32 KiB a read
			speed = 2048
			for (i = int(rand() * 5); i > 0; i--)
				speed *= 2
		}
		home += speed
		# New mail is looked at more than old, and one read of twelve is
		# a search of something else.
		if (rand() < 1 / 12)
			at = rand() * end
		else
			at = home + width * (1 - rand() * rand())
		at = int(at / 512) * 512
		if (at > end)
			at -= end
		size = 512 * (1 + int(rand() * rand() * 12))
		print index_, "read", at, size >"/tmp/plan"
		total += size
	}
	printf "%s close\n", index_ >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=mail --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
