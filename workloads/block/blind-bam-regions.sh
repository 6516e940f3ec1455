# SPDX-License-Identifier: GPL-2.0-only
# about: a variant caller takes 76 regions from the sorted reads of two samples: compressed blocks of about 17 KiB as a library with a buffer of 4 KiB reads them, and some mates far away
# consumer: block
# split: test
# device: hdd cloud ssd
# memory: 224M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

for sample in tumour:271 normal:203; do
	dd if=/dev/zero of="$BENCH_DIR/${sample%:*}.bam" bs=1M count="${sample#*:}" 2>/dev/null
	dd if=/dev/zero of="$BENCH_DIR/${sample%:*}.bai" bs=5500 count="${sample#*:}" 2>/dev/null
done
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
function take(file, at, n) {
	print file, "read", int(at), int(n) >"/tmp/plan"
	total += int(n)
}
# Header and start of a block fill the buffer, its rest is read past that.
function blocks(s, at, n,  size) {
	for (at = int(at); n > 0; n--) {
		size = lognormal(17000, 0.25)
		size = size > 65000 ? 65000 : size < 4200 ? 4200 : size
		if (at + size > mib[s] * 1048576)
			return
		take(dir "/" name[s] ".bam", at, 4096)
		take(dir "/" name[s] ".bam", at + 4096, size - 4096)
		at += size
	}
}
BEGIN {
	srand(seed)
	split("tumour normal", name)
	split("271 203", mib)
	print "fio version 2 iolog" >"/tmp/plan"
	for (s = 1; s <= 2; s++) {
		bam = dir "/" name[s] ".bam"
		bai = dir "/" name[s] ".bai"
		printf "%s add\n%s add\n%s open\n%s open\n", bam, bai, bam, bai >"/tmp/plan"
		blocks(s, 0, 3)
		for (at = 0; at < mib[s] * 5500; at += n) {
			n = mib[s] * 5500 - at
			n = n > 32768 ? 32768 : n
			take(bai, at, n)
		}
	}
	# Genes stand in clusters; the list of regions is sorted.
	place = 0
	for (region = 0; region < 76; region++) {
		place += rand() < 0.5 ? rand() * 0.002 : rand() * 0.028
		if (place > 0.98)
			place = rand() * 0.2
		length_ = 1 + lognormal(26, 1.1)
		for (s = 1; s <= 2; s++) {
			blocks(s, place * mib[s] * 1048576, length_ > 300 ? 300 : length_)
			if (rand() < 0.18)
				for (i = 1 + int(rand() * 5); i > 0; i--)
					blocks(s, rand() * mib[s] * 1048576, 1 + int(rand() * 2))
		}
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=call --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
