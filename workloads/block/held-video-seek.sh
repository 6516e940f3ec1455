# SPDX-License-Identifier: GPL-2.0-only
# about: a video is played, 56 KiB and a pause at a time; every few dozen reads the viewer skips on or back; fixed work
# consumer: block
# split: test
# device: ssd hdd cloud
# memory: 192M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/film" bs=1M count=320 2>/dev/null
awk -v seed="$BENCH_SEED" -v film="$BENCH_DIR/film" '
BEGIN {
	srand(seed)
	print "fio version 2 iolog"
	print film, "add"
	print film, "open"
	size = 320 * 1048576
	at = 0
	reads = 2400
	while (reads > 0) {
		for (scene = 20 + int(rand() * 60); scene > 0 && reads > 0; scene--) {
			if (at < 0 || at + 57344 > size)
				at = int(rand() * 1024) * 4096
			print film, "read", at, 57344
			at += 57344
			reads--
		}
		way = rand()
		if (way < 0.7)
			at += (256 + int(rand() * 2816)) * 4096
		else if (way < 0.9)
			at -= (512 + int(rand() * 1536)) * 4096
		else
			at = int(rand() * 70000) * 4096
	}
	print film, "close"
}' >/tmp/plan
bench-begin

fio --name=play --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 --thinktime=300us --thinktime_blocks=1 >"$BENCH_OUT/fio.log"
echo "metric useful_read $((2400 * 57344)) B"
