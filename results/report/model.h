/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - results.csv arranged for the report
 *
 * A suite is one consumer's matrix: tasks (a workload on a device) x policies.
 * Every cell holds its runs, one for each seed, and its ratio to stock.
 *
 * Everything is sorted by names, never by the order of the CSV: tasks by split
 * (train first), workload, device; policies by kind, then name; runs by seed.
 */
#ifndef MLREPORT_MODEL_H
#define MLREPORT_MODEL_H

#include "csv.h"
#include "stats.h"

enum split {
	SPLIT_TRAIN,
	SPLIT_TEST,
	NR_SPLITS,
};

/* In the order in which the report prints them. */
enum policy_kind {
	POLICY_STOCK, /* the unmodified kernel */
	POLICY_STOCK2, /* the same once more: the noise floor */
	POLICY_STATIC, /* static-*: one setting, never changed */
	POLICY_DYNAMIC, /* everything else: decides at run time */
};

/**
 * struct run - one boot of the rig
 * @policy:	index in the suite's policies
 * @seed:	its seed
 * @rows:	its lines of the CSV
 * @nr_rows:	how many
 * @failed:	reason, NULL for a run with a primary figure
 * @value:	the primary figure, in the task's unit, >= 0
 */
struct run {
	size_t policy;
	unsigned long seed;
	const struct csv_row *rows;
	size_t nr_rows;
	const char *failed;
	double value;
};

/**
 * enum ratio_state - what a cell can say
 * @RATIO_NONE:		no run of this policy with a seed that stock has
 * @RATIO_FAILED:	all its runs failed
 * @RATIO_ZERO:		a figure is 0, no ratio exists
 * @RATIO_OK:		there is an estimate
 */
enum ratio_state {
	RATIO_NONE,
	RATIO_FAILED,
	RATIO_ZERO,
	RATIO_OK,
};

/**
 * struct cell - one policy on one task
 * @runs:	sorted by seed
 * @nr_runs:	how many, failed ones included
 * @state:	see enum ratio_state
 * @ratio:	primary metric against stock, paired by seed, > 1 is better
 * @nr_pairs:	seeds in @ratio
 */
struct cell {
	struct run *runs;
	size_t nr_runs;
	enum ratio_state state;
	struct estimate ratio;
	size_t nr_pairs;
};

/**
 * struct task - a workload on a device
 * @workload:	name
 * @device:	name
 * @split:	train or test
 * @metric:	primary metric, NULL when every run failed
 * @unit:	its unit
 * @higher:	larger is better
 * @nr_seeds:	different seeds in the CSV
 * @cells:	one for each policy of the suite
 * @best:	index of the best static policy, -1 without one
 */
struct task {
	const char *workload;
	const char *device;
	enum split split;
	const char *metric;
	const char *unit;
	bool higher;
	size_t nr_seeds;
	struct cell *cells;
	int best;
};

/**
 * struct policy - a column
 * @name:	name
 * @kind:	see enum policy_kind
 */
struct policy {
	const char *name;
	enum policy_kind kind;
};

/**
 * struct suite - all results of one consumer
 * @consumer:	which
 * @tasks:	rows
 * @nr_tasks:	how many
 * @policies:	columns
 * @nr_policies: how many
 * @runs:	sorted by task, policy, seed
 * @nr_runs:	how many
 * @nr_failed:	of them
 * @max_seeds:	largest number of seeds of a task
 * @stock:	index of the policy, -1 when missing
 * @stock2:	likewise
 * @nudged:	likewise, of stock-nudged
 * @single:	the static policy with the best geometric mean on train, or -1
 */
struct suite {
	enum consumer consumer;
	struct task *tasks;
	size_t nr_tasks;
	struct policy *policies;
	size_t nr_policies;
	struct run *runs;
	size_t nr_runs;
	size_t nr_failed;
	size_t max_seeds;
	int stock;
	int stock2;
	int nudged;
	int single;
};

/**
 * struct model - everything
 * @suites:	by consumer; nr_runs is 0 for a consumer without results
 */
struct model {
	struct suite suites[NR_CONSUMERS];
};

int model_build(struct model *m, struct csv *csv, const char *path,
		struct fault *fault);
void model_free(struct model *m);

struct gmean suite_gmean(const struct suite *s, size_t policy,
			 enum split split);
size_t suite_split_size(const struct suite *s, enum split split);
size_t task_noise(const struct suite *s, const struct task *t, int p,
		  double *noise);
int suite_worst(const struct suite *s, size_t policy, int split);

const struct csv_row *run_metric(const struct run *r, const char *metric);
bool cell_mean(const struct cell *c, const char *metric, double *mean);

#endif
