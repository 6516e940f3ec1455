# SPDX-License-Identifier: GPL-2.0-only
# about: a training job's loader: 23 shards in random order, 5 open at a time, 6 records of log-normal about 71 KiB from each by turns, a pause every 48 reads
# consumer: block
# split: test
# device: cloud hdd ssd
# memory: 288M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/shards"
dd if=/dev/zero of=/tmp/zeros bs=1M count=28 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/shards" "$(cat /usr/share/bench/lognormal.awk)"'
# The next shard takes the place of one that is through.
function refill(slot) {
	if (opened >= 23)
		return 0
	shard[slot] = order[opened++]
	at[slot] = 0
	print dir "/s" shard[slot], "open" >"/tmp/plan"
	return 1
}
BEGIN {
	srand(seed)
	print "fio version 2 iolog" >"/tmp/plan"
	for (i = 0; i < 23; i++) {
		# The last of a run of shards is often short.
		size[i] = i % 8 == 7 ? 1900000 + int(rand() * 3000000) : 5200000 + int(rand() * 1900000)
		printf "dd if=/tmp/zeros bs=%d count=1 of=%s/s%d\n", size[i], dir, i
		printf "%s/s%d add\n", dir, i >"/tmp/plan"
		order[i] = i
	}
	for (i = 22; i > 0; i--) {
		j = int(rand() * (i + 1))
		t = order[i]; order[i] = order[j]; order[j] = t
	}
	for (slot = 0; slot < 5; slot++)
		live += on[slot] = refill(slot)
	while (live > 0)
		for (slot = 0; slot < 5; slot++)
			for (n = 0; n < 6 && on[slot]; n++) {
				s = shard[slot]
				file = dir "/s" s
				record = lognormal(72704, 0.5)
				if (at[slot] + record + 16 > size[s]) {
					print file, "close" >"/tmp/plan"
					live -= 1
					live += on[slot] = refill(slot)
					continue
				}
				# Length and checksum, the record, its checksum
				print file, "read", at[slot], 12 >"/tmp/plan"
				print file, "read", at[slot] + 12, record >"/tmp/plan"
				print file, "read", at[slot] + 12 + record, 4 >"/tmp/plan"
				at[slot] += record + 16
				total += record + 16
			}
	printf "echo metric useful_read %d B\n", total
}' >/tmp/prepare
. /tmp/prepare 2>/dev/null
rm /tmp/zeros
bench-begin

fio --name=load --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 --thinktime=1100us --thinktime_blocks=48 >"$BENCH_OUT/fio.log"
