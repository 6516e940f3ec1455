# SPDX-License-Identifier: GPL-2.0-only
# about: 18 cold copies of a real program with all its shared libraries are started one after the other: the dynamic loader and page faults in mapped sections
# consumer: block
# split: test
# device: ssd cloud hdd
# memory: 256M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

for i in $(seq 1 18); do
	mkdir "$BENCH_DIR/app$i"
	cp /usr/bin/fio "$BENCH_DIR/app$i/program"
	# In an order that follows the seed
	find /lib /lib64 /usr/lib -name '*.so*' -type f | sort |
		awk -v seed="$((BENCH_SEED * 100 + i))" 'BEGIN { srand(seed) } { print rand(), $0 }' |
		sort -n | cut -d ' ' -f 2 | xargs -I '{}' cp '{}' "$BENCH_DIR/app$i/"
done
bench-begin

for i in $(seq 1 18); do
	app=$BENCH_DIR/app$i
	"$app"/ld-linux-x86-64.so.2 --library-path "$app" "$app/program" --version
done >"$BENCH_OUT/app.log"
