// SPDX-License-Identifier: GPL-2.0-only
/* eval.c - mlctl eval: a model and its table on the same rows */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "compile.h"
#include "learn.h"
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
		"more than the rounding that the table's fraction allows. It also tells what a\n"
		"decision of the model earns on these rows, compared with stock, and what it\n"
		"chooses, both by units. Rows that it was trained on flatter it.\n",
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
	uint8_t *choices; /* of the model, for each row */
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
	c->choices[c->rows++] = expected;
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

/* What the model earns on all rows, and the share of each action it chooses */
static int value_model(const struct csv *csv, const struct comparison *c,
		       struct value *value, double *shares)
{
	size_t *all = calloc(csv->nr_rows + 1, sizeof(*all)), i;
	double sum = 0;
	bool ok;

	if (!all)
		return fail(EX_OSERR, "eval: out of memory");
	for (i = 0; i < csv->nr_rows; i++) {
		double w = csv_weight(csv, &csv->rows[i]);

		all[i] = i;
		shares[c->choices[i]] += w;
		sum += w;
	}
	for (i = 0; i < csv->head.nr_actions && sum; i++)
		shares[i] /= sum;
	ok = estimate_value(csv, all, csv->nr_rows, c->choices, value);
	free(all);
	return ok ? 0 : fail(EX_OSERR, "eval: out of memory");
}

static void print_text(const struct csv_head *head, const struct comparison *c,
		       const struct value *value, const double *shares)
{
	unsigned int i;

	printf("rows %zu: same action %zu, another one within the bound %zu, wrong %zu\n"
	       "margin error: max %.3g, mean %.3g, bound %.3g\n",
	       c->rows, c->same, c->ties, c->wrong, c->max_error,
	       c->margins ? c->sum_error / c->margins : 0, c->bound);
	print_value(value, head->actions[0]);
	for (i = 0; i < head->nr_actions; i++)
		printf("  action %-20s %5.1f %% of the units\n",
		       head->actions[i], 100 * shares[i]);
}

static int print_as_json(const struct csv_head *head,
			 const struct comparison *c, const struct value *value,
			 const double *shares, bool identical, bool ok)
{
	json_t *root = json_pack(
		"{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:b, s:b}", "rows",
		(json_int_t)c->rows, "same_action", (json_int_t)c->same, "ties",
		(json_int_t)c->ties, "wrong_action", (json_int_t)c->wrong,
		"max_error", c->max_error, "mean_error",
		c->margins ? c->sum_error / c->margins : 0, "bound", c->bound,
		"as_compiled", identical, "ok", ok);
	json_t *chosen = json_object();
	unsigned int i;

	if (value->rows)
		add_value(root, value);
	for (i = 0; i < head->nr_actions; i++)
		json_object_set_new(chosen, head->actions[i],
				    json_real(shares[i]));
	json_object_set_new(root, "chosen", chosen);
	return print_json(root);
}

static int report(const struct csv *csv, const struct comparison *c,
		  bool identical)
{
	bool ok = !c->wrong && c->max_error <= c->bound;
	double shares[ML_MAX_ACTIONS] = {};
	struct value value;
	int ret = value_model(csv, c, &value, shares);

	if (ret)
		return ret;
	if (json_output) {
		ret = print_as_json(&csv->head, c, &value, shares, identical,
				    ok);
	} else {
		print_text(&csv->head, c, &value, shares);
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
	struct comparison c = {
		.bound = compiled->bound,
		.choices = calloc(csv->nr_rows + 1, sizeof(*c.choices)),
	};
	struct ml_trees trees;
	void *data = NULL;
	int ret;

	ret = c.choices ? get_table(compiled, &fit, &data, &trees) :
			  fail(EX_OSERR, "eval: out of memory");
	if (!ret && trees.header->nr_groups != booster->nr_groups)
		ret = fail(EX_DATAERR,
			   "%s: expected %u groups as the model has, got %u",
			   table_path, booster->nr_groups,
			   trees.header->nr_groups);
	if (!ret)
		ret = compare(booster, &trees, csv, &c);
	if (!ret)
		ret = report(csv, &c,
			     trees.header->size == compiled->size &&
				     !memcmp(trees.header, compiled->table,
					     compiled->size));
	free(c.choices);
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
