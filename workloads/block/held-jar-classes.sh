# SPDX-License-Identifier: GPL-2.0-only
# about: a program in 31 zip archives starts: of each the end and the central directory, then 1300 members, header and data, near one another by spells
# consumer: block
# split: test
# device: ssd hdd cloud
# memory: 192M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/jars"
dd if=/dev/zero of=/tmp/zeros bs=1M count=17 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/jars" "$(cat /usr/share/bench/lognormal.awk)"'
function take(at, n) {
	print file, "read", int(at), int(n) >"/tmp/plan"
	total += int(n)
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
	for (i = 0; i < 31; i++) {
		n = lognormal(2300000, 1.1)
		size[i] = n < 190000 ? 190000 : n > 17000000 ? 17000000 : n
		printf "dd if=/tmp/zeros bs=%d count=1 of=%s/j%d.jar\n", size[i], dir, i
		printf "%s/j%d.jar add\n", dir, i >"/tmp/plan"
		weight += size[i]
	}
	for (i = 0; i < 31; i++) {
		file = dir "/j" i ".jar"
		print file, "open" >"/tmp/plan"
		take(0, 4)
		take(size[i] - 22, 22)
		# About 78 bytes for each member of 5 KiB
		data[i] = size[i] - 22 - int(size[i] / 5120) * 78
		take(data[i], size[i] - 22 - data[i])
	}
	for (n = 0; n < 1300; n++) {
		# A spell of classes of one package
		if (spell-- <= 0) {
			spell = int(rand() * rand() * 40)
			pick = rand() * weight
			for (i = 0; i < 30 && pick >= size[i]; i++)
				pick -= size[i]
			file = dir "/j" i ".jar"
			home = rand() * data[i]
		}
		at = home + (rand() - 0.4) * 190000
		length_ = 90 + lognormal(2100, 1)
		if (at < 0)
			at = 0
		if (at + 82 + length_ > data[i])
			at = data[i] - 82 - length_
		if (at < 0)
			continue
		take(at, 30)
		# Inflated by and by, a buffer at a time
		for (at = int(at) + 30 + 52; length_ > 0; length_ -= 8192) {
			take(at, length_ > 8192 ? 8192 : length_)
			at += 8192
		}
	}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

fio --name=classes --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
