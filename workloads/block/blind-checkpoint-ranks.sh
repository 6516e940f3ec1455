# SPDX-License-Identifier: GPL-2.0-only
# about: 4 ranks restore one checkpoint, larger than memory: the list of tensors, then of each tensor in turn a quarter: in one stretch, or a quarter of every row of 64 KiB
# consumer: block
# split: test
# device: hdd ssd nvme
# memory: 288M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/model" bs=1M count=390 2>/dev/null
awk -v seed="$BENCH_SEED" -v file="$BENCH_DIR/model" '
function take(at, n) {
	print file, "read", at, n >plan
	total += n
}
# Through a bounce buffer of 1 MiB
function stretch(at, n,  part) {
	for (; n > 0; n -= part) {
		part = n > 1048576 ? 1048576 : n
		take(at, part)
		at += part
	}
}
BEGIN {
	srand(seed)
	# Length, then the list; tensors follow it at any multiple of 8.
	list = 40000 + 8 * int(rand() * 20000)
	heads = 20 + int(rand() * 12)
	wide = 48 + int(rand() * 40)
	for (rank = 0; rank < 4; rank++) {
		plan = "/tmp/rank" rank
		printf "fio version 2 iolog\n%s add\n%s open\n", file, file >plan
		take(0, 8)
		take(8, list)
		at = 8 + list
		# Word vectors are split by words.
		n = 31457280
		stretch(at + rank * n / 4, n / 4)
		at += n
		for (layer = 0; at + 4096 + (heads * 3 + heads + wide * 3) * 65536 < 390 * 1048576; layer++) {
			# All of the norms
			take(at, 4096)
			at += 4096
			# Queries, keys and values by heads, what they give by columns
			stretch(at + rank * heads * 49152, heads * 49152)
			at += heads * 3 * 65536
			for (row = 0; row < heads; row++)
				take(at + row * 65536 + rank * 16384, 16384)
			at += heads * 65536
			# Up and gate by rows, down by columns
			stretch(at + rank * wide * 32768, wide * 32768)
			at += wide * 2 * 65536
			for (row = 0; row < wide; row++)
				take(at + row * 65536 + rank * 16384, 16384)
			at += wide * 65536
		}
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

# They do not begin at the same time.
fio --ioengine=psync --fadvise_hint=0 --invalidate=0 \
	--name=rank0 --read_iolog=/tmp/rank0 \
	--name=rank1 --startdelay=4ms --read_iolog=/tmp/rank1 \
	--name=rank2 --startdelay=$((5 + BENCH_SEED % 5))ms --read_iolog=/tmp/rank2 \
	--name=rank3 --startdelay=13ms --read_iolog=/tmp/rank3 >"$BENCH_OUT/fio.log"
