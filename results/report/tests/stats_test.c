// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats_test.c - stats.c against published and hand-computed values
 *
 * Prints "ok NAME" or "not ok NAME (got X, want Y)"; run.sh numbers the lines.
 * Exit code 1 when a check failed.
 */
#include <math.h>
#include <stdio.h>

#include "../stats.h"

static int failures;

static void check(const char *name, double got, double want, double tolerance)
{
	if (fabs(got - want) <= tolerance) {
		printf("ok %s\n", name);
		return;
	}
	printf("not ok %s (got %.10g, want %.10g)\n", name, got, want);
	failures++;
}

/*
 * Upper 2.5 % and 0.5 % points: NIST/SEMATECH e-Handbook of Statistical
 * Methods, 1.3.6.7.2, "Critical Values of the Student's t Distribution".
 */
static void test_t(void)
{
	static const struct {
		unsigned int df;
		double p;
		double t;
	} table[] = {
		{ 1, 0.975, 12.706 }, { 2, 0.975, 4.303 },
		{ 3, 0.975, 3.182 },  { 4, 0.975, 2.776 },
		{ 5, 0.975, 2.571 },  { 9, 0.975, 2.262 },
		{ 10, 0.975, 2.228 }, { 29, 0.975, 2.045 },
		{ 30, 0.975, 2.042 }, { 100, 0.975, 1.984 },
		{ 2, 0.995, 9.925 },  { 7, 0.995, 3.499 },
		{ 20, 0.995, 2.845 },
	};
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		snprintf(name, sizeof(name), "t quantile %.3f, %u df",
			 table[i].p, table[i].df);
		check(name, t_quantile(table[i].p, table[i].df), table[i].t,
		      0.00051);
	}
	check("t quantile nears the normal one", t_quantile(0.975, 1000000),
	      1.959966, 1e-5);
	/* df 1 is Cauchy, df 2 has a closed form. */
	check("t cdf, 1 df", t_cdf(1, 1), 0.75, 1e-12);
	check("t cdf, 2 df", t_cdf(2, 2), 0.5 + 1 / sqrt(6), 1e-12);
	check("t cdf is symmetric", t_cdf(-1.3, 7) + t_cdf(1.3, 7), 1, 1e-12);
}

static void test_ratio(void)
{
	/*
	 * Logs -1, 0, 1: mean 0, standard deviation 1, standard error
	 * 1 / sqrt(3), half width 4.302653 / sqrt(3) = 2.484138.
	 */
	const double known[] = { exp(-1), 1, exp(1) };
	const double same[] = { 1.5, 1.5, 1.5 };
	struct estimate e;

	e = estimate_ratio(known, 3);
	check("interval: middle", e.mid, 1, 1e-12);
	check("interval: lower end", log(e.lo), -2.484138, 1e-5);
	check("interval: upper end", log(e.hi), 2.484138, 1e-5);
	check("interval: present", e.interval, 1, 0);
	e = estimate_ratio(same, 3);
	check("interval without spread: width", e.hi - e.lo, 0, 1e-12);
	e = estimate_ratio(known + 2, 1);
	check("one ratio: no interval", e.interval, 0, 0);
	check("one ratio: the ratio", e.mid, exp(1), 1e-12);
}

static void test_means(void)
{
	struct gmean g = { 0 };
	double odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 };

	check("geometric mean of nothing", gmean_value(&g), 1, 0);
	gmean_add(&g, 2);
	gmean_add(&g, 0.5);
	gmean_add(&g, 8);
	check("geometric mean of 2, 1/2, 8", gmean_value(&g), 2, 1e-12);
	check("median, odd", median(odd, 3), 2, 0);
	check("median, even", median(even, 4), 2.5, 0);
	check("median of nothing", median(odd, 0), 0, 0);
	check("a clear winner", ratio_beats(1.001, 1), 1, 0);
	check("the last bit is a tie", ratio_beats(1 + 1e-15, 1), 0, 0);
}

int main(void)
{
	test_t();
	test_ratio();
	test_means();
	return !!failures;
}
