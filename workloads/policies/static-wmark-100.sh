# SPDX-License-Identifier: GPL-2.0-only
# about: kswapd works to 1 % of memory above the low watermark (stock: 0.1 %)
# consumer: mm
# suite: full
set -u

file=/proc/sys/vm/watermark_scale_factor
want=100

if ! { echo "$want" >"$file" && [ "$(cat "$file")" = "$want" ]; } 2>/dev/null; then
	echo "$file did not take '$want'" >&2
	exit 1
fi
