// SPDX-License-Identifier: GPL-2.0-only
/* format.c - numbers and names as the report prints them */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

#define NR_BUFS 16
#define BUF_SIZE 256

static char *next_buf(void)
{
	static char bufs[NR_BUFS][BUF_SIZE];
	static unsigned int at;

	return bufs[at++ % NR_BUFS];
}

/**
 * fmt_ratio - a ratio, dimensionless
 * @ratio: larger than 0
 *
 * Return: three decimals near 1, fewer for large ones.
 */
const char *fmt_ratio(double ratio)
{
	char *buf = next_buf();

	if (ratio < 0.001 || ratio >= 1e6)
		snprintf(buf, BUF_SIZE, "%.2g", ratio);
	else
		snprintf(buf, BUF_SIZE, "%.*f",
			 ratio < 10   ? 3 :
			 ratio < 100  ? 2 :
			 ratio < 1000 ? 1 :
					0,
			 ratio);
	return buf;
}

/**
 * fmt_range - the confidence interval of a ratio
 * @e: estimate
 *
 * Return: "lo–hi", empty without an interval.
 */
const char *fmt_range(const struct estimate *e)
{
	char *buf = next_buf();

	*buf = '\0';
	if (e->interval)
		snprintf(buf, BUF_SIZE, "%s–%s", fmt_ratio(e->lo),
			 fmt_ratio(e->hi));
	return buf;
}

/**
 * fmt_mark - arrow of a clear win or loss
 * @e: estimate
 *
 * Judged on the printed figures, so that no reader sees an arrow at 1.000.
 *
 * Return: " ▲", " ▼" or an empty string.
 */
const char *fmt_mark(const struct estimate *e)
{
	if (!e->interval)
		return "";
	if (atof(fmt_ratio(e->hi)) < 1)
		return " ▼";
	if (atof(fmt_ratio(e->lo)) > 1)
		return " ▲";
	return "";
}

/**
 * fmt_value - a figure with its unit
 * @value: any
 * @unit: may be empty
 *
 * Return: four significant digits, whole numbers in full up to 1e7; '*' in
 * the unit is escaped for markdown.
 */
const char *fmt_value(double value, const char *unit)
{
	char *buf = next_buf();
	int n;

	if (fabs(value) >= 1000 && fabs(value) < 1e7)
		n = snprintf(buf, BUF_SIZE, "%.0f", value);
	else
		n = snprintf(buf, BUF_SIZE, "%.4g", value);
	if (*unit)
		buf[n++] = ' ';
	for (; *unit && n < BUF_SIZE - 2; unit++) {
		if (*unit == '*')
			buf[n++] = '\\';
		buf[n++] = *unit;
	}
	buf[n] = '\0';
	return buf;
}

/**
 * fmt_share - a share in percent
 * @share: 0.01 is 1 %
 *
 * Return: two significant digits.
 */
const char *fmt_share(double share)
{
	char *buf = next_buf();

	if (fabs(share) < 5e-7)
		return "0 %";
	snprintf(buf, BUF_SIZE, fabs(share) < 0.1 ? "%.2g %%" : "%.0f %%",
		 100 * share);
	return buf;
}

/**
 * fmt_gmean - a geometric mean over tasks
 * @g: mean
 * @of: number of tasks it should cover
 *
 * Return: the mean, with "(n/of)" when tasks are missing.
 */
const char *fmt_gmean(const struct gmean *g, size_t of)
{
	char *buf = next_buf();

	if (!g->nr)
		return "–";
	if (g->nr == of)
		return fmt_ratio(gmean_value(g));
	snprintf(buf, BUF_SIZE, "%s (%zu/%zu)", fmt_ratio(gmean_value(g)),
		 g->nr, of);
	return buf;
}

/**
 * fmt_task - name of a task
 * @t: task
 *
 * Return: "workload (device)".
 */
const char *fmt_task(const struct task *t)
{
	char *buf = next_buf();

	snprintf(buf, BUF_SIZE, "%s (%s)", t->workload, t->device);
	return buf;
}
