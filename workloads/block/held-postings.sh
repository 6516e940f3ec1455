# SPDX-License-Identifier: GPL-2.0-only
# about: a search engine intersects 2 to 4 postings lists: the shortest is read through, the others are skipped through, then 10 stored documents are fetched; 175 queries
# consumer: block
# split: test
# device: nvme cloud ssd
# memory: 448M
# needs: fio
# suite: full
# metric: elapsed lower
set -eu

dd if=/dev/zero of="$BENCH_DIR/terms" bs=1M count=13 2>/dev/null
dd if=/dev/zero of="$BENCH_DIR/postings" bs=1M count=305 2>/dev/null
dd if=/dev/zero of="$BENCH_DIR/documents" bs=1M count=241 2>/dev/null
awk -v seed="$BENCH_SEED" -v dir="$BENCH_DIR" "$(cat /usr/share/bench/lognormal.awk)"'
function take(file, at, n) {
	print file, "read", int(at), int(n) >"/tmp/plan"
	total += int(n)
}
BEGIN {
	srand(seed)
	terms = dir "/terms"
	postings = dir "/postings"
	documents = dir "/documents"
	print "fio version 2 iolog" >"/tmp/plan"
	printf "%s add\n%s add\n%s add\n", terms, postings, documents >"/tmp/plan"
	printf "%s open\n%s open\n%s open\n", terms, postings, documents >"/tmp/plan"
	for (words = 0; words < 900; words++) {
		n = lognormal(120000, 1.3)
		n = n < 700 ? 700 : n > 5000000 ? 5000000 : n
		if (end + n > 305 * 1048576)
			break
		start[words] = end
		size[words] = n
		end += n
	}
	for (query = 0; query < 175; query++) {
		n = 2 + int(rand() * 3)
		short = -1
		for (i = 0; i < n; i++) {
			# Some words are asked for far more often than others.
			w[i] = int(words * rand() * rand())
			take(terms, w[i] * 13 * 1048576 / words + rand() * 4000, 1024)
			if (short < 0 || size[w[i]] < size[w[short]])
				short = i
		}
		# The data for skipping stand behind the list.
		for (i = 0; i < n; i++) {
			at[i] = 0
			if (i != short && size[w[i]] > 9000)
				take(postings, start[w[i]] + size[w[i]] * 0.97, 1024)
		}
		most = size[w[short]]
		most = most > 200000 ? 200000 : most
		for (done = 0; done < most; done += 2048) {
			take(postings, start[w[short]] + done, most - done > 2048 ? 2048 : most - done)
			for (i = 0; i < n; i++) {
				if (i == short || rand() < 0.4)
					continue
				next_ = size[w[i]] * 0.95 * done / size[w[short]]
				if (next_ < at[i])
					continue
				take(postings, start[w[i]] + next_, 1024)
				at[i] = next_ + 1024
			}
		}
		for (i = 0; i < 10; i++)
			take(documents, rand() * (240 * 1048576), lognormal(11000, 0.5))
	}
	printf "%s close\n%s close\n%s close\n", terms, postings, documents >"/tmp/plan"
	printf "metric useful_read %d B\n", total
}'
bench-begin

fio --name=queries --read_iolog=/tmp/plan --ioengine=psync --fadvise_hint=0 \
	--invalidate=0 >"$BENCH_OUT/fio.log"
