# SPDX-License-Identifier: GPL-2.0-only
# about: md5sum -c verifies 41 installed packages in the order of their names, 410 files, log-normal about 56 KiB, that were installed in another order
# consumer: block
# split: test
# device: hdd cloud
# memory: 192M
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of=/tmp/zeros bs=1M count=3 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
BEGIN {
	srand(seed)
	for (i = 0; i < 41; i++)
		order[i] = i
	for (i = 40; i > 0; i--) {
		j = int(rand() * (i + 1))
		t = order[i]; order[i] = order[j]; order[j] = t
	}
	# Programs, libraries and documents of a package in directories of all
	for (i = 0; i < 5; i++)
		printf "mkdir %s/d%d\n", dir, i
	for (i = 0; i < 41; i++)
		for (f = 0; f < 10; f++) {
			size = 60 + lognormal(57344, 1.4)
			size = size > 3000000 ? 3000000 : size
			printf "dd if=/tmp/zeros bs=%d count=1 of=%s/d%d/p%02d-%d\n", size, dir, int(rand() * 5), order[i], f
			total += size
		}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
# By package, then by file
md5sum "$BENCH_DIR"/d?/p* | awk '{ n = $2; sub(".*/", "", n); print n, $0 }' |
	sort | cut -d ' ' -f 2- >/tmp/sums
bench-begin

md5sum -c /tmp/sums >"$BENCH_OUT/verify.log"
