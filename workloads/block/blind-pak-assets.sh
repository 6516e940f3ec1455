# SPDX-License-Identifier: GPL-2.0-only
# about: a game loads a level from 5 mapped paks, of 2.5 times the memory: two threads take meshes in the order of the build, some left out, two textures in pieces from the last one back, one shared assets anywhere
# consumer: block
# split: test
# device: nvme ssd
# memory: 256M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
# A thread on a pak of its own of that many MiB: what fio maps begins at 0
function thread(size, work, options) {
	printf "[pak%d]\nfilename=%s/pak%d\n%s\nio_size=%d\n", ++paks, dir, paks, options, work >"/tmp/load.fio"
	printf "dd if=/dev/zero of=%s/pak%d bs=1M count=%d\n", dir, paks, size
	total += work
}
# Eight sizes, each as often as the others
function sizes(median, sigma,  i, n, list) {
	for (i = 0; i < 8; i++) {
		n = 1 + int(lognormal(median, sigma) / 4096)
		list = list (i ? ":" : "") (n > 300 ? 300 : n) * 4096 "/"
	}
	return list
}
BEGIN {
	srand(seed)
	mib = 1048576
	printf "[global]\nioengine=mmap\nthread=1\nfadvise_hint=0\ninvalidate=0\nrandseed=%d\n", seed >"/tmp/load.fio"
	for (i = 0; i < 2; i++) {
		skip = 4096 * (5 + int(rand() * 60))
		thread(165, (60 - 14 * i) * mib, sprintf("rw=read:%d\nbssplit=%s\nblockalign=4k\nsize=160m", skip, sizes(190000, 1)))
	}
	# A texture is shown as soon as its small mipmaps are there, and these
	# stand behind the large ones. Backwards, size is the start.
	for (i = 0; i < 2; i++) {
		n = 65536 * (1 + int(rand() * 3))
		skip = n + 4096 * (20 + int(rand() * 60))
		thread(112, n * 90, sprintf("rw=read:-%d\nbs=%d\noffset=4k\nsize=%dm", n + skip, n, 70 + int(rand() * 40)))
	}
	thread(86, 5 * mib, sprintf("rw=randread\nnorandommap=1\nblockalign=4k\nbssplit=%s\nsize=86m", sizes(70000, 1.1)))
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
bench-begin

fio /tmp/load.fio >"$BENCH_OUT/fio.log"
