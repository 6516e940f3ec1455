// SPDX-License-Identifier: GPL-2.0-only
/* tables.c - report.md as a whole, and the tables of the primary metric */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "plots.h"
#include "tables.h"

/* Policies side by side in one table: about the width of a GitHub page. */
#define MAX_COLUMNS 7

/* A gap below 0.1 % is noise: a share of it would mean nothing. */
#define MIN_GAP 0.001

static const char *const split_names[NR_SPLITS] = { "train", "test" };

/* Seeds that are missing from a cell are said beside its figure. */
static void print_pairs(FILE *f, const struct task *t, const struct cell *c)
{
	if (c->nr_pairs < t->nr_seeds)
		fprintf(f, " (%zu/%zu)", c->nr_pairs, t->nr_seeds);
}

/* A ratio without its interval, or why there is none. */
static void print_ratio(FILE *f, const struct task *t, const struct cell *c,
			bool bold)
{
	const char *b = bold ? "**" : "";

	switch (c->state) {
	case RATIO_NONE:
		fputs("–", f);
		break;
	case RATIO_FAILED:
		fputs("failed", f);
		break;
	case RATIO_ZERO:
		fputs("zero", f);
		break;
	case RATIO_OK:
		fprintf(f, "%s%s%s%s", b, fmt_ratio(c->ratio.mid), b,
			fmt_mark(&c->ratio));
		print_pairs(f, t, c);
		break;
	}
}

static void print_ratio_range(FILE *f, const struct task *t,
			      const struct cell *c, bool bold)
{
	print_ratio(f, t, c, bold);
	if (c->state == RATIO_OK && c->ratio.interval)
		fprintf(f, "<br><sub>%s</sub>", fmt_range(&c->ratio));
}

static void print_stock(FILE *f, const struct suite *s, const struct task *t)
{
	double mean;

	if (s->stock < 0 || !t->cells[s->stock].nr_runs)
		fputs("no stock run", f);
	else if (!cell_mean(&t->cells[s->stock], NULL, &mean))
		fputs("stock failed", f);
	else
		fputs(fmt_value(mean, t->unit), f);
}

static void print_noise(FILE *f, const struct suite *s, const struct task *t)
{
	double *noise = xcalloc(t->nr_seeds, sizeof(*noise));
	size_t nr = task_noise(s, t, s->stock2, noise);

	median(noise, nr); /* sorts */
	fputs(nr ? fmt_share(noise[nr - 1]) : "–", f);
	free(noise);
}

static void room_row(FILE *f, const struct suite *s, const struct task *t)
{
	fprintf(f, "| %s | %s | %s | %s%s | ", t->workload, t->device,
		split_names[t->split], t->metric ? t->metric : "–",
		!t->metric ? "" :
		t->higher  ? " ↑" :
			     " ↓");
	print_stock(f, s, t);
	fputs(" | ", f);
	print_noise(f, s, t);
	fputs(" | ", f);
	if (s->single >= 0) {
		print_ratio_range(f, t, &t->cells[s->single], false);
		fputs(" | ", f);
	}
	if (t->best < 0) {
		fputs("– | – |\n", f);
		return;
	}
	fprintf(f, "%s | ", s->policies[t->best].name + strlen("static-"));
	print_ratio_range(f, t, &t->cells[t->best], true);
	fputs(" |\n", f);
}

static struct gmean best_gmean(const struct suite *s, enum split split)
{
	struct gmean g = { 0 };
	size_t i;

	for (i = 0; i < s->nr_tasks; i++) {
		const struct task *t = &s->tasks[i];

		if (t->split == split && t->best >= 0)
			gmean_add(&g, t->cells[t->best].ratio.mid);
	}
	return g;
}

static void room_mean_row(FILE *f, const struct suite *s, enum split split)
{
	size_t size = suite_split_size(s, split);
	struct gmean best = best_gmean(s, split);
	struct gmean single;

	if (!size)
		return;
	fprintf(f, "| *geometric mean, %s* | | | | | | ", split_names[split]);
	if (s->single >= 0) {
		single = suite_gmean(s, s->single, split);
		fprintf(f, "*%s* | ", fmt_gmean(&single, size));
	}
	fprintf(f, "| *%s* |\n", fmt_gmean(&best, size));
}

/**
 * room_write - what static settings gain on each task
 * @f: report.md
 * @s: suite with at least one run
 */
void room_write(FILE *f, const struct suite *s)
{
	size_t i;
	int split;

	fprintf(f, "### %s: room\n\n", consumer_names[s->consumer]);
	if (s->single >= 0)
		fprintf(f,
			"Best single static policy: `%s`, chosen by its geometric mean on the train workloads; its test figures had no say. Best static: the one that turned out best for that workload, an upper bound that no fixed setting reaches.\n\n",
			s->policies[s->single].name);
	fputs("| workload | device | split | metric | stock | noise | ", f);
	if (s->single >= 0)
		fprintf(f, "single: %s | ",
			s->policies[s->single].name + strlen("static-"));
	fputs("best static | its ratio |\n|---|---|---|---|--:|--:|", f);
	fputs(s->single >= 0 ? "--:|---|--:|\n" : "---|--:|\n", f);
	for (split = 0; split < NR_SPLITS; split++) {
		for (i = 0; i < s->nr_tasks; i++)
			if ((int)s->tasks[i].split == split)
				room_row(f, s, &s->tasks[i]);
		room_mean_row(f, s, split);
	}
	fputc('\n', f);
}

/*
 * Share of the way from stock to the best static policy of each task, in log
 * space, over the tasks where both are known.
 */
static void print_gap(FILE *f, const struct suite *s, size_t policy,
		      enum split split)
{
	struct gmean own = { 0 }, best = { 0 };
	size_t i;

	for (i = 0; i < s->nr_tasks; i++) {
		const struct task *t = &s->tasks[i];

		if (t->split != split || t->best < 0 ||
		    t->cells[policy].state != RATIO_OK)
			continue;
		gmean_add(&own, t->cells[policy].ratio.mid);
		gmean_add(&best, t->cells[t->best].ratio.mid);
	}
	if (!own.nr)
		fputs("–", f);
	else if (gmean_value(&best) < 1 + MIN_GAP)
		fputs("no gap", f);
	else
		/* + 0.0 turns a rounded -0 into 0. */
		fprintf(f, "%.0f %%",
			round(100 * own.log_sum / best.log_sum) + 0.0);
}

static void dynamic_row(FILE *f, const struct suite *s, size_t policy)
{
	struct gmean train = suite_gmean(s, policy, SPLIT_TRAIN);
	struct gmean test = suite_gmean(s, policy, SPLIT_TEST);
	int worst = suite_worst(s, policy, NR_SPLITS);

	fprintf(f, "| %s | %s | %s | ", s->policies[policy].name,
		fmt_gmean(&train, suite_split_size(s, SPLIT_TRAIN)),
		fmt_gmean(&test, suite_split_size(s, SPLIT_TEST)));
	if (worst >= 0)
		fprintf(f, "%s %s | ",
			fmt_ratio(s->tasks[worst].cells[policy].ratio.mid),
			fmt_task(&s->tasks[worst]));
	else
		fputs("– | ", f);
	print_gap(f, s, policy, SPLIT_TRAIN);
	fputs(" | ", f);
	print_gap(f, s, policy, SPLIT_TEST);
	fputs(" |\n", f);
}

/**
 * dynamic_write - policies that decide at run time, against the static ones
 * @f: report.md
 * @s: suite with at least one run
 *
 * Writes nothing when the CSV has no such policy.
 */
void dynamic_write(FILE *f, const struct suite *s)
{
	bool any = false;
	size_t p;

	for (p = 0; p < s->nr_policies; p++)
		any |= s->policies[p].kind == POLICY_DYNAMIC;
	if (!any)
		return;
	fprintf(f, "### %s: policies that decide at run time\n\n",
		consumer_names[s->consumer]);
	fputs("Gap closed: 0 % is stock, 100 % is the best static policy of each workload.\n\n"
	      "| policy | geometric mean, train | geometric mean, test | worst case | gap closed, train | gap closed, test |\n"
	      "|---|--:|--:|---|--:|--:|\n",
	      f);
	for (p = 0; p < s->nr_policies; p++)
		if (s->policies[p].kind == POLICY_DYNAMIC)
			dynamic_row(f, s, p);
	if (s->single >= 0)
		dynamic_row(f, s, s->single);
	if (s->stock2 >= 0)
		dynamic_row(f, s, s->stock2);
	fputc('\n', f);
}

/* Best policy of a row; stock2 is stock and cannot win. */
static int row_best(const struct suite *s, const struct task *t)
{
	int best = -1;
	size_t p;

	for (p = 0; p < s->nr_policies; p++) {
		if (s->policies[p].kind < POLICY_STATIC ||
		    t->cells[p].state != RATIO_OK)
			continue;
		if (best < 0 || ratio_beats(t->cells[p].ratio.mid,
					    t->cells[best].ratio.mid))
			best = p;
	}
	return best;
}

/* One table of the sweep: the policies from @first to before @end. */
static void sweep_table(FILE *f, const struct suite *s, size_t first,
			size_t end)
{
	size_t i, p;
	int split;

	fputs("| workload |", f);
	for (p = first; p < end; p++)
		fprintf(f, " %s |", s->policies[p].name);
	fputs("\n|---|", f);
	for (p = first; p < end; p++)
		fputs("--:|", f);
	fputc('\n', f);

	for (split = 0; split < NR_SPLITS; split++) {
		size_t size = suite_split_size(s, split);

		for (i = 0; i < s->nr_tasks; i++) {
			const struct task *t = &s->tasks[i];
			int best = row_best(s, t);

			if ((int)t->split != split)
				continue;
			fprintf(f, "| %s |", fmt_task(t));
			for (p = first; p < end; p++) {
				fputc(' ', f);
				print_ratio_range(f, t, &t->cells[p],
						  best == (int)p);
				fputs(" |", f);
			}
			fputc('\n', f);
		}
		if (!size)
			continue;
		fprintf(f, "| *geometric mean, %s* |", split_names[split]);
		for (p = first; p < end; p++) {
			struct gmean g = suite_gmean(s, p, split);

			fprintf(f, " *%s* |", fmt_gmean(&g, size));
		}
		fputc('\n', f);
	}

	fputs("| *worst case* |", f);
	for (p = first; p < end; p++) {
		int worst = suite_worst(s, p, NR_SPLITS);

		if (worst < 0)
			fputs(" – |", f);
		else
			fprintf(f, " %s<br><sub>%s</sub> |",
				fmt_ratio(s->tasks[worst].cells[p].ratio.mid),
				fmt_task(&s->tasks[worst]));
	}
	fputs("\n\n", f);
}

/**
 * sweep_write - every policy on every task
 * @f: report.md
 * @s: suite with at least one run
 */
void sweep_write(FILE *f, const struct suite *s)
{
	size_t first = 0, columns, tables, i;

	/* stock comes first and is 1 everywhere. */
	if (s->stock >= 0)
		first = 1;
	columns = s->nr_policies - first;
	if (!columns)
		return;
	tables = (columns + MAX_COLUMNS - 1) / MAX_COLUMNS;

	fprintf(f,
		"### %s: every policy\n\nRatio to stock, train workloads above, test workloads below.\n\n",
		consumer_names[s->consumer]);
	for (i = 0; i < tables; i++)
		sweep_table(f, s, first + columns * i / tables,
			    first + columns * (i + 1) / tables);
}

static void latency_write(FILE *f, const struct suite *s)
{
	size_t pages = plots_latency_pages(s), i;

	if (!pages)
		return;
	fprintf(f,
		"<details>\n<summary>%s: latency distributions, stock against best static</summary>\n\n",
		consumer_names[s->consumer]);
	for (i = 0; i < pages; i++)
		fprintf(f,
			"![%s latency distributions, part %zu of %zu](plots/%s-latency-%zu.svg)\n\n",
			consumer_names[s->consumer], i + 1, pages,
			consumer_names[s->consumer], i + 1);
	fputs("</details>\n\n", f);
}

static void suite_write(FILE *f, const struct suite *s)
{
	const char *name = consumer_names[s->consumer];

	fprintf(f, "## %s\n\n", name);
	if (plots_has_bars(s))
		fprintf(f,
			"![%s: best static policy and stock2 against stock](plots/%s-ratio.svg)\n\n",
			name, name);
	room_write(f, s);
	dynamic_write(f, s);
	sweep_write(f, s);
	secondary_write(f, s);
	latency_write(f, s);
}

static void legend_write(FILE *f, bool intervals)
{
	fputs("## How to read the tables\n\n"
	      "- A ratio compares a policy with `stock`, the unmodified kernel, in the primary metric of the workload. It is turned so that **above 1 is better than stock**: value / stock where larger is better (↑), stock / value where smaller is better (↓).\n",
	      f);
	if (intervals)
		fputs("- Small print below a ratio: 95 % confidence interval over seeds. Each seed is compared with the same seed of stock; Student's t on the logarithms of these ratios.\n"
		      "- ▲ the interval lies wholly above 1, ▼ wholly below 1: a clear win, a clear loss.\n",
		      f);
	else
		fputs("- **One seed: there are no confidence intervals.** A difference may be the seed's.\n",
		      f);
	fputs("- **Bold**: the best policy of the row (stock and stock2 do not compete).\n"
	      "- (n/m): n of m seeds, or n of m workloads, have a figure. –: not run, or nothing to compare with. failed: every run failed. zero: a figure is 0, a ratio does not exist.\n"
	      "- noise: the largest |stock2 / stock − 1| of the workload's seeds. A ratio nearer to 1 than that says nothing.\n\n",
	      f);
}

/**
 * report_write - the whole of report.md
 * @f: where to
 * @m: model
 * @cut: the CSV ended in the middle of a line
 */
void report_write(FILE *f, const struct model *m, bool cut)
{
	bool intervals = false;
	size_t runs = 0;
	int c;

	for (c = 0; c < NR_CONSUMERS; c++) {
		runs += m->suites[c].nr_runs;
		intervals |= m->suites[c].max_seeds > 1;
	}
	fputs("# Results\n\n", f);
	if (cut)
		fputs("**The last line of results.csv has no end: the run was interrupted, and the line is left out.**\n\n",
		      f);
	if (!runs) {
		fputs("results.csv holds no runs: there is nothing to report.\n",
		      f);
		return;
	}
	headline_write(f, m);
	legend_write(f, intervals);
	for (c = 0; c < NR_CONSUMERS; c++)
		if (m->suites[c].nr_runs)
			suite_write(f, &m->suites[c]);
	failed_write(f, m);
}
