# SPDX-License-Identifier: GPL-2.0-only
# about: logs that grew side by side, in pieces: some are bisected by time and read on from there, some are searched from the end, 8 KiB backwards at a time
# consumer: block
# split: test
# device: hdd cloud
# memory: 128M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/log"
dd if=/dev/zero of=/tmp/zeros bs=64k count=100 2>/dev/null
# Each grows at a speed of its own; with a sync between, each piece is
# somewhere else on the disk.
for round in 1 2 3 4 5 6 7 8 9 10; do
	for log in a:21 b:100 c:53 d:37 e:88 f:67; do
		dd if=/tmp/zeros bs=64k count=$((1 + ${log#*:} * (60 + (round * 17 + BENCH_SEED * 13) % 40) / 200)) \
			2>/dev/null >>"$BENCH_DIR/log/${log%:*}"
	done
	sync
done
rm /tmp/zeros
for log in a b c d e f; do
	echo "$log" "$(stat -c %s "$BENCH_DIR/log/$log")"
done >/tmp/sizes
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/log" "$(cat /usr/share/bench/lognormal.awk)"'
function take(at, n) {
	print file, "read", int(at), n >"/tmp/plan"
	total += n
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
}
{
	name[NR] = dir "/" $1
	size[NR] = $2
	print name[NR], "add" >"/tmp/plan"
}
END {
	turn = int(rand() * 2)
	for (i = 1; i <= NR; i++) {
		file = name[i]
		print file, "open" >"/tmp/plan"
		depth = lognormal(1250000, 0.5)
		if (depth > size[i])
			depth = size[i]
		if ((i + turn) % 2) {
			low = 0
			high = size[i]
			goal = size[i] - depth
			while (high - low > 8192) {
				mid = int((low + high) / 2)
				take(mid, mid + 1900 > size[i] ? size[i] - mid : 1900)
				if (mid < goal)
					low = mid
				else
					high = mid
			}
			for (at = low; at + 32768 <= size[i]; at += 32768)
				take(at, 32768)
		} else {
			# The first read ends at a multiple of the buffer.
			at = size[i] - size[i] % 8192
			for (; at >= 8192 && depth > 0; depth -= 8192)
				take(at -= 8192, 8192)
			# What was found, with what came after
			take(at, 8192)
			take(at + 8192, 8192)
		}
		print file, "close" >"/tmp/plan"
	}
	printf "metric useful_read %d B\n", total
}' /tmp/sizes
bench-begin

fio --name=search --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
