# SPDX-License-Identifier: GPL-2.0-only
# about: two users move about a map whose tiles, log-normal about 10 KiB, lie in one archive along a Hilbert curve: views of 6 x 4 tiles, then what comes into view, closer or farther
# consumer: block
# split: test
# device: cloud hdd
# memory: 224M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/planet.pmtiles" bs=1M count=300 2>/dev/null
awk -v seed="$BENCH_SEED" -v file="$BENCH_DIR/planet.pmtiles" "$(cat /usr/share/bench/lognormal.awk)"'
# Place of a tile along the curve that fills a square of side n
function hilbert(n, x, y,  d, s, rx, ry, t) {
	for (s = n / 2; s >= 1; s /= 2) {
		rx = x % (2 * s) >= s
		ry = y % (2 * s) >= s
		d += s * s * (rx ? (ry ? 2 : 3) : ry)
		x %= s
		y %= s
		if (!ry) {
			if (rx) {
				x = s - 1 - x
				y = s - 1 - y
			}
			t = x; x = y; y = t
		}
	}
	return d
}
function take(at, n) {
	print file, "read", at, n >plan
	total += n
}
function tile(x, y,  id) {
	if (x < 0 || y < 0 || x >= side || y >= side)
		return
	id = (side * side - 1) / 3 + hilbert(side, x, y)
	if ((plan, id) in have)
		return
	have[plan, id] = 1
	# One of the directories in the leaves tells where it is.
	if (!((plan, "leaf", int(id / 4096)) in have)) {
		have[plan, "leaf", int(id / 4096)] = 1
		take(16384 + int(id / 4096) * 19000, 19000)
	}
	take(start[id], start[id + 1] - start[id])
	fetched++
}
BEGIN {
	srand(seed)
	# Seven levels, in this archive 1 to 128 tiles wide, 21845 in all
	end = 16384 + 6 * 19000
	for (id = 0; id <= 21845; id++) {
		start[id] = end
		n = 60 + lognormal(10000, 0.7)
		end += n > 200000 ? 200000 : n
	}
	for (user = 0; user < 2; user++) {
		plan = "/tmp/user" user
		printf "fio version 2 iolog\n%s add\n%s open\n", file, file >plan
		take(0, 16384)
		side = 32
		x = int(rand() * 26)
		y = int(rand() * 28)
		for (fetched = 0; fetched < 620;) {
			for (j = 0; j < 4; j++)
				for (i = 0; i < 6; i++)
					tile(x + i, y + j)
			way = rand()
			if (way < 0.6) {
				x += int(rand() * 5) - 2
				y += int(rand() * 3) - 1
			} else if (way < 0.78 && side < 128) {
				side *= 2
				x = 2 * x + 3
				y = 2 * y + 2
			} else if (way < 0.92 && side > 16) {
				side /= 2
				x = int(x / 2) - 1
				y = int(y / 2) - 1
			} else {
				x = int(rand() * (side - 6))
				y = int(rand() * (side - 4))
			}
		}
	}
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --ioengine=psync --fadvise_hint=0 --invalidate=0 \
	--name=one --read_iolog=/tmp/user0 --thinktime=2ms --thinktime_blocks=24 \
	--name=two --read_iolog=/tmp/user1 --thinktime=2ms --thinktime_blocks=24 \
	>"$BENCH_OUT/fio.log"
