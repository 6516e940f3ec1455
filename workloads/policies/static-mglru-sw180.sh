# SPDX-License-Identifier: GPL-2.0-only
# about: MGLRU with swappiness 180 (stock: MGLRU, 60)
# consumer: mm
# suite: quick full
set -u

file=/proc/sys/vm/swappiness
want=180

if ! { echo "$want" >"$file" && [ "$(cat "$file")" = "$want" ]; } 2>/dev/null; then
	echo "$file did not take '$want'" >&2
	exit 1
fi
