// SPDX-License-Identifier: GPL-2.0-only
/* secondary.c - what a policy costs elsewhere, and the runs that failed */
#include <string.h>

#include "format.h"
#include "tables.h"

#define MAX_METRICS 4

/**
 * struct secondary - a column of the secondary table
 * @title: heading
 * @metric: name in the CSV
 * @plus: a second metric added to it, or NULL
 */
struct secondary {
	const char *title;
	const char *metric;
	const char *plus;
};

static const struct secondary secondaries[NR_CONSUMERS][MAX_METRICS] = {
	[CONSUMER_BLOCK] = {
		{ "cpu_time", "cpu_time", NULL },
		{ "dev_read", "dev_read", NULL },
		{ "read_lat_p99", "read_lat_p99", NULL },
	},
	[CONSUMER_MM] = {
		{ "cpu_time", "cpu_time", NULL },
		{ "refaults", "refault_anon", "refault_file" },
		{ "direct_stalls", "direct_stalls", NULL },
		{ "psi_mem_some", "psi_mem_some", NULL },
	},
	[CONSUMER_SCHED] = {
		{ "energy", "energy", NULL },
		{ "delay", "delay", NULL },
		{ "transitions", "transitions", NULL },
	},
};

static bool run_value(const struct run *r, const struct secondary *m,
		      double *value)
{
	const struct csv_row *a, *b = NULL;

	if (r->failed)
		return false;
	a = run_metric(r, m->metric);
	if (!a)
		return false;
	*value = a->value;
	if (!m->plus)
		return true;
	b = run_metric(r, m->plus);
	if (!b)
		return false;
	*value += b->value;
	return true;
}

/**
 * struct tally - one policy against stock in one secondary metric
 * @mean: geometric mean over tasks, valid when @zero is not set
 * @own: sum of the policy's values
 * @stock: sum of the stock values of the same tasks and seeds
 * @tasks: number of tasks compared
 * @zero: some value is 0
 */
struct tally {
	struct gmean mean;
	double own;
	double stock;
	size_t tasks;
	bool zero;
};

static struct tally tally(const struct suite *s, size_t policy,
			  const struct secondary *m)
{
	struct tally t = { 0 };
	size_t i, j, k;

	for (i = 0; i < s->nr_tasks; i++) {
		const struct cell *a = &s->tasks[i].cells[s->stock];
		const struct cell *b = &s->tasks[i].cells[policy];
		struct gmean seeds = { 0 };
		size_t pairs = 0;

		for (j = 0, k = 0; k < b->nr_runs; k++) {
			double base, own;

			while (j < a->nr_runs &&
			       a->runs[j].seed < b->runs[k].seed)
				j++;
			if (j == a->nr_runs)
				break;
			if (a->runs[j].seed != b->runs[k].seed ||
			    !run_value(&a->runs[j], m, &base) ||
			    !run_value(&b->runs[k], m, &own))
				continue;
			pairs++;
			t.own += own;
			t.stock += base;
			if (own > 0 && base > 0)
				gmean_add(&seeds, own / base);
			else
				t.zero = true;
		}
		if (seeds.nr)
			gmean_add(&t.mean, gmean_value(&seeds));
		t.tasks += !!pairs;
	}
	return t;
}

static void tally_write(FILE *f, const struct tally *t, bool sums, size_t of)
{
	if (!t->tasks) {
		fputs(" – |", f);
		return;
	}
	if (!sums)
		fprintf(f, " %s", fmt_ratio(gmean_value(&t->mean)));
	else if (t->stock > 0)
		fprintf(f, " %s",
			t->own > 0 ? fmt_ratio(t->own / t->stock) : "0");
	else
		fprintf(f, " 0 → %s", fmt_value(t->own, ""));
	if (t->tasks < of)
		fprintf(f, " (%zu/%zu)", t->tasks, of);
	fputs(" |", f);
}

/**
 * secondary_write - policy x secondary metric, value / stock
 * @f: report.md
 * @s: suite with at least one run
 *
 * A metric that is 0 anywhere has no ratio there: its whole column compares
 * arithmetic sums instead, and is marked so.
 */
void secondary_write(FILE *f, const struct suite *s)
{
	const struct secondary *m = secondaries[s->consumer];
	bool present[MAX_METRICS] = { false }, sums[MAX_METRICS] = { false };
	size_t of[MAX_METRICS] = { 0 };
	bool any = false, any_sum = false;
	size_t p, i;

	if (s->stock < 0)
		return;
	for (i = 0; i < MAX_METRICS && m[i].title; i++) {
		for (p = 0; p < s->nr_policies; p++) {
			struct tally t = tally(s, p, &m[i]);

			if (t.tasks > of[i])
				of[i] = t.tasks;
			sums[i] |= t.zero;
		}
		present[i] = of[i];
		any |= present[i];
		any_sum |= sums[i];
	}
	if (!any || s->nr_policies < 2)
		return;

	fprintf(f,
		"### %s: secondary metrics\n\nValue / stock as measured, not turned: below 1 is less than stock. Geometric mean over all workloads that have the metric%s.\n\n",
		consumer_names[s->consumer],
		any_sum ?
			"; in columns marked Σ some values are 0, and the ratio is that of the arithmetic sums" :
			"");
	fputs("| policy |", f);
	for (i = 0; i < MAX_METRICS; i++)
		if (present[i])
			fprintf(f, " %s%s |", m[i].title, sums[i] ? " Σ" : "");
	fputs("\n|---|", f);
	for (i = 0; i < MAX_METRICS; i++)
		if (present[i])
			fputs("--:|", f);
	fputc('\n', f);
	for (p = 0; p < s->nr_policies; p++) {
		if (s->policies[p].kind == POLICY_STOCK)
			continue;
		fprintf(f, "| %s |", s->policies[p].name);
		for (i = 0; i < MAX_METRICS; i++) {
			struct tally t;

			if (!present[i])
				continue;
			t = tally(s, p, &m[i]);
			tally_write(f, &t, sums[i], of[i]);
		}
		fputc('\n', f);
	}
	fputc('\n', f);
}

/**
 * failed_write - the runs that have no figure
 * @f: report.md
 * @m: model
 */
void failed_write(FILE *f, const struct model *m)
{
	size_t i, failed = 0;
	int c;

	fputs("## Failed runs\n\n", f);
	for (c = 0; c < NR_CONSUMERS; c++)
		failed += m->suites[c].nr_failed;
	if (!failed) {
		fputs("None.\n", f);
		return;
	}
	fputs("| consumer | workload | device | policy | seed | reason |\n"
	      "|---|---|---|---|--:|---|\n",
	      f);
	for (c = 0; c < NR_CONSUMERS; c++) {
		const struct suite *s = &m->suites[c];

		for (i = 0; i < s->nr_runs; i++) {
			const struct csv_row *r = s->runs[i].rows;

			if (s->runs[i].failed)
				fprintf(f, "| %s | %s | %s | %s | %lu | %s |\n",
					consumer_names[c], r->workload,
					r->device, r->policy, r->seed,
					s->runs[i].failed);
		}
	}
}
