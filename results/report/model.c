// SPDX-License-Identifier: GPL-2.0-only
/* model.c - arrange the rows of results.csv as tasks x policies */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "model.h"

#define FAILED "failed"
/* Reason of a run that has rows but neither a primary figure nor "failed". */
#define UNFINISHED "unfinished: no primary metric in the CSV"

/* Order of names as people expect it: static-ra-64 before static-ra-128. */
static int cmp_name(const char *a, const char *b)
{
	const char *a0 = a, *b0 = b;

	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			size_t la, lb;
			int ret;

			a += strspn(a, "0");
			b += strspn(b, "0");
			la = strspn(a, "0123456789");
			lb = strspn(b, "0123456789");
			if (la != lb)
				return la < lb ? -1 : 1;
			ret = strncmp(a, b, la);
			if (ret)
				return ret;
			a += la;
			b += lb;
		} else if (*a != *b) {
			break;
		} else {
			a++;
			b++;
		}
	}
	if (*a != *b)
		return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
	return strcmp(a0, b0); /* "01" and "1" are two names */
}

/* Slowest device first, as a table is best read; unknown ones after. */
static int device_rank(const char *device)
{
	static const char *const known[] = { "hdd", "cloud", "ssd", "nvme" };
	int i;

	for (i = 0; i < 4; i++)
		if (!strcmp(device, known[i]))
			break;
	return i;
}

static int cmp_device(const char *a, const char *b)
{
	int ra = device_rank(a), rb = device_rank(b);

	return ra != rb ? ra - rb : cmp_name(a, b);
}

static enum policy_kind policy_kind(const char *name)
{
	if (!strcmp(name, "stock"))
		return POLICY_STOCK;
	if (!strcmp(name, "stock2"))
		return POLICY_STOCK2;
	if (!strncmp(name, "static-", 7))
		return POLICY_STATIC;
	return POLICY_DYNAMIC;
}

/* The policies every comparison has, in the order of the argument. */
static int dynamic_rank(const char *name)
{
	static const char *const known[] = {
		"hook", "random", "heuristic", "agent", "trees",
	};
	int i;

	for (i = 0; i < 5; i++)
		if (!strcmp(name, known[i]))
			break;
	return i;
}

static int cmp_policy(const char *a, const char *b)
{
	int ka = policy_kind(a), kb = policy_kind(b);

	if (ka != kb)
		return ka - kb;
	if (ka == POLICY_DYNAMIC && dynamic_rank(a) != dynamic_rank(b))
		return dynamic_rank(a) - dynamic_rank(b);
	return cmp_name(a, b);
}

static int cmp_line(const struct csv_row *a, const struct csv_row *b)
{
	return (a->line > b->line) - (a->line < b->line);
}

static int cmp_by_workload(const void *pa, const void *pb)
{
	const struct csv_row *a = pa, *b = pb;
	int ret;

	if (a->consumer != b->consumer)
		return a->consumer < b->consumer ? -1 : 1;
	ret = strcmp(a->workload, b->workload);
	return ret ? ret : cmp_line(a, b);
}

static int cmp_task(const struct csv_row *a, const struct csv_row *b)
{
	int ret;

	if (a->consumer != b->consumer)
		return a->consumer < b->consumer ? -1 : 1;
	if (a->test != b->test)
		return a->test ? 1 : -1;
	ret = cmp_name(a->workload, b->workload);
	return ret ? ret : cmp_device(a->device, b->device);
}

static int cmp_run(const struct csv_row *a, const struct csv_row *b)
{
	int ret = cmp_task(a, b);

	if (!ret)
		ret = cmp_policy(a->policy, b->policy);
	if (!ret)
		ret = (a->seed > b->seed) - (a->seed < b->seed);
	return ret;
}

static int cmp_row(const void *pa, const void *pb)
{
	const struct csv_row *a = pa, *b = pb;
	int ret = cmp_run(a, b);

	if (!ret)
		ret = strcmp(a->metric, b->metric);
	return ret ? ret : cmp_line(a, b);
}

/* All rows of a workload agree on its split and its primary metric. */
static int check_workloads(struct csv *csv, const char *path,
			   struct fault *fault)
{
	const struct csv_row *first = NULL, *primary = NULL;
	size_t i;

	qsort(csv->rows, csv->nr, sizeof(*csv->rows), cmp_by_workload);
	for (i = 0; i < csv->nr; i++) {
		const struct csv_row *r = &csv->rows[i];

		if (!first || r->consumer != first->consumer ||
		    strcmp(r->workload, first->workload)) {
			first = r;
			primary = NULL;
		}
		if (r->test != first->test)
			return fault_set(
				fault, EX_DATAERR,
				"%s:%lu: column 3 (split): expected %s as for %s in line %lu, got \"%s\"",
				path, r->line, first->test ? "test" : "train",
				r->workload, first->line,
				r->test ? "test" : "train");
		if (!metric_is_primary(r->metric, NULL, NULL))
			continue;
		if (!primary)
			primary = r;
		if (strcmp(r->metric, primary->metric))
			return fault_set(
				fault, EX_DATAERR,
				"%s:%lu: column 7 (metric): expected %s as for %s in line %lu, got \"%s\"",
				path, r->line, primary->metric, r->workload,
				primary->line, r->metric);
		if (strcmp(r->unit, primary->unit))
			return fault_set(
				fault, EX_DATAERR,
				"%s:%lu: column 8 (unit): expected \"%s\" as for %s in line %lu, got \"%s\"",
				path, r->line, primary->unit, r->workload,
				primary->line, r->unit);
	}
	return 0;
}

/*
 * Check the rows of one run and say how it ended. Two primaries of one name
 * are a duplicate row; of two names, check_workloads() has refused them.
 */
static int fill_run(struct run *run, const struct csv_row *rows, size_t nr,
		    const char *path, struct fault *fault)
{
	const struct csv_row *failed = NULL, *other = NULL;
	size_t i;

	run->seed = rows->seed;
	run->rows = rows;
	run->nr_rows = nr;
	run->failed = UNFINISHED;
	for (i = 0; i < nr; i++) {
		if (i && !strcmp(rows[i].metric, rows[i - 1].metric))
			return fault_set(
				fault, EX_DATAERR,
				"%s:%lu: column 7 (metric): expected %s once in a run, it is in line %lu too",
				path, rows[i].line, rows[i].metric,
				rows[i - 1].line);
		if (!strcmp(rows[i].metric, FAILED))
			failed = &rows[i];
		else
			other = &rows[i];
		if (metric_is_primary(rows[i].metric, NULL, NULL)) {
			run->failed = NULL;
			run->value = rows[i].value;
		}
	}
	if (failed && other)
		return fault_set(
			fault, EX_DATAERR,
			"%s:%lu: column 7 (metric): expected nothing beside \"failed\" in a failed run, line %lu has %s",
			path, failed->line, other->line, other->metric);
	if (failed)
		run->failed = *failed->unit ? failed->unit : "no reason given";
	return 0;
}

static int cmp_policy_ptr(const void *a, const void *b)
{
	return cmp_policy(((const struct policy *)a)->name,
			  ((const struct policy *)b)->name);
}

static int find_policy(const struct suite *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->nr_policies; i++)
		if (!strcmp(s->policies[i].name, name))
			return i;
	return -1;
}

/* The runs are sorted: names of policies repeat in every task. */
static void list_policies(struct suite *s)
{
	size_t i;

	s->policies = xcalloc(s->nr_runs, sizeof(*s->policies));
	for (i = 0; i < s->nr_runs; i++) {
		const char *name = s->runs[i].rows->policy;

		if (i && !strcmp(name, s->runs[i - 1].rows->policy))
			continue;
		if (find_policy(s, name) >= 0)
			continue;
		s->policies[s->nr_policies].name = name;
		s->policies[s->nr_policies++].kind = policy_kind(name);
	}
	qsort(s->policies, s->nr_policies, sizeof(*s->policies),
	      cmp_policy_ptr);
	s->stock = find_policy(s, "stock");
	s->stock2 = find_policy(s, "stock2");
	s->nudged = find_policy(s, "stock-nudged");
}

static int cmp_seed(const void *pa, const void *pb)
{
	unsigned long a = *(const unsigned long *)pa;
	unsigned long b = *(const unsigned long *)pb;

	return (a > b) - (a < b);
}

static size_t count_seeds(const struct run *runs, size_t nr)
{
	unsigned long *seeds = xcalloc(nr, sizeof(*seeds));
	size_t i, different = 0;

	for (i = 0; i < nr; i++)
		seeds[i] = runs[i].seed;
	qsort(seeds, nr, sizeof(*seeds), cmp_seed);
	for (i = 0; i < nr; i++)
		different += !i || seeds[i] != seeds[i - 1];
	free(seeds);
	return different;
}

/* One task from its @nr runs. */
static void fill_task(struct suite *s, struct task *t, struct run *runs,
		      size_t nr)
{
	size_t i, j;

	t->workload = runs->rows->workload;
	t->device = runs->rows->device;
	t->split = runs->rows->test ? SPLIT_TEST : SPLIT_TRAIN;
	t->unit = "";
	t->cells = xcalloc(s->nr_policies, sizeof(*t->cells));
	t->best = -1;
	t->nr_seeds = count_seeds(runs, nr);
	if (t->nr_seeds > s->max_seeds)
		s->max_seeds = t->nr_seeds;

	for (i = 0; i < nr; i++) {
		struct run *r = &runs[i];
		struct cell *c;

		r->policy = find_policy(s, r->rows->policy);
		c = &t->cells[r->policy];
		if (!c->runs)
			c->runs = r;
		c->nr_runs++;
		s->nr_failed += !!r->failed;
		for (j = 0; j < r->nr_rows && !t->metric; j++)
			if (metric_is_primary(r->rows[j].metric, &t->higher,
					      &t->metric))
				t->unit = r->rows[j].unit;
	}
}

/* Ratio of each seed with the same seed of stock, turned so that > 1 wins. */
static void compare(const struct task *t, const struct cell *stock,
		    struct cell *c)
{
	double *ratio = xcalloc(c->nr_runs, sizeof(*ratio));
	size_t i, j = 0, good = 0;
	bool zero = false;

	for (i = 0; i < c->nr_runs; i++) {
		double v = c->runs[i].value, base, r;

		if (c->runs[i].failed)
			continue;
		good++;
		while (j < stock->nr_runs &&
		       stock->runs[j].seed < c->runs[i].seed)
			j++;
		if (j == stock->nr_runs ||
		    stock->runs[j].seed != c->runs[i].seed ||
		    stock->runs[j].failed)
			continue;
		base = stock->runs[j].value;
		r = t->higher ? v / base : base / v;
		/* Absurd figures may also overflow or underflow to that. */
		if (v > 0 && base > 0 && isnormal(r))
			ratio[c->nr_pairs] = r;
		else
			zero = true;
		c->nr_pairs++;
	}

	if (zero) {
		c->state = RATIO_ZERO;
	} else if (c->nr_pairs) {
		c->state = RATIO_OK;
		c->ratio = estimate_ratio(ratio, c->nr_pairs);
	} else if (c->nr_runs && !good) {
		c->state = RATIO_FAILED;
	}
	free(ratio);
}

static void choose_best(struct suite *s)
{
	size_t i, p;

	for (i = 0; i < s->nr_tasks; i++) {
		struct task *t = &s->tasks[i];

		for (p = 0; p < s->nr_policies; p++) {
			if (s->policies[p].kind != POLICY_STATIC ||
			    t->cells[p].state != RATIO_OK)
				continue;
			if (t->best < 0 ||
			    ratio_beats(t->cells[p].ratio.mid,
					t->cells[t->best].ratio.mid))
				t->best = p;
		}
	}
}

/*
 * A policy that lacks a train task (failed, not run) must not win by leaving
 * out a hard one: more tasks first, then the geometric mean.
 */
static void choose_single(struct suite *s)
{
	struct gmean best = { 0 };
	size_t p;

	s->single = -1;
	for (p = 0; p < s->nr_policies; p++) {
		struct gmean g = suite_gmean(s, p, SPLIT_TRAIN);

		if (s->policies[p].kind != POLICY_STATIC || !g.nr)
			continue;
		if (g.nr > best.nr ||
		    (g.nr == best.nr &&
		     ratio_beats(gmean_value(&g), gmean_value(&best)))) {
			best = g;
			s->single = p;
		}
	}
}

static void fill_suite(struct suite *s)
{
	static const struct cell no_stock;
	size_t i, first = 0, p;

	list_policies(s);
	s->tasks = xcalloc(s->nr_runs, sizeof(*s->tasks));
	for (i = 1; i <= s->nr_runs; i++) {
		struct task *t = &s->tasks[s->nr_tasks];

		if (i < s->nr_runs &&
		    !cmp_task(s->runs[i].rows, s->runs[first].rows))
			continue;
		fill_task(s, t, s->runs + first, i - first);
		for (p = 0; p < s->nr_policies; p++)
			compare(t,
				s->stock < 0 ? &no_stock : &t->cells[s->stock],
				&t->cells[p]);
		s->nr_tasks++;
		first = i;
	}
	choose_best(s);
	choose_single(s);
}

/**
 * model_build - arrange the rows and compute all ratios
 * @m: filled in, points into @csv; free with model_free()
 * @csv: rows, sorted in another order on return
 * @path: file name for messages
 * @fault: message when the result is not 0
 *
 * Return: 0, or EX_DATAERR when rows contradict each other.
 */
int model_build(struct model *m, struct csv *csv, const char *path,
		struct fault *fault)
{
	size_t i, first = 0;
	int ret, c;

	memset(m, 0, sizeof(*m));
	ret = check_workloads(csv, path, fault);
	if (ret)
		return ret;
	qsort(csv->rows, csv->nr, sizeof(*csv->rows), cmp_row);

	for (i = 1; i <= csv->nr; i++) {
		struct suite *s = &m->suites[csv->rows[first].consumer];

		if (i < csv->nr && !cmp_run(&csv->rows[i], &csv->rows[first]))
			continue;
		if (!s->runs)
			s->runs = xcalloc(csv->nr - first, sizeof(*s->runs));
		ret = fill_run(&s->runs[s->nr_runs++], csv->rows + first,
			       i - first, path, fault);
		if (ret) {
			model_free(m);
			return ret;
		}
		first = i;
	}
	for (c = 0; c < NR_CONSUMERS; c++) {
		m->suites[c].consumer = c;
		fill_suite(&m->suites[c]);
	}
	return 0;
}

/**
 * model_free - release what model_build() filled in
 * @m: may be freed twice
 */
void model_free(struct model *m)
{
	int c;

	for (c = 0; c < NR_CONSUMERS; c++) {
		struct suite *s = &m->suites[c];
		size_t i;

		for (i = 0; i < s->nr_tasks; i++)
			free(s->tasks[i].cells);
		free(s->tasks);
		free(s->policies);
		free(s->runs);
	}
	memset(m, 0, sizeof(*m));
}

/**
 * suite_gmean - geometric mean of a policy's ratios over the tasks of a split
 * @s: suite
 * @policy: index
 * @split: train or test
 *
 * Return: the mean; its nr is the number of tasks that have a ratio.
 */
struct gmean suite_gmean(const struct suite *s, size_t policy, enum split split)
{
	struct gmean g = { 0 };
	size_t i;

	for (i = 0; i < s->nr_tasks; i++) {
		const struct cell *c = &s->tasks[i].cells[policy];

		if (s->tasks[i].split == split && c->state == RATIO_OK)
			gmean_add(&g, c->ratio.mid);
	}
	return g;
}

/**
 * suite_split_size - number of tasks of a split
 * @s: suite
 * @split: train or test
 *
 * Return: the number.
 */
size_t suite_split_size(const struct suite *s, enum split split)
{
	size_t i, nr = 0;

	for (i = 0; i < s->nr_tasks; i++)
		nr += s->tasks[i].split == split;
	return nr;
}

/**
 * suite_worst - the task on which a policy has its smallest ratio
 * @s: suite
 * @policy: index
 * @split: train or test, NR_SPLITS for both
 *
 * Return: index of the task, -1 when the policy has no ratio.
 */
int suite_worst(const struct suite *s, size_t policy, int split)
{
	double min = 0;
	int worst = -1;
	size_t i;

	for (i = 0; i < s->nr_tasks; i++) {
		const struct cell *c = &s->tasks[i].cells[policy];

		if (c->state != RATIO_OK ||
		    (split != NR_SPLITS && (int)s->tasks[i].split != split))
			continue;
		if (worst < 0 || ratio_beats(min, c->ratio.mid)) {
			worst = i;
			min = c->ratio.mid;
		}
	}
	return worst;
}

/**
 * task_noise - |policy / stock - 1| of the primary metric, seed by seed
 * @s: suite
 * @t: its task
 * @p: a policy that is stock in all but name, or -1
 * @noise: room for @t->nr_seeds numbers
 *
 * Two zeros are equal; a zero against something else has no ratio and is left
 * out (the tables show it as "zero").
 *
 * Return: how many pairs there are.
 */
size_t task_noise(const struct suite *s, const struct task *t, int p,
		  double *noise)
{
	const struct cell *a, *b;
	size_t i, j = 0, nr = 0;

	if (s->stock < 0 || p < 0)
		return 0;
	a = &t->cells[s->stock];
	b = &t->cells[p];
	for (i = 0; i < b->nr_runs; i++) {
		const struct run *r = &b->runs[i];

		while (j < a->nr_runs && a->runs[j].seed < r->seed)
			j++;
		if (j == a->nr_runs || a->runs[j].seed != r->seed ||
		    a->runs[j].failed || r->failed)
			continue;
		if (a->runs[j].value > 0)
			noise[nr++] = fabs(r->value / a->runs[j].value - 1);
		else if (!(r->value > 0))
			noise[nr++] = 0;
	}
	return nr;
}

/**
 * run_metric - find a metric of a run
 * @r: run
 * @metric: name
 *
 * Return: its row, NULL when the run has none.
 */
const struct csv_row *run_metric(const struct run *r, const char *metric)
{
	size_t i;

	for (i = 0; i < r->nr_rows; i++)
		if (!strcmp(r->rows[i].metric, metric))
			return &r->rows[i];
	return NULL;
}

/**
 * cell_mean - arithmetic mean of a metric over the seeds of a cell
 * @c: cell
 * @metric: name, NULL for the primary one
 * @mean: result
 *
 * Return: false when no run that finished has the metric.
 */
bool cell_mean(const struct cell *c, const char *metric, double *mean)
{
	size_t i, nr = 0;

	*mean = 0;
	for (i = 0; i < c->nr_runs; i++) {
		const struct csv_row *row = NULL;

		if (c->runs[i].failed)
			continue;
		if (metric)
			row = run_metric(&c->runs[i], metric);
		if (metric && !row)
			continue;
		*mean += metric ? row->value : c->runs[i].value;
		nr++;
	}
	if (nr)
		*mean /= nr;
	return nr;
}
