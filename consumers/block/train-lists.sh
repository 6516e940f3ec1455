# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# The end of a drawn workload that reads what fio's options cannot say (see
# train-workloads): /tmp/job.fio has lines
#     # skips FILE BLOCK RUN SKIP BACK SAME
#     # heads FILES NUMBER SIZE BLOCK HEAD TAIL
# for a file that is skipped through: blocks of so many bytes, so many of them in
# a row on average, so many bytes between rows, the share of skips that go back,
# and after how many rows that changes; and for files of which the first bytes
# are read on average, and the last block with that chance. Makes a list for
# each, and runs the jobs.
sed '/^read_iolog=/d' /tmp/job.fio >/tmp/create.fio
fio --create_only=1 /tmp/create.fio >"$BENCH_OUT/prepare.log"

sed -n 's/^# skips //p' /tmp/job.fio | while read -r name block run skip back same; do
	awk -v seed="$BENCH_SEED" -v name="$name" -v block="$block" -v run="$run" \
		-v skip="$skip" -v back="$back" -v same="$same" \
		-v size="$(stat -c %s "$name")" '
	function draw() { seed = seed * 16807 % 2147483647; return seed / 2147483647 }
	# From an eighth of it to three times as much; busybox has no logarithm
	function some(mean) { return int(mean * share[1 + int(4 * draw())] * (0.5 + draw())) }
	BEGIN {
		split("0.25 0.5 1 2", share, " ")
		seed = seed * 7919 + block + run + skip
		print "fio version 2 iolog"
		print name " add"
		print name " open"
		for (n = at = 0; n < 6000;) {
			if (!rows--) {
				rows = some(same - 1)
				length_of_row = 1 + some(run - 1)
				gap = 4096 * int(some(skip) / 4096)
			}
			for (left = length_of_row; left && at + block <= size; left--) {
				print name " read " at " " block
				at += block
				n++
			}
			at += (draw() < back ? -3 : 1) * gap
			if (at < 0 || at + block > size)
				at = 0
		}
		print name " close"
	}' >"/tmp/$name"
done
sed -n 's/^# heads //p' /tmp/job.fio | while read -r name nr size block head tail; do
	awk -v seed="$BENCH_SEED" -v name="$name" -v nr="$nr" -v size="$size" \
		-v block="$block" -v head="$head" -v tail="$tail" '
	function draw() { seed = seed * 16807 % 2147483647; return seed / 2147483647 }
	BEGIN {
		seed = seed * 7919 + nr + size + head
		print "fio version 2 iolog"
		for (i = 0; i < nr; i++)
			print name "." i " add"
		for (i = 0; i < nr; i++) {
			print name "." i " open"
			end = head * 2 * draw()
			for (at = 0; (at == 0 || at < end) && at + block <= size; at += block)
				print name "." i " read " at " " block
			if (draw() < tail && at + block <= size)
				print name "." i " read " size - block " " block
			print name "." i " close"
		}
	}' >"/tmp/$name"
done
bench-begin

fio --randseed="$BENCH_SEED" --output-format=json --output=/tmp/fio.json \
	/tmp/job.fio >"$BENCH_OUT/fio.log"
awk '/"total_ios"/ { gsub(/[^0-9]/, "", $3); all += $3 }
END { print "metric requests " all + 0 " 1" }' /tmp/fio.json
