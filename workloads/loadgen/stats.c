// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency metrics
 *
 * A quantile is the nearest rank: the smallest latency that at least that
 * share of all jobs does not exceed. It is always a latency that occurred.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "stats.h"

/* Names as fio's JSON has them, and the share in 1/10000. */
static const struct {
	const char *name;
	unsigned int share;
} quantiles[] = {
	{ "p1", 100 },	    { "p5", 500 },	{ "p10", 1000 },
	{ "p20", 2000 },    { "p30", 3000 },	{ "p40", 4000 },
	{ "p50", 5000 },    { "p60", 6000 },	{ "p70", 7000 },
	{ "p80", 8000 },    { "p90", 9000 },	{ "p95", 9500 },
	{ "p99", 9900 },    { "p99.5", 9950 },	{ "p99.9", 9990 },
	{ "p99.95", 9995 }, { "p99.99", 9999 },
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t quantile(const uint64_t *sorted, size_t count,
			 unsigned int share)
{
	return sorted[((uint64_t)count * share + 9999) / 10000 - 1];
}

static void print_us(FILE *out, const char *name, uint64_t ns)
{
	fprintf(out, "metric lat_%s %" PRIu64 ".%03" PRIu64 " us\n", name,
		ns / 1000, ns % 1000);
}

void stats_print(FILE *out, uint64_t *lat_ns, size_t count,
		 uint64_t deadline_ns)
{
	uint64_t sum = 0, delay_ns;
	size_t missed = 0;

	qsort(lat_ns, count, sizeof(*lat_ns), compare);
	for (size_t i = 0; i < count; i++) {
		sum += lat_ns[i];
		missed += deadline_ns && lat_ns[i] > deadline_ns;
	}

	fprintf(out, "metric completed %zu jobs\n", count);
	if (deadline_ns)
		fprintf(out, "metric missed %zu jobs\n", missed);
	print_us(out, "mean", sum / count);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		print_us(out, quantiles[i].name,
			 quantile(lat_ns, count, quantiles[i].share));
	delay_ns = quantile(lat_ns, count, 9900);
	if (delay_ns < deadline_ns)
		delay_ns = deadline_ns;
	fprintf(out, "metric delay %" PRIu64 ".%06" PRIu64 " ms\n",
		delay_ns / 1000000, delay_ns % 1000000);
}
