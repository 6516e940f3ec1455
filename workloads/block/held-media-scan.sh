# SPDX-License-Identifier: GPL-2.0-only
# about: a media library is scanned: of 300 files of some MiB the first 8 to 600 KiB and then the tail; fixed work
# consumer: block
# split: test
# device: cloud hdd ssd
# memory: 256M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/media"
dd if=/dev/zero of=/tmp/zeros bs=1M count=12 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/media" "$(cat /usr/share/bench/lognormal.awk)"'
function take(at, n) {
	print file, "read", at, n >"/tmp/plan"
	total += n
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
	for (i = 0; i < 300; i++) {
		size[i] = lognormal(1800000, 0.6)
		size[i] = size[i] < 700000 ? 700000 : size[i] > 12000000 ? 12000000 : size[i]
		printf "dd if=/tmp/zeros bs=%d count=1 of=%s/%03d\n", size[i], dir, i
		printf "%s/%03d add\n", dir, i >"/tmp/plan"
	}
	for (i = 0; i < 300; i++) {
		file = sprintf("%s/%03d", dir, i)
		print file, "open" >"/tmp/plan"
		kind = rand()
		# A few tags; a picture of the cover; or the index at the end
		head = kind < 0.3 ? 12288 : kind < 0.7 ? 30000 + int(rand() * 570000) : 8192
		for (at = 0; at < head; at += 4096)
			take(at, 4096)
		if (kind < 0.7) {
			take(size[i] - 128, 128)
		} else {
			tail = 20000 + int(rand() * 180000)
			for (at = size[i] - tail; at + 32768 < size[i]; at += 32768)
				take(at, 32768)
			take(at, size[i] - at)
		}
		print file, "close" >"/tmp/plan"
	}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

fio --name=scan --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
