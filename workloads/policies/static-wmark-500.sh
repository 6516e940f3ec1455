# SPDX-License-Identifier: GPL-2.0-only
# about: kswapd works to 5 % of memory above the low watermark (stock: 0.1 %)
# consumer: mm
# suite: quick full
set -u

file=/proc/sys/vm/watermark_scale_factor
want=500

if ! { echo "$want" >"$file" && [ "$(cat "$file")" = "$want" ]; } 2>/dev/null; then
	echo "$file did not take '$want'" >&2
	exit 1
fi
