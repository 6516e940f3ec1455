# SPDX-License-Identifier: GPL-2.0-only
# about: slices of a scan of about 350 planes in one file, larger than memory: a few planes whole, 1 to 3 rows of every plane, or 10 to 40 rows of some, forwards or from the last plane back
# consumer: block
# split: test
# device: nvme ssd
# memory: 256M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

awk -v seed="$BENCH_SEED" -v file="$BENCH_DIR/volume" '
function take(at, n) {
	print file, "read", at, n >"/tmp/plan"
	total += n
}
BEGIN {
	srand(seed)
	# As wide as the machine gave it, two bytes a voxel
	row = 2 * (1400 + int(rand() * 1100))
	rows = 380 + int(rand() * 60)
	plane = row * rows
	planes = 310 + int(rand() * 80)
	if (planes * plane > 610 * 1048576)
		planes = int(610 * 1048576 / plane)
	printf "fio version 2 iolog\n%s add\n%s open\n", file, file >"/tmp/plan"
	take(0, 348)
	for (view = 0; view < 18; view++) {
		kind = rand()
		if (kind < 0.3) {
			# The next planes, as the user turns the wheel
			n = 2 + int(rand() * 9)
			first = int(rand() * (planes - n))
			for (at = first * plane; at + 262144 < (first + n) * plane; at += 262144)
				take(352 + at, 262144)
			continue
		}
		# Rows that are neighbours are one read.
		high = kind < 0.75 ? 1 + int(rand() * 3) : 10 + int(rand() * 31)
		n = kind < 0.75 ? planes : 60 + int(rand() * 120)
		at = int(rand() * (rows - high)) * row
		first = int(rand() * (planes - n))
		back = rand() < 0.35
		for (p = 0; p < n; p++)
			take(352 + (back ? first + n - 1 - p : first + p) * plane + at, high * row)
	}
	printf "dd if=/dev/zero of=%s bs=%d count=%d\n", file, plane, planes + 1
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
bench-begin

fio --name=view --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
