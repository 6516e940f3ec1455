// SPDX-License-Identifier: GPL-2.0-only
/*
 * parity.c - compiled tables against XGBoost
 *
 * Trains models of all supported objectives, compiles them and compares, for
 * random rows: the leaf that each tree leads to, which must be the same; the
 * groups' sums, which must be as near to XGBoost's margins as the compiler has
 * promised; the action, which may differ only where the promise allows it. TAP.
 */
#include <float.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <linux/ml_trees.h>

#include "../../ml_lib/trees.h"
#include "../compile.h"
#include "models.h"

#define BATCH 2048
#define MAX_FEATURES ML_TREES_MAX_FEATURES

static const struct model_shape shapes[] = {
	{ "multi:softprob", 20, 4, 8, 4, 0, NULL, "hist", 0 },
	{ "multi:softprob", 50, 6, 12, 3, 0, "0.25", "exact", 7 },
	{ "multi:softmax", 100, 8, 17, 5, 0, NULL, "hist", 5 },
	{ "multi:softmax", 66, 1, 64, 33, 0, NULL, "hist", 0 },
	{ "binary:logistic", 20, 4, 1, 2, 0, NULL, "exact", 0 },
	{ "binary:logistic", 50, 6, 8, 2, 0, "0.1", "approx", 3 },
	{ "binary:logitraw", 50, 4, 64, 2, 0, "0.7", "hist", 0 },
	{ "binary:hinge", 30, 5, 5, 2, 0, NULL, "exact", 4 },
	{ "reg:squarederror", 100, 8, 33, 16, 0, NULL, "hist", 0 },
	{ "reg:squarederror", 20, 4, 4, 4, 4, "-3.5", "exact", 2 },
	{ "reg:squarederror", 20, 7, 3, 2, 0, "100000000", "hist", 0 },
	{ "reg:pseudohubererror", 50, 6, 8, 6, 0, NULL, "hist", 6 },
	{ "reg:absoluteerror", 100, 4, 8, 8, 0, NULL, "hist", 1 },
};

#define NR_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* What has been seen of one model */
struct result {
	unsigned long rows;
	unsigned long wrong_leaves;
	unsigned long wrong_sums; /* ml_trees_sums() against the walk here */
	unsigned long wide_margins; /* farther than the bound */
	unsigned long other_actions; /* with a reason */
	unsigned long wrong_actions; /* without one */
	double farthest;
};

struct comparison {
	const struct trained *model;
	const struct compiled *compiled;
	struct ml_trees trees;
	struct result *result;
};

/* By the letter of the format, in signed numbers: leaf reached and its value */
static unsigned int walk(const void *tree, unsigned int depth,
			 const int32_t *row, int32_t *value)
{
	const struct ml_trees_node *nodes = tree;
	unsigned int slots = 1U << depth, slot = 1;

	while (slot < slots) {
		int32_t threshold = nodes[slot].threshold ^ 0x80000000U;

		slot = 2 * slot + (row[nodes[slot].feature] < threshold);
	}
	*value = ((const int32_t *)(nodes + slots))[slot - slots];
	return slot - slots;
}

static size_t tree_size(unsigned int depth)
{
	return depth ? (size_t)12 << depth : 16;
}

/* All trees of a row; @leaves is XGBoost's answer, in its order of trees */
static void compare_leaves(const struct comparison *c, const int32_t *row,
			   const float *leaves, int32_t *sums)
{
	const struct ml_trees_header *h = c->trees.header;
	const unsigned int *leaf_of = c->compiled->leaf_of;
	const unsigned int *tree_of = c->compiled->tree_of;
	const char *tree = c->trees.nodes;
	unsigned int i, j;

	memcpy(sums, c->trees.base, h->nr_groups * sizeof(*sums));
	for (i = 0; i < h->nr_runs; i++) {
		const struct ml_trees_run *run = &c->trees.runs[i];

		for (j = 0; j < run->nr_trees; j++) {
			unsigned int leaf;
			int32_t value;

			leaf = walk(tree, run->depth, row, &value);
			sums[run->group] += value;
			if (leaf_of[leaf] != (unsigned int)leaves[*tree_of])
				c->result->wrong_leaves++;
			leaf_of += 1U << run->depth;
			tree_of++;
			tree += tree_size(run->depth);
		}
	}
}

static unsigned int first_largest(const float *margins, unsigned int nr)
{
	unsigned int i, best = 0;

	for (i = 1; i < nr; i++)
		if (margins[i] > margins[best])
			best = i;
	return best;
}

/*
 * The action that XGBoost's margins mean, and by how much a margin would have
 * to be off for @action to be right as well.
 */
static unsigned int expected_action(const struct ml_trees_header *h,
				    const float *margins, unsigned int action,
				    double *off)
{
	double rounded, low, high;
	unsigned int best;

	switch (h->rule) {
	case ML_TREES_ARGMAX:
		best = first_largest(margins, h->nr_groups);
		/* Each of the two by half of what is between them */
		*off = ((double)margins[best] - margins[action]) / 2;
		return best;
	case ML_TREES_SIGN:
		*off = fabs(margins[0]);
		return margins[0] > 0;
	default:
		rounded = floor((double)margins[0] + 0.5);
		best = fmin(fmax(rounded, 0), h->nr_actions - 1);
		low = action ? action - 0.5 - margins[0] : 0;
		high = action < h->nr_actions - 1U ?
			       margins[0] - (action + 0.5) :
			       0;
		*off = fmax(fmax(low, high), 0);
		return best;
	}
}

static void compare_row(const struct comparison *c, const int32_t *row,
			const float *leaves, const float *margins)
{
	const struct ml_trees_header *h = c->trees.header;
	int32_t walked[ML_TREES_MAX_GROUPS], sums[ML_TREES_MAX_GROUPS];
	struct result *r = c->result;
	unsigned int i, action;
	double off;

	compare_leaves(c, row, leaves, walked);
	ml_trees_sums(&c->trees, row, sums);
	if (memcmp(walked, sums, h->nr_groups * sizeof(*sums)))
		r->wrong_sums++;
	for (i = 0; i < h->nr_groups; i++) {
		off = fabs(ldexp(sums[i], -h->fraction) - margins[i]);
		r->farthest = fmax(r->farthest, off);
		if (!(off <= c->compiled->bound))
			r->wide_margins++;
	}
	action = ml_trees_action(&c->trees, row);
	if (action >= h->nr_actions ||
	    (action != expected_action(h, margins, action, &off) &&
	     off > c->compiled->bound))
		r->wrong_actions++;
	else if (action != expected_action(h, margins, action, &off))
		r->other_actions++;
	r->rows++;
}

/* XGBoost's answer of a kind: 1 for margins, 6 for leaves; copied to @to */
static void predict(const struct comparison *c, DMatrixHandle rows,
		    unsigned int kind, float *to, size_t nr)
{
	const float *answer;
	bst_ulong const *shape;
	bst_ulong dimensions, i, got = 1;
	char config[160];

	snprintf(
		config, sizeof(config),
		"{\"type\": %u, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": 0, \"strict_shape\": false}",
		kind);
	XGB(XGBoosterPredictFromDMatrix(c->model->booster, rows, config, &shape,
					&dimensions, &answer));
	for (i = 0; i < dimensions; i++)
		got *= shape[i];
	if (got != nr) {
		fprintf(stderr, "XGBoost has %llu answers, expected %zu\n",
			(unsigned long long)got, nr);
		exit(EX_SOFTWARE);
	}
	memcpy(to, answer, nr * sizeof(*to));
}

/* As the agent may hand them over: converted here, or by XGBoost */
static DMatrixHandle to_matrix(const int32_t *rows, float *floats, size_t nr,
			       unsigned int nr_features, int as_integers)
{
	DMatrixHandle matrix;
	char interface[192];
	size_t i;

	for (i = 0; i < nr * nr_features; i++)
		floats[i] = (float)rows[i];
	snprintf(
		interface, sizeof(interface),
		"{\"data\": [%llu, true], \"shape\": [%zu, %u], \"typestr\": \"%s\", \"version\": 3}",
		(unsigned long long)(uintptr_t)(as_integers ?
							(const void *)rows :
							(const void *)floats),
		nr, nr_features, as_integers ? "<i4" : "<f4");
	XGB(XGDMatrixCreateFromDense(
		interface, "{\"missing\": NaN, \"nthread\": 1}", &matrix));
	return matrix;
}

static void *room(size_t nr, size_t size)
{
	void *p = calloc(nr + 1, size);

	if (!p) {
		fputs("out of memory\n", stderr);
		exit(EX_OSERR);
	}
	return p;
}

static void compare_rows(const struct comparison *c, unsigned long nr_rows,
			 uint64_t seed)
{
	const struct ml_trees_header *h = c->trees.header;
	int32_t *rows = room(BATCH * h->nr_features, sizeof(*rows));
	float *floats = room(BATCH * h->nr_features, sizeof(*floats));
	float *leaves = room((size_t)BATCH * h->nr_trees, sizeof(*leaves));
	float *margins = room(BATCH * h->nr_groups, sizeof(*margins));
	unsigned long done, nr, i, batch = 0;
	struct hard_values hard;

	hard_values_find(c->model->json, h->nr_features, &hard);
	for (done = 0; done < nr_rows; done += nr, batch++) {
		DMatrixHandle matrix;

		nr = nr_rows - done < BATCH ? nr_rows - done : BATCH;
		for (i = 0; i < nr; i++)
			random_row(&hard, &seed, rows + i * h->nr_features);
		matrix = to_matrix(rows, floats, nr, h->nr_features, batch % 2);
		predict(c, matrix, 6, leaves, nr * h->nr_trees);
		predict(c, matrix, 1, margins, nr * h->nr_groups);
		XGB(XGDMatrixFree(matrix));
		for (i = 0; i < nr; i++)
			compare_row(c, rows + i * h->nr_features,
				    leaves + i * h->nr_trees,
				    margins + i * h->nr_groups);
	}
	hard_values_free(&hard);
	free(rows);
	free(floats);
	free(leaves);
	free(margins);
}

static int report(unsigned int number, const struct model_shape *s,
		  const struct compiled *compiled, const struct result *r)
{
	int bad = r->wrong_leaves || r->wrong_sums || r->wide_margins ||
		  r->wrong_actions;

	printf("%s %u - %s, %u trees of depth %u, %u features, %u actions\n",
	       bad ? "not ok" : "ok", number, s->objective,
	       ((const struct ml_trees_header *)compiled->table)->nr_trees,
	       s->depth, s->nr_features, s->nr_actions);
	printf("# %lu rows, %u nodes left out, margins within %.2g of %.2g, %lu other actions within it\n",
	       r->rows, compiled->folded, r->farthest, compiled->bound,
	       r->other_actions);
	if (bad)
		printf("# wrong: %lu leaves, %lu sums, %lu margins, %lu actions\n",
		       r->wrong_leaves, r->wrong_sums, r->wide_margins,
		       r->wrong_actions);
	fflush(stdout);
	return bad;
}

static int compare_model(unsigned int number, unsigned long nr_rows)
{
	const struct model_shape *s = &shapes[number];
	struct ml_trees_fit fit = { MODEL_SCHEMA, s->nr_features,
				    s->nr_actions };
	struct result result = { 0 };
	struct compiled compiled;
	struct trained model;
	struct comparison c = {
		.model = &model,
		.compiled = &compiled,
		.result = &result,
	};
	char why[256];
	int bad;

	model_train(s, number + 1, &model);
	if (compile_model(model.json, "parity", &compiled, why, sizeof(why)) ||
	    ml_trees_verify(&c.trees, compiled.table, compiled.size, &fit,
			    NULL)) {
		printf("not ok %u - %s\n# %s\n", number + 1, s->objective, why);
		model_free(&model);
		return 1;
	}
	compare_rows(&c, nr_rows, number + 1);
	bad = report(number + 1, s, &compiled, &result);
	compile_free(&compiled);
	model_free(&model);
	return bad;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rows", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long nr_rows = 10000;
	unsigned int i, bad = 0;
	char *end = "";
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			nr_rows = strtoul(optarg, &end, 10);
		if (c != 'r' || *end || !nr_rows) {
			fprintf(stderr, "usage: %s [--rows ROWS-A-MODEL]\n",
				argv[0]);
			return EX_USAGE;
		}
	}
	printf("1..%zu\n", NR_SHAPES);
	for (i = 0; i < NR_SHAPES; i++)
		bad += compare_model(i, nr_rows);
	return bad ? 1 : 0;
}
