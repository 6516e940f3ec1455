/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.h - the few statistics the report uses
 *
 * Ratios are compared on the logarithmic scale, where x2 and x0.5 are equally
 * far from 1: means of ratios are geometric means, and an interval is
 * symmetric in log space.
 */
#ifndef MLREPORT_STATS_H
#define MLREPORT_STATS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct estimate - a ratio with its uncertainty
 * @mid:	geometric mean, dimensionless, > 0
 * @lo:		lower end of the 95 % confidence interval
 * @hi:		upper end
 * @interval:	@lo and @hi say something (at least two samples)
 */
struct estimate {
	double mid;
	double lo;
	double hi;
	bool interval;
};

/**
 * struct gmean - running geometric mean
 * @log_sum:	sum of the natural logarithms
 * @nr:		number of values
 */
struct gmean {
	double log_sum;
	size_t nr;
};

double t_cdf(double t, unsigned int df);
double t_quantile(double p, unsigned int df);
struct estimate estimate_ratio(const double *ratio, size_t nr);
void gmean_add(struct gmean *g, double x);
double gmean_value(const struct gmean *g);
bool ratio_beats(double a, double b);
double median(double *x, size_t nr);

#endif
