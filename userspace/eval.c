// SPDX-License-Identifier: GPL-2.0-only
/* eval.c - mlctl eval: a model and its table on the same rows */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "booster.h"
#include "compile.h"
#include "trees.h"

#define CHUNK 4096 /* rows */

static const char *model_path, *table_path;

static const struct option_spec specs[] = {
	{ "model", "MODEL.json", "of XGBoost; needed", &model_path,
	  .type = OPT_TEXT, .letter = 'm' },
	{ "table", "TABLE.mltree", "default: what the model compiles to",
	  &table_path, .type = OPT_TEXT, .letter = 't' },
};

static const struct usage usage = {
	.name = "eval",
	.args = "FILE.csv --model MODEL.json",
	.about =
		"Run every row of a record file through the model, as XGBoost computes it, and\n"
		"through the table, as the kernel does. Exit code 1 tells that they disagree by\n"
		"more than the rounding that the table's fraction allows.\n",
	.options = specs,
	.nr_options = ARRAY_SIZE(specs),
	.min_args = 1,
	.max_args = 1,
};

struct comparison {
	size_t rows;
	size_t same; /* action */
	size_t ties; /* another one, of a margin within the bound */
	size_t wrong; /* another one, without that excuse */
	size_t margins;
	double max_error;
	double sum_error;
	double bound;
};

/* Could rounding within @bound make the table choose @action? */
static bool is_tie(const struct booster *booster, const float *margins,
		   unsigned int action, unsigned int expected, double bound)
{
	double x = margins[0], edge;

	switch (booster->rule) {
	case ML_TREES_ARGMAX:
		return fabs((double)margins[action] - margins[expected]) <=
		       2 * bound;
	case ML_TREES_SIGN:
		return fabs(x) <= bound;
	default:
		edge = (action > expected ? action : expected) - 0.5;
		return abs((int)action - (int)expected) == 1 &&
		       fabs(x - edge) <= bound;
	}
}

static void compare_row(const struct booster *booster,
			const struct ml_trees *trees, const int32_t *features,
			const float *margins, struct comparison *c)
{
	unsigned int nr_actions = trees->header->nr_actions, expected, action;
	int32_t sums[ML_TREES_MAX_GROUPS];
	unsigned int i;

	ml_trees_sums(trees, features, sums);
	for (i = 0; i < booster->nr_groups; i++) {
		double error = fabs(ldexp(sums[i], -trees->header->fraction) -
				    margins[i]);

		c->sum_error += error;
		c->margins++;
		if (!(error <= c->max_error))
			c->max_error = error;
	}
	expected = booster_action(booster, margins, nr_actions);
	action = ml_trees_action(trees, features);
	c->rows++;
	if (action == expected)
		c->same++;
	else if (is_tie(booster, margins, action, expected, c->bound))
		c->ties++;
	else
		c->wrong++;
}

static int compare(const struct booster *booster, const struct ml_trees *trees,
		   const struct csv *csv, struct comparison *c)
{
	unsigned int width = csv->head.nr_features;
	const float *margins;
	char error[ERROR_LEN];
	size_t at, nr, i;
	int ret;

	for (at = 0; at < csv->nr_rows; at += nr) {
		const int32_t *features = csv->features + at * width;

		nr = csv->nr_rows - at < CHUNK ? csv->nr_rows - at : CHUNK;
		ret = booster_margins(booster, features, nr, &margins, error);
		if (ret)
			return fail(ret, "%s", error);
		for (i = 0; i < nr; i++)
			compare_row(booster, trees, features + i * width,
				    margins + i * booster->nr_groups, c);
	}
	return 0;
}

static int report(const struct comparison *c, bool identical)
{
	bool ok = !c->wrong && c->max_error <= c->bound;
	double mean = c->margins ? c->sum_error / c->margins : 0;
	int ret;

	if (json_output)
		ret = print_json(json_pack(
			"{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:b, s:b}", "rows",
			(json_int_t)c->rows, "same_action", (json_int_t)c->same,
			"ties", (json_int_t)c->ties, "wrong_action",
			(json_int_t)c->wrong, "max_error", c->max_error,
			"mean_error", mean, "bound", c->bound, "as_compiled",
			identical, "ok", ok));
	else {
		printf("rows %zu: same action %zu, another one within the bound %zu, wrong %zu\n"
		       "margin error: max %.3g, mean %.3g, bound %.3g\n",
		       c->rows, c->same, c->ties, c->wrong, c->max_error, mean,
		       c->bound);
		if (!identical)
			puts("the table differs from what the model compiles to");
		ret = finish_output();
	}
	return ret ? ret : !ok;
}

/* The table's file if there is one, else @compiled */
static int get_table(const struct compiled *compiled,
		     const struct ml_trees_fit *fit, void **data,
		     struct ml_trees *trees)
{
	const void *table = compiled->table;
	size_t size = compiled->size;
	enum ml_trees_fault fault;
	__u64 offset;
	int ret;

	if (table_path) {
		ret = libml_read_file(table_path, data, &size);
		if (ret)
			return fail(EX_NOINPUT, "%s: %s", table_path,
				    strerror(-ret));
		table = *data;
	}
	fault = ml_trees_verify(trees, table, size, fit, &offset);
	if (fault)
		return fail(EX_DATAERR, "%s: table refused: %s at byte %llu",
			    table_path ? table_path : model_path,
			    ml_trees_fault_name(fault), offset);
	return 0;
}

static int eval(const struct booster *booster, const struct csv *csv,
		const struct compiled *compiled)
{
	const struct ml_trees_fit fit = {
		.schema = csv->head.schema,
		.nr_features = csv->head.nr_features,
		.nr_actions = csv->head.nr_actions,
	};
	struct comparison c = { .bound = compiled->bound };
	struct ml_trees trees;
	void *data = NULL;
	int ret;

	ret = get_table(compiled, &fit, &data, &trees);
	if (!ret && trees.header->nr_groups != booster->nr_groups)
		ret = fail(EX_DATAERR,
			   "%s: expected %u groups as the model has, got %u",
			   table_path, booster->nr_groups,
			   trees.header->nr_groups);
	if (!ret)
		ret = compare(booster, &trees, csv, &c);
	if (!ret)
		ret = report(&c, trees.header->size == compiled->size &&
					 !memcmp(trees.header, compiled->table,
						 compiled->size));
	free(data);
	return ret;
}

int cmd_eval(int argc, char **argv)
{
	struct compiled compiled = {};
	struct booster booster = {};
	struct csv csv = {};
	char error[ERROR_LEN];
	int ret;

	if (parse_options(&usage, argc, argv, &ret) < 0)
		return ret;
	if (!model_path)
		return fail(EX_USAGE, "eval: expected --model MODEL.json");
	ret = csv_read(&csv, argv[optind], error);
	if (!ret)
		ret = booster_load(&booster, model_path, error);
	if (!ret)
		ret = booster_check(&booster, model_path, &csv.head, error);
	if (ret)
		fail(ret, "%s", error);
	else if (compile_file(model_path, NULL, &compiled, error, ERROR_LEN))
		ret = fail(EX_DATAERR, "%s: %s", model_path, error);
	else
		ret = eval(&booster, &csv, &compiled);
	compile_free(&compiled);
	booster_free(&booster);
	csv_free(&csv);
	return ret;
}
