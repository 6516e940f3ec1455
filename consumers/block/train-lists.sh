# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# The end of a drawn workload that reads what fio's options cannot say (see
# train-workloads): /tmp/job.fio has lines
#     # FILE BLOCK RUN SKIP BACK
# for the files that are skipped through: blocks of so many bytes, so many of
# them in a row on average, so many bytes between rows, and the share of skips
# that go back. Makes a list for each, and runs the jobs.
sed '/^read_iolog=/d' /tmp/job.fio >/tmp/create.fio
fio --create_only=1 /tmp/create.fio >"$BENCH_OUT/prepare.log"

sed -n 's/^# //p' /tmp/job.fio | while read -r name block run skip back; do
	awk -v seed="$BENCH_SEED" -v name="$name" -v block="$block" -v run="$run" \
		-v skip="$skip" -v back="$back" -v size="$(stat -c %s "$name")" '
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
			left = 1 + some(run - 1)
			for (; left && at + block <= size; left--) {
				print name " read " at " " block
				at += block
				n++
			}
			at += 4096 * int((draw() < back ? -3 : 1) * some(skip) / 4096)
			if (at < 0 || at + block > size)
				at = 0
		}
		print name " close"
	}' >"/tmp/$name"
done
bench-begin

fio --randseed="$BENCH_SEED" --output-format=json --output=/tmp/fio.json \
	/tmp/job.fio >"$BENCH_OUT/fio.log"
awk '/"total_ios"/ { gsub(/[^0-9]/, "", $3); all += $3 }
END { print "metric requests " all + 0 " 1" }' /tmp/fio.json
