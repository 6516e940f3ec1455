# SPDX-License-Identifier: GPL-2.0-only
# about: mail folders in one file each, newest first: the header of each message, from the last one back, then some 27 of them whole, and a search through the latest third on from there
# consumer: block
# split: test
# device: cloud hdd
# memory: 160M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

for folder in inbox:143 lists:211 sent:67; do
	dd if=/dev/zero of="$BENCH_DIR/${folder%:*}" bs=1M count="${folder#*:}" 2>/dev/null
done
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
function take(at, n) {
	print file, "read", at, n >"/tmp/plan"
	total += n
}
# From at on through a buffer of 4 KiB, as the library reads it
function read_(at, n,  end) {
	end = at + n
	for (at -= at % 4096; at < end && at < mib[f] * 1048576; at += 4096)
		take(at, 4096)
}
BEGIN {
	srand(seed)
	split("inbox lists sent", name)
	split("143 211 67", mib)
	split("70000 9000 130000", median)
	split("190 330 95", shown)
	print "fio version 2 iolog" >"/tmp/plan"
	for (f = 1; f <= 3; f++)
		printf "%s/%s add\n", dir, name[f] >"/tmp/plan"
	turn = int(rand() * 3)
	for (i = 0; i < 3; i++) {
		f = 1 + (i + turn) % 3
		file = dir "/" name[f]
		print file, "open" >"/tmp/plan"
		# Most mail is small, some has pictures. A header is a few KiB.
		at = mib[f] * 1048576
		for (m = 0; m < shown[f]; m++) {
			n = 1500 + lognormal(median[f], 1.3)
			n = n > 6000000 ? 6000000 : n
			if (at - n < 0)
				break
			at = start[m] = at - n
			size[m] = n
			read_(at, 700 + int(rand() * 3500))
		}
		# Those that are opened are mostly new.
		for (n = 0; n < 9; n++) {
			k = int(m * rand() * rand())
			read_(start[k], size[k] > 1500000 ? 1500000 : size[k])
		}
		at = start[int(m / 3)]
		at -= at % 65536
		for (end = at + 7340032; at < end && at + 65536 <= mib[f] * 1048576; at += 65536)
			take(at, 65536)
		print file, "close" >"/tmp/plan"
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=folders --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
