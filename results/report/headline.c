// SPDX-License-Identifier: GPL-2.0-only
/* headline.c - the first screen of report.md: what was run, what came out */
#include <math.h>
#include <stdlib.h>

#include "format.h"
#include "tables.h"

/* Geometric mean and range of the best static policy of each task. */
struct room {
	struct gmean mean;
	double min;
	double max;
};

static struct room suite_room(const struct suite *s)
{
	struct room room = { .min = INFINITY };
	size_t i;

	for (i = 0; i < s->nr_tasks; i++) {
		const struct task *t = &s->tasks[i];
		double ratio;

		if (t->best < 0)
			continue;
		ratio = t->cells[t->best].ratio.mid;
		gmean_add(&room.mean, ratio);
		if (ratio < room.min)
			room.min = ratio;
		if (ratio > room.max)
			room.max = ratio;
	}
	return room;
}

static size_t suite_noise(const struct suite *s, int p, double *noise)
{
	size_t i, nr = 0;

	for (i = 0; i < s->nr_tasks; i++)
		nr += task_noise(s, &s->tasks[i], p, noise + nr);
	return nr;
}

static size_t within(const double *x, size_t nr, double limit)
{
	size_t i, in = 0;

	for (i = 0; i < nr; i++)
		in += x[i] <= limit;
	return in;
}

/* @noise gets sorted. */
static void noise_row(FILE *f, const char *name, double *noise, size_t nr)
{
	double mid = median(noise, nr);

	if (!nr) {
		fprintf(f, "| %s | 0 | – | – | – | – |\n", name);
		return;
	}
	fprintf(f, "| %s | %zu | %s | %s | %zu (%s) | %zu (%s) |\n", name, nr,
		fmt_share(mid), fmt_share(noise[nr - 1]),
		within(noise, nr, 0.001),
		fmt_share((double)within(noise, nr, 0.001) / nr),
		within(noise, nr, 0.005),
		fmt_share((double)within(noise, nr, 0.005) / nr));
}

/* How far stock2, or stock-nudged, is from stock */
static void noise_table(FILE *f, const struct model *m, bool nudged)
{
	size_t nr = 0, all = 0;
	double *noise;
	int c;

	for (c = 0; c < NR_CONSUMERS; c++)
		nr += m->suites[c].nr_runs;
	noise = xcalloc(nr, sizeof(*noise));

	fputs(nudged ?
		      "**Chance**: the same for `stock-nudged`, where only the moment the workload starts differs. This is what an accident of timing can do, and seeds average out; a workload with a large figure needs many seeds.\n\n" :
		      "**Noise floor**: how far a second run of the stock kernel (`stock2`) is from the first in the primary metric, \\|stock2 / stock − 1\\|, each workload and seed.\n\n",
	      f);
	fputs("| consumer | pairs | median | largest | within 0.1 % | within 0.5 % |\n"
	      "|---|--:|--:|--:|--:|--:|\n",
	      f);
	for (c = 0; c < NR_CONSUMERS; c++) {
		const struct suite *s = &m->suites[c];

		if (!s->nr_runs)
			continue;
		nr = suite_noise(s, nudged ? s->nudged : s->stock2,
				 noise + all);
		noise_row(f, consumer_names[c], noise + all, nr);
		all += nr;
	}
	noise_row(f, "all", noise, all);
	fputc('\n', f);
	free(noise);
}

static void runs_table(FILE *f, const struct model *m)
{
	int c;

	fputs("| consumer | runs | failed | workloads × devices | train | test | policies | seeds |\n"
	      "|---|--:|--:|--:|--:|--:|--:|--:|\n",
	      f);
	for (c = 0; c < NR_CONSUMERS; c++) {
		const struct suite *s = &m->suites[c];

		if (!s->nr_runs)
			continue;
		fprintf(f,
			"| [%s](#%s) | %zu | %zu | %zu | %zu | %zu | %zu | %zu |\n",
			consumer_names[c], consumer_names[c], s->nr_runs,
			s->nr_failed, s->nr_tasks,
			suite_split_size(s, SPLIT_TRAIN),
			suite_split_size(s, SPLIT_TEST), s->nr_policies,
			s->max_seeds);
	}
	fputc('\n', f);
}

/* What one static setting for all workloads gives, as a sentence. */
static void single_sentence(FILE *f, const struct suite *s)
{
	struct gmean train = suite_gmean(s, s->single, SPLIT_TRAIN);
	struct gmean test = suite_gmean(s, s->single, SPLIT_TEST);
	int worst = suite_worst(s, s->single, NR_SPLITS);

	fprintf(f,
		" One setting for all, `%s`, chosen on train, gives × %s on train",
		s->policies[s->single].name,
		fmt_gmean(&train, suite_split_size(s, SPLIT_TRAIN)));
	if (test.nr)
		fprintf(f, " and × %s on test",
			fmt_gmean(&test, suite_split_size(s, SPLIT_TEST)));
	fprintf(f, "; its worst case is × %s, %s.",
		fmt_ratio(s->tasks[worst].cells[s->single].ratio.mid),
		fmt_task(&s->tasks[worst]));
}

static void room_sentence(FILE *f, const struct suite *s)
{
	struct room room = suite_room(s);

	fprintf(f, "- **%s**: ", consumer_names[s->consumer]);
	if (!room.mean.nr) {
		fputs("no static policy has a ratio to stock yet.\n", f);
		return;
	}
	fprintf(f,
		"the best static setting of each workload gives × %s of stock (geometric mean of %zu; %s to %s).",
		fmt_ratio(gmean_value(&room.mean)), room.mean.nr,
		fmt_ratio(room.min), fmt_ratio(room.max));
	if (s->single >= 0)
		single_sentence(f, s);
	fputc('\n', f);
}

/**
 * headline_write - runs, room and noise floor of all consumers
 * @f: report.md
 * @m: model with at least one run
 */
void headline_write(FILE *f, const struct model *m)
{
	int c;

	runs_table(f, m);
	fputs("**Room**: what is there to gain over the stock kernel by settings alone, in the primary metric of each workload.\n\n",
	      f);
	for (c = 0; c < NR_CONSUMERS; c++)
		if (m->suites[c].nr_runs)
			room_sentence(f, &m->suites[c]);
	fputc('\n', f);
	noise_table(f, m, false);
	for (c = 0; c < NR_CONSUMERS; c++) {
		if (m->suites[c].nr_runs && m->suites[c].nudged >= 0) {
			noise_table(f, m, true);
			break;
		}
	}
}
