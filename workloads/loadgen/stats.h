/* SPDX-License-Identifier: GPL-2.0-only */
/* Latency metrics of a finished run. */
#ifndef LOADGEN_STATS_H
#define LOADGEN_STATS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Print the metric lines for COUNT > 0 latencies, which it sorts.
 * DEADLINE_NS 0: none.
 */
void stats_print(FILE *out, uint64_t *lat_ns, size_t count,
		 uint64_t deadline_ns);

#endif
