// SPDX-License-Identifier: GPL-2.0-only
/* train.c - mlctl train: record files to a model */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <xgboost/c_api.h>

#include "learn.h"

static struct learn_options options = LEARN_DEFAULTS;
static const char *output, *label_column;
static bool balance;

static const struct option_spec specs[] = {
	{ "output", "FILE", "write the model there; needed", &output,
	  .type = OPT_TEXT, .letter = 'o' },
	{ "objective",
	  "reward, choice, multi:softprob, binary:logistic or reg:squarederror",
	  "default: reward", &options.objective, .type = OPT_NAME,
	  .names = objective_names },
	{ "label", "COLUMN",
	  "action, reward or a feature, which is then left out of the features",
	  &label_column, .type = OPT_TEXT },
	{ "trees", "N", "for each action or class; default: 20", &options.trees,
	  .type = OPT_INT, .min = 1, .max = ML_TREES_MAX_TREES },
	{ "depth", "N", "of the trees; default: 4", &options.depth,
	  .type = OPT_INT, .min = 1, .max = ML_TREES_MAX_DEPTH },
	{ "eta", "X", "learning rate; default: 0.3", &options.eta,
	  .type = OPT_REAL, .min = 0.001, .max = 1 },
	{ "seed", "N", "default: 1", &options.seed, .type = OPT_INT,
	  .max = INT32_MAX },
	{ "threads", "N", "the model does not depend on it; default: 1",
	  &options.threads, .type = OPT_INT, .min = 1, .max = 256 },
	{ "min-rows", "N",
	  "an action with fewer is never chosen by the model; default: 50",
	  &options.min_rows, .type = OPT_INT, .min = 2, .max = 1e9 },
	{ "valid", "SHARE",
	  "of the rows kept apart, by context and time; default: 0.2",
	  &options.valid, .type = OPT_REAL, .min = 0, .max = 0.9 },
	{ "log-scale", "X",
	  "learn log2(1 + |reward| / X) of the reward, with its sign; default: 0, the reward itself",
	  &options.scale, .type = OPT_REAL, .min = 0, .max = 1e6 },
	{ "balance", NULL,
	  "every FILE.csv counts the same, in training and in what is told of it",
	  &balance, .type = OPT_FLAG },
};

static const struct usage usage = {
	.name = "train",
	.args = "FILE.csv... -o MODEL.json",
	.about =
		"Train an XGBoost model from what mlctl record has written.\n"
		"The objective reward learns for each action what reward it earns; the model\n"
		"chooses the action that earns most. choice learns which that is and nothing\n"
		"else; of small trees it makes more. The others learn a label: multi:softprob\n"
		"and binary:logistic the action (imitation), reg:squarederror the reward. A row\n"
		"counts as many units as its decision was about.\n",
	.options = specs,
	.nr_options = ARRAY_SIZE(specs),
	.min_args = 1,
	.max_args = -1,
};

struct importance {
	const char *name;
	double gain;
};

static int by_gain(const void *a, const void *b)
{
	const struct importance *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain < y->gain ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Gain of the features that are in use, the largest first. */
static int importances(const struct booster *booster,
		       struct importance found[ML_MAX_FEATURES], size_t *nr)
{
	bst_ulong nr_names, dim;
	const bst_ulong *shape;
	const float *scores;
	const char **names;
	size_t i;

	*nr = 0;
	if (XGBoosterFeatureScore(booster->handle,
				  "{\"importance_type\": \"gain\"}", &nr_names,
				  &names, &dim, &shape, &scores))
		return fail(EX_SOFTWARE, "train: importance: %s",
			    XGBGetLastError());
	for (i = 0; i < nr_names && i < ML_MAX_FEATURES; i++)
		found[(*nr)++] = (struct importance){ names[i], scores[i] };
	qsort(found, *nr, sizeof(*found), by_gain);
	return 0;
}

/* Take a feature's column out of the rows; it becomes the label. */
static int take_column(struct csv *csv, const char *name, float *labels)
{
	struct csv_head *head = &csv->head;
	unsigned int width = head->nr_features, at;
	int32_t *to = csv->features;
	size_t i;

	for (at = 0; at < width; at++)
		if (!strcmp(head->features[at], name))
			break;
	if (at == width || width == 1)
		return fail(
			EX_USAGE,
			"train: --label: expected action, reward or one of several features, got \"%s\"",
			name);
	for (i = 0; i < csv->nr_rows; i++) {
		const int32_t *from = csv->features + i * width;

		labels[i] = from[at];
		memmove(to, from, at * sizeof(*to));
		memmove(to + at, from + at + 1, (width - at - 1) * sizeof(*to));
		to += width - 1;
	}
	head->nr_features--;
	memmove(head->features[at], head->features[at + 1],
		(width - at - 1) * sizeof(*head->features));
	memset(head->features[width - 1], 0, sizeof(*head->features));
	return 0;
}

static int make_labels(struct csv *csv, float **labels)
{
	enum objective source = options.objective;

	if (label_column && learns_from_rewards(options.objective))
		return fail(
			EX_USAGE,
			"train: --label: the objectives reward and choice have none");
	if (label_column && !strcmp(label_column, "reward"))
		source = OBJ_SQUAREDERROR;
	else if (label_column && !strcmp(label_column, "action"))
		source = OBJ_SOFTPROB;
	else if (!label_column)
		label_column = "";
	*labels = learn_labels(csv, source, options.scale);
	if (!*labels)
		return fail(EX_OSERR, "train: out of memory");
	if (!*label_column || !strcmp(label_column, "reward") ||
	    !strcmp(label_column, "action"))
		return 0;
	return take_column(csv, label_column, *labels);
}

static int write_model(const struct learned *learned)
{
	FILE *f = fopen(output, "w");

	if (!f)
		return fail(EX_CANTCREAT, "%s: %s", output, strerror(errno));
	fwrite(learned->json, 1, learned->len, f);
	fputc('\n', f);
	if (ferror(f) | fclose(f))
		return fail(EX_IOERR, "%s: %s", output, strerror(errno));
	return 0;
}

/* What is on the disk must predict what has been trained. */
static int check_written(const struct booster *booster, const struct csv *csv)
{
	size_t nr = csv->nr_rows < 1000 ? csv->nr_rows : 1000;
	size_t size = nr * booster->nr_groups * sizeof(float);
	struct booster written = {};
	float *expected = malloc(size);
	const float *margins;
	char error[ERROR_LEN];
	int ret;

	if (!expected)
		return fail(EX_OSERR, "train: out of memory");
	ret = booster_margins(booster, csv->features, nr, &margins, error);
	if (!ret) {
		memcpy(expected, margins, size);
		ret = booster_load(&written, output, error);
	}
	if (!ret)
		ret = booster_check(&written, output, &csv->head, error);
	if (!ret)
		ret = booster_margins(&written, csv->features, nr, &margins,
				      error);
	if (ret)
		fail(ret, "%s", error);
	else if (memcmp(expected, margins, size))
		ret = fail(
			EX_SOFTWARE,
			"%s: expected the margins of the trained model, got others",
			output);
	booster_free(&written);
	free(expected);
	return ret;
}

static void print_text(const struct csv *csv, const struct learned *learned,
		       const struct quality *q,
		       const struct importance *features, size_t nr)
{
	const struct csv_head *head = &csv->head;
	size_t i;

	printf("rows %zu: %zu to train on, %zu kept apart, %zu without a label\n",
	       csv->nr_rows, learned->nr_train, learned->nr_valid,
	       csv->nr_rows - learned->nr_train - learned->nr_valid);
	for (i = 0; i < head->nr_actions; i++)
		printf("  action %-20s %8zu rows%s\n", head->actions[i],
		       learned->rows[i],
		       !learned->skipped[i] ? "" :
		       i		    ? "  too few: never chosen" :
			   "  too few: taken to earn the mean reward");
	if (q->rows && options.objective == OBJ_SOFTPROB)
		printf("wrong class: %.4g of %zu rows\n", q->wrong, q->rows);
	else if (q->rows && options.objective != OBJ_CHOICE)
		printf("RMSE %.6g; of predicting the mean: %.6g (%zu rows)\n",
		       q->rmse, q->rmse_mean, q->rows);
	if (q->rows && options.objective == OBJ_LOGISTIC)
		printf("wrong class: %.4g of %zu rows\n", q->wrong, q->rows);
	if (q->rows && learns_from_rewards(options.objective))
		print_value(&q->value, head->actions[0]);
	for (i = 0; i < nr; i++)
		printf("  gain %-22s %.6g\n", features[i].name,
		       features[i].gain);
}

static int print_as_json(const struct csv *csv, const struct learned *learned,
			 const struct quality *q,
			 const struct importance *features, size_t nr)
{
	json_t *actions = json_array(), *gains = json_object(), *root;
	size_t i;

	for (i = 0; i < csv->head.nr_actions; i++)
		json_array_append_new(
			actions, json_pack("{s:s, s:I, s:b}", "name",
					   csv->head.actions[i], "rows",
					   (json_int_t)learned->rows[i],
					   "skipped", learned->skipped[i]));
	for (i = 0; i < nr; i++)
		json_object_set_new(gains, features[i].name,
				    json_number(features[i].gain));
	root = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "model", output,
			 "objective", objective_names[options.objective],
			 "rows", (json_int_t)csv->nr_rows, "rows_train",
			 (json_int_t)learned->nr_train, "rows_valid",
			 (json_int_t)learned->nr_valid, "actions", actions,
			 "gain", gains);
	if (q->rows && options.objective != OBJ_SOFTPROB &&
	    options.objective != OBJ_CHOICE) {
		json_object_set_new(root, "rmse", json_number(q->rmse));
		json_object_set_new(root, "rmse_of_mean",
				    json_number(q->rmse_mean));
	}
	if (q->rows && (options.objective == OBJ_SOFTPROB ||
			options.objective == OBJ_LOGISTIC))
		json_object_set_new(root, "wrong", json_number(q->wrong));
	if (q->value.rows)
		add_value(root, &q->value);
	return print_json(root);
}

static int report(const struct booster *booster, const struct csv *csv,
		  const struct learned *learned, const struct quality *quality)
{
	struct importance features[ML_MAX_FEATURES];
	size_t nr;
	int ret = importances(booster, features, &nr);

	if (ret)
		return ret;
	if (json_output)
		return print_as_json(csv, learned, quality, features, nr);
	print_text(csv, learned, quality, features, nr);
	return finish_output();
}

static int train(struct csv *csv)
{
	struct learned learned = {};
	struct booster booster = {};
	struct quality quality;
	float *labels = NULL;
	char error[ERROR_LEN];
	int ret;

	ret = make_labels(csv, &labels);
	if (ret)
		goto out;
	if (balance && !csv_balance(csv, labels)) {
		ret = fail(EX_OSERR, "train: out of memory");
		goto out;
	}
	ret = learn(csv, labels, &options, &learned, error);
	if (!ret)
		ret = booster_load_buffer(&booster, "trained model",
					  learned.json, learned.len, error);
	if (!ret)
		ret = measure(&booster, csv, labels, &options, &learned,
			      &quality, error);
	if (ret) {
		fail(ret, "%s", error);
		goto out;
	}
	ret = write_model(&learned);
	if (!ret)
		ret = check_written(&booster, csv);
	if (!ret)
		ret = report(&booster, csv, &learned, &quality);
out:
	booster_free(&booster);
	learned_free(&learned);
	free(labels);
	return ret;
}

int cmd_train(int argc, char **argv)
{
	struct csv csv = {};
	char error[ERROR_LEN];
	int ret, nr, i;

	nr = parse_options(&usage, argc, argv, &ret);
	if (nr < 0)
		return ret;
	if (!output)
		return fail(EX_USAGE, "train: expected -o MODEL.json");
	for (i = 0; i < nr && !ret; i++) {
		ret = csv_read(&csv, argv[optind + i], error);
		if (ret)
			fail(ret, "%s", error);
	}
	if (!ret && !csv.nr_rows)
		ret = fail(EX_DATAERR, "%s: expected rows, got none",
			   argv[optind]);
	if (!ret)
		ret = train(&csv);
	csv_free(&csv);
	return ret;
}
