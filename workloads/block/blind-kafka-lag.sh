# SPDX-License-Identifier: GPL-2.0-only
# about: a broker sends 7 consumers, each somewhere else in the two partitions of a log larger than memory, up to 1 MiB by turns in pieces of 64 KiB, spliced, while batches are appended
# consumer: block
# split: test
# device: cloud hdd nvme
# memory: 256M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

for partition in 0 1; do
	for segment in 0 1 2 3 4; do
		dd if=/dev/zero of="$BENCH_DIR/p$partition-$segment.log" bs=1M count=59 2>/dev/null
		dd if=/dev/zero of="$BENCH_DIR/p$partition-$segment.index" bs=8 count=15000 2>/dev/null
	done
done
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
function take(file, at, n) {
	print file, "read", at, n >"/tmp/plan"
	total += n
}
# The entry for a place is looked for by halves.
function lookup(name, goal,  low, high, mid) {
	for (high = 15000; high - low > 1; ) {
		mid = int((low + high) / 2)
		take(name ".index", mid * 8, 8)
		if (mid / 15000 < goal)
			low = mid
		else
			high = mid
	}
}
BEGIN {
	srand(seed)
	segment = 59 * 1048576
	print "fio version 2 iolog" >"/tmp/plan"
	for (p = 0; p < 2; p++)
		for (s = 0; s < 5; s++) {
			name = dir "/p" p "-" s
			printf "%s.log add\n%s.index add\n%s.log open\n%s.index open\n", name, name, name, name >"/tmp/plan"
		}
	for (c = 0; c < 7; c++) {
		log_[c] = int(rand() * 2)
		at[c] = int(rand() * 4 * segment)
		# Some are fast and take all they get, some take a little and often.
		share[c] = 1 + int(rand() * 3)
		most[c] = rand() < 0.6 ? 1048576 : 90000 + int(rand() * 200000)
		all += share[c]
	}
	while (sent < 230 * 1048576) {
		pick = rand() * all
		for (c = 0; c < 6 && pick >= share[c]; c++)
			pick -= share[c]
		s = int(at[c] / segment)
		name = dir "/p" log_[c] "-" s
		place = at[c] - s * segment
		lookup(name, place / segment)
		n = segment - place > most[c] ? most[c] : segment - place
		for (; n > 0; n -= 65536) {
			take(name ".log", place, n > 65536 ? 65536 : n)
			place += n > 65536 ? 65536 : n
		}
		sent += s * segment + place - at[c]
		at[c] = s * segment + place
		# At the end it is told to begin anew.
		if (at[c] >= 4 * segment)
			at[c] = int(rand() * segment)
		if (rand() < 0.3) {
			p = int(rand() * 2)
			n = 2000 + lognormal(30000, 0.8)
			n = n > 200000 ? 200000 : n
			if (tail[p] + n < segment)
				print dir "/p" p "-4.log", "write", tail[p] + 0, n >"/tmp/plan"
			tail[p] += n
		}
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=broker --read_iolog=/tmp/plan --ioengine=splice --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
