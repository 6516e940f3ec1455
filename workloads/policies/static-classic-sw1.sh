# SPDX-License-Identifier: GPL-2.0-only
# about: the classic LRU lists with swappiness 1 (stock: MGLRU, 60)
# consumer: mm
# suite: full
set -u

lru_gen=/sys/kernel/mm/lru_gen/enabled
swappiness=/proc/sys/vm/swappiness

if ! { echo n >"$lru_gen" && [ "$(cat "$lru_gen")" = 0x0000 ]; } 2>/dev/null; then
	echo "$lru_gen did not take 'n'" >&2
	exit 1
fi
if ! { echo 1 >"$swappiness" && [ "$(cat "$swappiness")" = 1 ]; } 2>/dev/null; then
	echo "$swappiness did not take '1'" >&2
	exit 1
fi
