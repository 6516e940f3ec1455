// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency.c - quantiles of latencies in a few kilobytes
 *
 * A class is the highest bit of the value and the four below it, so that it is
 * at most 1/16 wide; values below 16 have a class each.
 */
#include "latency.h"

static unsigned int class_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < 16)
		return ns;
	shift = 59 - __builtin_clzll(ns);
	return shift * 16 + (ns >> shift);
}

/* The largest value of a class */
static uint64_t class_end(unsigned int class)
{
	unsigned int shift = class / 16 - 1;

	if (class < 16)
		return class;
	return ((uint64_t)(class % 16 + 17) << shift) - 1;
}

void latency_add(struct latency *l, uint64_t ns, uint64_t n)
{
	l->nr += n;
	l->count[class_of(ns)] += n;
}

uint64_t latency_quantile(const struct latency *l, double share)
{
	uint64_t seen = 0;
	unsigned int class;

	for (class = 0; l->nr && class < LATENCY_CLASSES; class ++) {
		seen += l->count[class];
		if (seen >= share * l->nr && seen)
			return class_end(class);
	}
	return 0;
}
