# SPDX-License-Identifier: GPL-2.0-only
# about: a virtual machine boots from an image in clusters of 64 KiB that are only partly in order: sectors, a kernel, then 330 files with their inodes
# consumer: block
# split: test
# device: cloud nvme
# memory: 512M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/image" bs=1M count=570 2>/dev/null
awk -v seed="$BENCH_SEED" -v image="$BENCH_DIR/image" "$(cat /usr/share/bench/lognormal.awk)"'
# A request of the machine, in pieces where its clusters are not neighbours
function request(at, n,  c, part) {
	while (n > 0) {
		c = int(at / 65536)
		part = 65536 - at % 65536
		while (part < n && place[c + 1] == place[c] + 1) {
			part += 65536
			c++
		}
		part = part > n ? n : part
		c = int(at / 65536)
		print image, "read", place[c] * 65536 + at % 65536, part >"/tmp/plan"
		total += part
		at += part
		n -= part
	}
}
# A file as the readahead of the machine itself fetches it
function file(at, size,  window, n) {
	window = size > 65536 ? 65536 : 16384
	while (size > 0) {
		n = window > size ? size : window
		request(at, n)
		at += n
		size -= n
		window = window > 65536 ? 131072 : window * 2
	}
}
BEGIN {
	srand(seed)
	clusters = 570 * 16 - 40
	# Runs of clusters were written in the order of the installation.
	for (c = 0; c < clusters; c += n) {
		n = 1 + lognormal(44, 1.2)
		first[runs] = c
		length_[runs++] = n
	}
	for (i = runs - 1; i > 0; i--) {
		j = rand() < 0.5 ? i : int(rand() * (i + 1))
		t = first[i]; first[i] = first[j]; first[j] = t
		t = length_[i]; length_[i] = length_[j]; length_[j] = t
	}
	# The header, the first table and reference counts come first.
	at = 5
	for (i = 0; i < runs; i++)
		for (c = 0; c < length_[i]; c++)
			if (first[i] + c < clusters)
				place[first[i] + c] = at++
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s open\n", image, image >"/tmp/plan"
	print image, "read", 0, 104 >"/tmp/plan"
	print image, "read", 196608, 4560 >"/tmp/plan"
	print image, "read", 262144, 65536 >"/tmp/plan"
	for (i = 0; i < 60; i++)
		request(512 * i, 512)
	at = (900 + int(rand() * 300)) * 4096
	for (i = 0; i < 230; i++)
		request(at + i * 61440, 61440)
	# Superblock and group descriptors
	request(1024 * 1024 + 1024, 1024)
	for (i = 0; i < 9; i++)
		request((1 + i * 61) * 1048576, 12288)
	for (i = 0; i < 330; i++) {
		# Services that start one after the other share directories.
		if (i % 12 == 0)
			group = rand() * 500 * 1048576
		request((1 + int(rand() * 8) * 61) * 1048576 + 65536 + int(rand() * 900) * 4096, 4096)
		at = group + rand() * 30 * 1048576
		if (rand() < 0.4)
			request(int(at / 4096) * 4096 - 4096 * int(rand() * 30), 4096)
		size = lognormal(38000, 1.5)
		size = size > 4500000 ? 4500000 : size
		file(int(at / 4096) * 4096, (1 + int(size / 4096)) * 4096)
	}
	printf "%s close\n", image >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=boot --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
