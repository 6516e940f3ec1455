# SPDX-License-Identifier: GPL-2.0-only
# about: a history walk over three packs of objects: the indexes are read whole, then commits, trees and blobs with their delta bases in windows of 8 KiB that the program caches itself
# consumer: block
# split: test
# device: ssd nvme cloud
# memory: 384M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/pack"
for pack in 0:211 1:97 2:38; do
	dd if=/dev/zero of="$BENCH_DIR/pack/p${pack%:*}.pack" bs=1M count="${pack#*:}" 2>/dev/null
	dd if=/dev/zero of="$BENCH_DIR/pack/p${pack%:*}.idx" bs=27000 count="${pack#*:}" 2>/dev/null
done
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/pack" "$(cat /usr/share/bench/lognormal.awk)"'
# The windows that hold these bytes, unless they are among the last 1280
function take(p, at, n,  w) {
	for (w = int(at / 8192); w * 8192 < at + n; w++) {
		if ((p, w) in cached)
			continue
		print pack[p], "read", w * 8192, 8192 >"/tmp/plan"
		total += 8192
		if (slot in held)
			delete cached[held[slot]]
		held[slot] = p SUBSEP w
		cached[p, w] = 1
		slot = (slot + 1) % 1280
	}
}
# An object and the bases of its delta, which lie before it
function object(p, at, median, depth,  n) {
	for (;;) {
		n = 40 + lognormal(median, 1)
		n = n > 400000 ? 400000 : n
		at = int(at)
		if (at < 12)
			at = 12
		if (at + n > mib[p] * 1048576)
			at = mib[p] * 1048576 - n
		take(p, at, n)
		if (depth-- <= 0)
			return
		at -= 300 + lognormal(20000, 1.6)
	}
}
BEGIN {
	srand(seed)
	split("211 97 38", m)
	slot = 0
	print "fio version 2 iolog" >"/tmp/plan"
	for (p = 0; p < 3; p++) {
		mib[p] = m[p + 1]
		pack[p] = dir "/p" p ".pack"
		idx = dir "/p" p ".idx"
		printf "%s add\n%s add\n%s open\n%s open\n", pack[p], idx, pack[p], idx >"/tmp/plan"
		print idx, "read", 0, 1032 >"/tmp/plan"
		for (at = 1032; at < mib[p] * 27000; at += n) {
			n = mib[p] * 27000 - at
			n = n > 8192 ? 8192 : n
			print idx, "read", at, n >"/tmp/plan"
		}
		print idx, "close" >"/tmp/plan"
		total += mib[p] * 27000
		commit[p] = 12
		tree[p] = mib[p] * 1048576 * (0.07 + 0.01 * rand())
	}
	for (n = 0; n < 1450; n++) {
		where = rand()
		p = where < 0.6 ? 0 : where < 0.87 ? 1 : 2
		commit[p] += 150 + lognormal(900, 1)
		object(p, commit[p], 220, 0)
		for (i = 1 + int(rand() * 3); i > 0; i--) {
			tree[p] += lognormal(2500, 1.2)
			object(p, tree[p] - (rand() < 0.3 ? rand() * 2000000 : 0), 500, int(rand() * 4))
		}
		if (rand() < 0.4)
			object(p, mib[p] * 1048576 * (0.25 + 0.75 * rand()), 3100, int(rand() * rand() * 9))
	}
	for (p = 0; p < 3; p++)
		print pack[p], "close" >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=walk --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
