# SPDX-License-Identifier: GPL-2.0-only
# about: MGLRU keeps the working set of the last 1000 ms
# consumer: mm
# suite: full
set -u

file=/sys/kernel/mm/lru_gen/min_ttl_ms
want=1000

if ! { echo "$want" >"$file" && [ "$(cat "$file")" = "$want" ]; } 2>/dev/null; then
	echo "$file did not take '$want'" >&2
	exit 1
fi
