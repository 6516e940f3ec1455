// SPDX-License-Identifier: GPL-2.0-only
/* quality.c - how good a model is on rows that it was not trained on */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "learn.h"

/* Share of the decisions in treatment, by enum ml_mode */
static const double shares[ML_NR_MODES] = { 0, 1. / 16, 1. / 2, 15. / 16 };

/*
 * The chance that a decision came about as it did, whatever the context; 0: it
 * tells nothing of the actions that were not taken.
 *
 * Control takes the stock action with a known chance, and so does a random
 * draw every action. What another backend chose it chooses always in such a
 * context: an action but stock comes with the chance of being treated. Stock
 * chosen by a model is left out, as control stands for it already.
 */
static double propensity(const struct csv *csv, const struct csv_row *row)
{
	double share = shares[row->mode];

	if (!share || (row->arm == ML_ARM_CONTROL && row->action))
		return 0;
	if (row->backend == ML_BACKEND_RANDOM)
		return share / csv->head.nr_actions +
		       (row->action ? 0 : 1 - share);
	if (row->arm == ML_ARM_CONTROL)
		return 1 - share;
	return row->action ? share : 0;
}

/* A row, as far as the value is concerned */
struct term {
	uint64_t cluster;
	double reward;
	double model; /* its weight in the model's mean, or 0 */
	double stock; /* likewise */
};

static int by_cluster(const void *a, const void *b)
{
	const struct term *x = a, *y = b;

	return x->cluster < y->cluster ? -1 : x->cluster > y->cluster;
}

/*
 * Means, and their standard errors from how far each cluster moves them: rows
 * of one cluster are not independent, as an action may be drawn for all of
 * them, and rewards drift together.
 */
static void take_means(struct term *terms, size_t nr, struct value *value)
{
	double w[2] = {}, wx[2] = {}, moves[2] = {}, squares[3] = {};
	size_t i;

	for (i = 0; i < nr; i++) {
		w[0] += terms[i].model;
		w[1] += terms[i].stock;
		wx[0] += terms[i].model * terms[i].reward;
		wx[1] += terms[i].stock * terms[i].reward;
	}
	value->model.mean = wx[0] / w[0];
	value->stock.mean = wx[1] / w[1];
	value->gain.mean = value->model.mean - value->stock.mean;
	qsort(terms, nr, sizeof(*terms), by_cluster);
	for (i = 0; i < nr; i++) {
		const struct term *t = &terms[i];

		moves[0] += t->model * (t->reward - value->model.mean) / w[0];
		moves[1] += t->stock * (t->reward - value->stock.mean) / w[1];
		if (i + 1 < nr && t[1].cluster == t->cluster)
			continue;
		squares[0] += moves[0] * moves[0];
		squares[1] += moves[1] * moves[1];
		squares[2] += (moves[0] - moves[1]) * (moves[0] - moves[1]);
		moves[0] = 0;
		moves[1] = 0;
	}
	value->model.error = w[0] ? sqrt(squares[0]) : NAN;
	value->stock.error = w[1] ? sqrt(squares[1]) : NAN;
	value->gain.error = w[0] && w[1] ? sqrt(squares[2]) : NAN;
}

bool estimate_value(const struct csv *csv, const size_t *which, size_t nr,
		    const uint8_t *choices, struct value *value)
{
	struct term *terms = calloc(nr + 1, sizeof(*terms));
	size_t i;

	memset(value, 0, sizeof(*value));
	if (!terms)
		return false;
	for (i = 0; i < nr; i++) {
		const struct csv_row *row = &csv->rows[which[i]];
		double p = propensity(csv, row), weight;

		if (!p || !row->has_reward)
			continue;
		weight = csv_weight(csv, row) / p;
		terms[value->rows++] = (struct term){
			.cluster = learn_cluster(row),
			.reward = row->reward,
			.model = row->action == choices[i] ? weight : 0,
			.stock = row->action ? 0 : weight,
		};
		value->chosen_rows += row->backend != ML_BACKEND_RANDOM;
	}
	take_means(terms, value->rows, value);
	free(terms);
	return true;
}

void print_value(const struct value *value, const char *stock)
{
	if (!value->rows) {
		puts("reward of a decision: unknown, no rows with a choice of actions");
		return;
	}
	printf("reward of a decision: model %.6g +- %.2g, %s %.6g +- %.2g, gain %.6g +- %.2g (standard errors; %zu rows, weighted by 1 / the chance of their action; %zu of them tell only of what another model chose)\n",
	       value->model.mean, value->model.error, stock, value->stock.mean,
	       value->stock.error, value->gain.mean, value->gain.error,
	       value->rows, value->chosen_rows);
}

json_t *json_number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static void add_estimate(json_t *object, const char *key,
			 const struct estimate *e)
{
	json_object_set_new(object, key,
			    json_pack("{s:o, s:o}", "mean",
				      json_number(e->mean), "standard_error",
				      json_number(e->error)));
}

void add_value(json_t *object, const struct value *value)
{
	add_estimate(object, "value_model", &value->model);
	add_estimate(object, "value_stock", &value->stock);
	add_estimate(object, "value_gain", &value->gain);
	json_object_set_new(object, "value_rows", json_integer(value->rows));
	json_object_set_new(object, "value_rows_chosen",
			    json_integer(value->chosen_rows));
}

static double predicted(const struct booster *booster, const float *margins,
			unsigned int action, double baseline)
{
	switch (booster->rule) {
	case ML_TREES_ARGMAX:
		return margins[action] + baseline;
	case ML_TREES_SIGN:
		return 1 / (1 + exp(-margins[0]));
	default:
		return margins[0];
	}
}

static int no_memory(char error[ERROR_LEN])
{
	snprintf(error, ERROR_LEN, "quality: out of memory");
	return EX_OSERR;
}

/* Rows that are kept apart and have a label: their numbers, and features */
static size_t gather(const struct csv *csv, const float *labels, double share,
		     size_t *which, int32_t *features)
{
	unsigned int width = csv->head.nr_features;
	size_t i, nr = 0;

	for (i = 0; i < csv->nr_rows; i++) {
		if (isnan(labels[i]) || !learn_is_valid(&csv->rows[i], share))
			continue;
		memcpy(features + nr * width, csv->features + i * width,
		       width * sizeof(*features));
		which[nr++] = i;
	}
	return nr;
}

int measure(const struct booster *booster, const struct csv *csv,
	    const float *labels, const struct learn_options *options,
	    const struct learned *learned, struct quality *quality,
	    char error[ERROR_LEN])
{
	unsigned int width = csv->head.nr_features;
	double squares = 0, squares_mean = 0, sum = 0, all = 0, predicted_w = 0;
	const float *margins = NULL;
	uint8_t *choices;
	size_t *which, nr, i;
	int32_t *features;
	int ret = 0;

	memset(quality, 0, sizeof(*quality));
	which = calloc(csv->nr_rows + 1, sizeof(*which));
	features = calloc(csv->nr_rows + 1, width * sizeof(*features));
	choices = calloc(csv->nr_rows + 1, sizeof(*choices));
	if (!which || !features || !choices) {
		ret = no_memory(error);
		goto out;
	}
	nr = gather(csv, labels, options->valid, which, features);
	quality->rows = nr;
	if (nr)
		ret = booster_margins(booster, features, nr, &margins, error);
	if (!nr || ret)
		goto out;
	for (i = 0; i < nr; i++) {
		double w = csv_weight(csv, &csv->rows[which[i]]);

		all += w;
		sum += w * labels[which[i]];
	}
	for (i = 0; i < nr; i++) {
		const struct csv_row *row = &csv->rows[which[i]];
		const float *m = margins + i * booster->nr_groups;
		unsigned int action =
			booster_action(booster, m, csv->head.nr_actions);
		double label = labels[which[i]], miss;
		double w = csv_weight(csv, row);

		choices[i] = action;
		if (!learns_from_rewards(options->objective))
			quality->wrong += action != label ? w : 0;
		/* Actions that were not learned have no prediction. */
		if (!learns_from_rewards(options->objective) ||
		    !learned->skipped[row->action]) {
			predicted_w += w;
			miss = predicted(booster, m, row->action,
					 learned->baseline ?
						 learned->baseline[which[i]] :
						 0) -
			       label;
			squares += w * miss * miss;
			miss = sum / all - label;
			squares_mean += w * miss * miss;
		}
	}
	quality->wrong /= all;
	quality->rmse = sqrt(squares / predicted_w);
	quality->rmse_mean = sqrt(squares_mean / predicted_w);
	if (learns_from_rewards(options->objective) &&
	    !estimate_value(csv, which, nr, choices, &quality->value))
		ret = no_memory(error);
out:
	free(which);
	free(features);
	free(choices);
	return ret;
}
