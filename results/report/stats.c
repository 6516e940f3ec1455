// SPDX-License-Identifier: GPL-2.0-only
/* stats.c - Student's t, geometric means, intervals of ratios */
#include <math.h>
#include <stdlib.h>

#include "stats.h"

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

/**
 * t_cdf - distribution function of Student's t
 * @t: any finite number
 * @df: degrees of freedom, 1 or larger
 *
 * For whole df the integral is a finite sum in theta = atan(t / sqrt(df)):
 * Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 (odd df)
 * and 26.7.4 (even df). No table, no approximation.
 *
 * Return: P(T <= t), 0 to 1.
 */
double t_cdf(double t, unsigned int df)
{
	double theta = atan(t / sqrt(df));
	double c = cos(theta), s = sin(theta);
	double term, sum, within;
	unsigned int k;

	if (df & 1) {
		/* c + 2/3 c^3 + (2*4)/(3*5) c^5 + ... up to c^(df-2) */
		term = c;
		sum = df > 1 ? term : 0;
		for (k = 3; k + 2 <= df; k += 2) {
			term *= c * c * (k - 1) / k;
			sum += term;
		}
		within = 2 / M_PI * (theta + s * sum);
	} else {
		/* 1 + 1/2 c^2 + (1*3)/(2*4) c^4 + ... up to c^(df-2) */
		term = 1;
		sum = term;
		for (k = 2; k + 2 <= df; k += 2) {
			term *= c * c * (k - 1) / k;
			sum += term;
		}
		within = s * sum;
	}
	return 0.5 + within / 2; /* within is P(|T| <= |t|), signed */
}

/**
 * t_quantile - the t below which a share p of Student's distribution lies
 * @p: 0.5 to below 1
 * @df: degrees of freedom, 1 or larger
 *
 * Bisection of t_cdf(): slow and certain.
 *
 * Return: t, 0 or larger.
 */
double t_quantile(double p, unsigned int df)
{
	double lo = 0, hi = 1;
	int i;

	while (t_cdf(hi, df) < p && hi < 1e12)
		hi *= 2;
	for (i = 0; i < 200; i++) {
		double mid = (lo + hi) / 2;

		if (t_cdf(mid, df) < p)
			lo = mid;
		else
			hi = mid;
	}
	return (lo + hi) / 2;
}

/**
 * estimate_ratio - geometric mean of paired ratios and its interval
 * @ratio: one ratio for each seed, all > 0
 * @nr: how many, 1 or larger
 *
 * With l the logarithms, m their mean, s their standard deviation (n - 1 in
 * the denominator): exp(m -+ t(0.975, n - 1) * s / sqrt(n)).
 *
 * Return: the estimate; without interval for a single ratio.
 */
struct estimate estimate_ratio(const double *ratio, size_t nr)
{
	double mean = 0, var = 0, half;
	struct estimate e;
	size_t i;

	for (i = 0; i < nr; i++)
		mean += log(ratio[i]);
	mean /= nr;
	e.mid = exp(mean);
	e.lo = e.mid;
	e.hi = e.mid;
	e.interval = nr > 1;
	if (!e.interval)
		return e;

	for (i = 0; i < nr; i++)
		var += (log(ratio[i]) - mean) * (log(ratio[i]) - mean);
	var /= nr - 1;
	half = t_quantile(0.975, nr - 1) * sqrt(var / nr);
	e.lo = exp(mean - half);
	e.hi = exp(mean + half);
	return e;
}

/**
 * gmean_add - take one more value into a geometric mean
 * @g: starts zeroed
 * @x: larger than 0
 */
void gmean_add(struct gmean *g, double x)
{
	g->log_sum += log(x);
	g->nr++;
}

/**
 * gmean_value - the geometric mean so far
 * @g: what gmean_add() filled
 *
 * Return: the mean, 1 when nothing was added.
 */
double gmean_value(const struct gmean *g)
{
	return g->nr ? exp(g->log_sum / g->nr) : 1;
}

/**
 * ratio_beats - is one ratio larger than another, beyond rounding?
 * @a: larger than 0
 * @b: larger than 0
 *
 * Ties must not be broken by the last bit of a logarithm, which differs
 * between C libraries: the report would too.
 *
 * Return: true when @a is larger.
 */
bool ratio_beats(double a, double b)
{
	return a > b * (1 + 1e-9);
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/**
 * median - middle value
 * @x: values, sorted on return
 * @nr: how many
 *
 * Return: the median (mean of the middle two for an even number), 0 for none.
 */
double median(double *x, size_t nr)
{
	if (!nr)
		return 0;
	qsort(x, nr, sizeof(*x), cmp_double);
	return nr & 1 ? x[nr / 2] : (x[nr / 2 - 1] + x[nr / 2]) / 2;
}
