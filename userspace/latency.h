/* SPDX-License-Identifier: GPL-2.0-only */
/* Latencies, counted in classes that are at most 1/16 wide */
#ifndef _LATENCY_H
#define _LATENCY_H

#include <stdint.h>

#define LATENCY_CLASSES (61 * 16)

/* Begin with zeroes */
struct latency {
	uint64_t nr;
	uint64_t count[LATENCY_CLASSES];
};

/* Count @n latencies of @ns nanoseconds. */
void latency_add(struct latency *l, uint64_t ns, uint64_t n);

/* The value in ns that a @share (0 .. 1) does not exceed, 6 % too high at most;
 * 0 if nothing was counted
 */
uint64_t latency_quantile(const struct latency *l, double share);

#endif /* _LATENCY_H */
