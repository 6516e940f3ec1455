# SPDX-License-Identifier: GPL-2.0-only
# about: an interpreter imports 880 modules of 47 packages, each read whole into a buffer of its size, log-normal about 6 KiB, while pages of 9 mapped extensions fault in by clusters
# consumer: block
# split: test
# device: hdd cloud
# memory: 192M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of=/tmp/zeros bs=1M count=20 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
function module(p, m,  file) {
	if ((p, m) in loaded || m >= modules[p])
		return
	loaded[p, m] = 1
	file = sprintf("%s/site%d/p%02d/m%03d.pyc", dir, p % 3, p, m)
	# One more than its size is asked for: the end shows that it is all.
	printf "%s add\n%s open\n%s read 0 %d\n%s close\n", file, file, file, size[p, m], file >"/tmp/plan"
	total += size[p, m]
	count++
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
	# Extensions lie among the modules of the package that they belong to.
	for (e = 0; e < 9; e++)
		home[int(rand() * 47)] = 1
	for (p = 0; p < 47; p++) {
		printf "mkdir -p %s/site%d/p%02d\n", dir, p % 3, p
		modules[p] = 3 + lognormal(17, 0.9)
		if (modules[p] > 130)
			modules[p] = 130
		for (m = 0; m < modules[p]; m++) {
			n = 110 + lognormal(6000, 1.1)
			size[p, m] = n > 400000 ? 400000 : n
			printf "dd if=/tmp/zeros bs=%d count=1 of=%s/site%d/p%02d/m%03d.pyc\n", size[p, m], dir, p % 3, p, m
		}
		if (p in home) {
			n = 300000 + lognormal(1500000, 0.9)
			n = int((n > 20000000 ? 20000000 : n) / 4096) * 4096
			printf "dd if=/tmp/zeros bs=%d count=1 of=%s/site%d/p%02d/native.so\n", n, dir, p % 3, p
			file = sprintf("%s/site%d/p%02d/native.so", dir, p % 3, p)
			natives = natives (natives ? ":" : "") file
		}
	}
	print "natives=" natives
	# A package begins with its first module, and others are needed before
	# it is through.
	for (tries = 0; count < 880 && tries < 9000; tries++) {
		if (left-- <= 0) {
			p = int(rand() * 47)
			at = 0
			left = 2 + int(rand() * 14)
		}
		module(p, at)
		at = rand() < 0.6 ? at + 1 : int(rand() * modules[p])
		if (rand() < 0.08)
			module(int(rand() * 47), 0)
	}
	printf "useful=%d\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

# shellcheck disable=SC2154 # natives and useful are set by /tmp/prepare
fio --fadvise_hint=0 --invalidate=0 --randseed="$BENCH_SEED" \
	--name=modules --read_iolog=/tmp/plan --ioengine=psync \
	--name=natives --filename="$natives" --file_service_type=roundrobin:40 \
	--ioengine=mmap --rw=randread:5 --norandommap --bs=4k --io_size=3m \
	>"$BENCH_OUT/fio.log"
# shellcheck disable=SC2154
echo "metric useful_read $((useful + 3145728)) B"
