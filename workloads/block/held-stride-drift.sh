# SPDX-License-Identifier: GPL-2.0-only
# about: two cursors of one process stride through one file by turns; their strides change every 360 reads; fixed work
# consumer: block
# split: test
# device: cloud ssd nvme
# memory: 256M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/raster" bs=1M count=336 2>/dev/null
# Another name, so that fio opens the file once more
ln -s raster "$BENCH_DIR/again"
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" '
function shuffle(a, n,  i, j, t) {
	for (i = n; i > 1; i--) {
		j = 1 + int(rand() * i)
		t = a[i]; a[i] = a[j]; a[j] = t
	}
}
BEGIN {
	srand(seed)
	a = dir "/raster"
	b = dir "/again"
	split("20 36 100 212", far)
	split("8 24 60 148", near)
	shuffle(far, 4)
	shuffle(near, 4)
	print "fio version 2 iolog"
	printf "%s add\n%s add\n%s open\n%s open\n", a, b, a, b
	at = int(rand() * 4096) * 4
	bt = 196608 + int(rand() * 4096) * 4
	for (phase = 1; phase <= 4; phase++)
		for (i = 0; i < 360; i++) {
			print a, "read", at * 1024, 12288
			print b, "read", bt * 1024, 4096
			at += far[phase]
			bt += near[phase]
		}
	printf "%s close\n%s close\n", a, b
}' >/tmp/plan
bench-begin

fio --name=cursors --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
echo "metric useful_read $((1440 * 16384)) B"
