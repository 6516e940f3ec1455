# SPDX-License-Identifier: GPL-2.0-only
# about: a log-structured store compacts 8 tables of 3 to 29 MiB in blocks of about 4 KiB, beside lookups by filter, index and block in 12 other tables
# consumer: block
# split: test
# device: cloud ssd nvme
# memory: 320M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/lsm"
dd if=/dev/zero of=/tmp/zeros bs=1M count=30 2>/dev/null
: >"$BENCH_DIR/lsm/out"
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/lsm" "$(cat /usr/share/bench/lognormal.awk)"'
function add(file, size, plan) {
	printf "dd if=/tmp/zeros bs=%d count=1 of=%s\n", size, file
	printf "%s add\n%s open\n", file, file >plan
}
function take(file, at, n, plan) {
	print file, "read", int(at), int(n) >plan
	total += int(n)
}
BEGIN {
	srand(seed)
	compact = "/tmp/compact"
	gets = "/tmp/gets"
	print "fio version 2 iolog" >compact
	print "fio version 2 iolog" >gets
	printf "%s/out add\n%s/out open\n", dir, dir >compact
	# Four young tables of any size and four of the next level
	for (i = 0; i < 8; i++) {
		size[i] = i < 4 ? 3000000 + int(rand() * 13000000) : 17000000 + int(rand() * 12000000)
		name[i] = dir "/c" i
		add(name[i], size[i], compact)
	}
	for (i = 0; i < 12; i++) {
		old[i] = 9000000 + int(rand() * 21000000)
		add(dir "/g" i, old[i], gets)
	}
	# Footer, index of what follows, then the blocks in the order of keys
	for (i = 0; i < 8; i++) {
		take(name[i], size[i] - 53, 53, compact)
		take(name[i], size[i] * 0.985, size[i] * 0.012, compact)
		data[i] = left[i] = int(size[i] * 0.96)
		all += left[i]
		at[i] = 0
	}
	for (out = 0; all > 40000 && out < 82000000;) {
		pick = rand() * all
		for (i = 0; i < 7 && pick >= left[i]; i++)
			pick -= left[i]
		n = 1500 + lognormal(2400, 0.4)
		if (n > left[i])
			n = left[i]
		if (n <= 0)
			continue
		take(name[i], at[i], n, compact)
		at[i] += n
		left[i] -= n
		all -= n
		kept += n
		if (kept > 262144) {
			print dir "/out", "write", out, kept >compact
			out += kept
			kept = 0
		}
	}
	for (n = 0; n < 420; n++) {
		for (tries = 1 + int(rand() * 3); tries > 0; tries--) {
			i = int(rand() * 12)
			# A partition of the filter
			take(dir "/g" i, old[i] * (0.96 + 0.02 * rand()), 4069, gets)
		}
		take(dir "/g" i, old[i] * (0.985 + 0.01 * rand()), 4101, gets)
		take(dir "/g" i, rand() * old[i] * 0.95, 1500 + lognormal(2400, 0.4), gets)
	}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

fio --ioengine=psync --fadvise_hint=0 --invalidate=0 \
	--name=compact --read_iolog=/tmp/compact \
	--name=gets --read_iolog=/tmp/gets --thinktime=250us >"$BENCH_OUT/fio.log"
