# SPDX-License-Identifier: GPL-2.0-only
# about: grep -r goes through a cold source tree: 960 files, log-normal about 9 KiB, in 16 directories; fixed work
# consumer: block
# split: test
# device: cloud ssd hdd
# memory: 256M
# suite: full
# metric: elapsed lower
set -eu

mkdir "$BENCH_DIR/src"
for i in 00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15; do
	mkdir "$BENCH_DIR/src/d$i"
done
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR/src" "$(cat /usr/share/bench/lognormal.awk)"'
BEGIN {
	srand(seed)
	for (i = 0; i < 120; i++) {
		line = ""
		for (words = 4 + int(rand() * 6); words > 0; words--)
			line = line sprintf("%x ", rand() * 4294967295)
		text = text line "\n"
	}
	for (i = 0; i < 960; i++) {
		size = lognormal(9216, 1.1)
		if (size > 163840)
			size = 163840
		file = sprintf("%s/d%02d/f%03d.c", dir, i % 16, i)
		for (left = size; left > 0; left -= length(piece)) {
			piece = substr(text, 1, left)
			printf "%s", piece >file
		}
		print i % 40 ? "" : "the needle" >file
		close(file)
		total += size
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

found=$(grep -rF "the needle" "$BENCH_DIR/src" | wc -l)
[ "$found" -eq 24 ]
