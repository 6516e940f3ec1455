# SPDX-License-Identifier: GPL-2.0-only
# about: rsync on one disk: the generator sums the old copies of 190 files block by block while the sender goes through the new ones, both in windows of 256 KiB, and a third of the files is left out
# consumer: block
# split: test
# device: ssd hdd nvme
# memory: 320M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/old" "$BENCH_DIR/new"
dd if=/dev/zero of=/tmp/zeros bs=1M count=25 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
# A file from start to end through a window that keeps the last bytes
function window(file, size, keep, plan,  at, n) {
	printf "%s add\n%s open\n", file, file >plan
	for (at = 0; at < size; at += n) {
		n = at ? 262144 - keep : 262144
		n = at + n > size ? size - at : n
		print file, "read", at, n >plan
		total += n
	}
	print file, "close" >plan
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/generator"
	print "fio version 2 iolog" >"/tmp/sender"
	for (i = 0; i < 190; i++) {
		size[i] = 1 + lognormal(290000, 1.4)
		if (size[i] > 25000000)
			size[i] = 25000000
		# The last rsync wrote the old copies in the order of names.
		printf "dd if=/tmp/zeros bs=%d count=1 of=%s/old/f%03d\n", size[i], dir, i
		order[i] = i
	}
	# The new ones came as the work did.
	for (i = 189; i >= 0; i--) {
		j = int(rand() * (i + 1))
		t = order[i]; order[i] = order[j]; order[j] = t
		now[order[i]] = int(size[order[i]] * (0.97 + 0.05 * rand()))
		printf "dd if=/tmp/zeros bs=%d count=1 of=%s/new/f%03d\n", now[order[i]], dir, order[i]
	}
	for (i = 0; i < 190; i++) {
		if (rand() < 0.33)
			continue
		# Blocks are about as long as the root of the file is, 700 at least.
		for (block = 700; block * block < size[i]; block += 8)
			;
		window(sprintf("%s/old/f%03d", dir, i), size[i], 0, "/tmp/generator")
		window(sprintf("%s/new/f%03d", dir, i), now[i], block, "/tmp/sender")
	}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

# The sender waits for the sums of the first files, and each sums what it read.
fio --ioengine=psync --fadvise_hint=0 --invalidate=0 \
	--thinktime=400us --thinktime_blocks=1 \
	--name=generator --read_iolog=/tmp/generator \
	--name=sender --startdelay=20ms --read_iolog=/tmp/sender >"$BENCH_OUT/fio.log"
