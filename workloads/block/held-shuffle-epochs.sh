# SPDX-License-Identifier: GPL-2.0-only
# about: training data: 260 files, log-normal about 500 KiB, read whole in a new random order twice, more than memory holds
# consumer: block
# split: test
# device: cloud ssd
# memory: 128M
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/set"
dd if=/dev/zero of=/tmp/zeros bs=1M count=3 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/set" "$(cat /usr/share/bench/lognormal.awk)"'
BEGIN {
	srand(seed)
	for (i = 0; i < 260; i++) {
		size = lognormal(512000, 0.5)
		size = size < 100000 ? 100000 : size > 3000000 ? 3000000 : size
		order[i] = sprintf("%s/%03d", dir, i)
		printf "dd if=/tmp/zeros bs=%d count=1 of=%s\n", size, order[i]
		total += 2 * size
	}
	for (epoch = 1; epoch <= 2; epoch++)
		for (i = 259; i >= 0; i--) {
			j = int(rand() * (i + 1))
			t = order[i]; order[i] = order[j]; order[j] = t
			print order[i] >("/tmp/epoch" epoch)
		}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

xargs cat </tmp/epoch1 >/dev/null
xargs cat </tmp/epoch2 >/dev/null
