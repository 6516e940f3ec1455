# SPDX-License-Identifier: GPL-2.0-only
# about: readahead of 4 KiB on the disk (stock: 128 KiB)
# consumer: block
# suite: full
set -u

file=/sys/block/$BENCH_DISK/queue/read_ahead_kb
want=4

if ! { echo "$want" >"$file" && [ "$(cat "$file")" = "$want" ]; } 2>/dev/null; then
	echo "$file did not take '$want'" >&2
	exit 1
fi
