# SPDX-License-Identifier: GPL-2.0-only
# For workloads that draw sizes. busybox awk has no log(): twelve even draws are
# about normal, and (1 + x/256)^256 is about e^x.
function lognormal(median, sigma,  i, x) {
	for (i = 0; i < 12; i++)
		x += rand()
	x = 1 + sigma * (x - 6) / 256
	for (i = 0; i < 8; i++)
		x *= x
	return int(median * x)
}
