# SPDX-License-Identifier: GPL-2.0-only
# about: two tar processes pack two cold trees at the same time: 2 x 200 files, log-normal about 100 KiB; fixed work
# consumer: block
# split: test
# device: hdd cloud
# memory: 256M
# suite: full
# metric: elapsed lower
set -eu

mkdir -p "$BENCH_DIR/photos" "$BENCH_DIR/mail"
dd if=/dev/zero of=/tmp/zeros bs=1M count=4 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
BEGIN {
	srand(seed)
	for (i = 0; i < 400; i++) {
		size = 1 + lognormal(102400, 1.2)
		if (size > 4194304)
			size = 4194304
		printf "dd if=/tmp/zeros bs=%d count=1 of=%s/%s/f%03d\n", size, dir, i % 2 ? "photos" : "mail", i
		total += size
	}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

# One copies straight from the files, the other through a pipe.
tar -C "$BENCH_DIR" -cf /dev/null photos &
tar -C "$BENCH_DIR" -cf - mail | dd of=/dev/null bs=64k 2>/dev/null
wait $!
