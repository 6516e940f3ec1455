# SPDX-License-Identifier: GPL-2.0-only
# about: tar lists a cold archive of 2000 members: a header of 512 bytes, then a jump over 2 KiB to 1 MiB; fixed work
# consumer: block
# split: test
# device: cloud nvme hdd
# memory: 256M
# suite: full
# metric: elapsed lower
set -eu

# The members are holes, which take no place; tar writes them out. 50 sizes are
# drawn, log-normal about 32 KiB, and each is given to 40 members at random.
mkdir /tmp/m
cd /tmp/m
awk -v seed="$BENCH_SEED" "$(cat /usr/share/bench/lognormal.awk)"'
BEGIN {
	srand(seed)
	for (class = 0; class < 50; class++) {
		size = lognormal(32768, 1.2)
		size = size < 2048 ? 2048 : size > 1048576 ? 1048576 : size
		printf "truncate -s %d", size
		for (i = 0; i < 40; i++) {
			do n = int(rand() * 2000); while (n in used)
			used[n] = 1
			printf " m%04d", n
		}
		print ""
	}
}' >/tmp/prepare
. /tmp/prepare
tar -cf "$BENCH_DIR/archive.tar" .
cd /
rm -rf /tmp/m
bench-begin

members=$(tar -tf "$BENCH_DIR/archive.tar" | wc -l)
[ "$members" -eq 2001 ]
echo "metric useful_read $((members * 512)) B"
