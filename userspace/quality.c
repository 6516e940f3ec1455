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

/* Sums for a weighted mean and its standard error */
struct weighted {
	double w, wx, ww, wwx, wwxx;
};

static void weigh(struct weighted *sums, double w, double x)
{
	sums->w += w;
	sums->wx += w * x;
	sums->ww += w * w;
	sums->wwx += w * w * x;
	sums->wwxx += w * w * x * x;
}

static struct estimate weighted_mean(const struct weighted *sums)
{
	struct estimate e = {};
	double spread;

	if (!sums->w)
		return (struct estimate){ NAN, NAN };
	e.mean = sums->wx / sums->w;
	spread = sums->wwxx - 2 * e.mean * sums->wwx +
		 e.mean * e.mean * sums->ww;
	e.error = sqrt(fmax(spread, 0)) / sums->w;
	return e;
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

/* Rows that are kept apart and have a label: their numbers, and features */
static size_t gather(const struct csv *csv, const float *labels, double share,
		     size_t *which, int32_t *features)
{
	unsigned int width = csv->head.nr_features;
	size_t i, nr = 0;

	for (i = 0; i < csv->nr_rows; i++) {
		if (isnan(labels[i]) || !learn_is_valid(csv->rows[i].id, share))
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
	double squares = 0, squares_mean = 0, sum = 0;
	struct weighted model = {}, stock = {};
	const float *margins = NULL;
	size_t *which, nr, i, nr_predicted = 0;
	int32_t *features;
	int ret = 0;

	memset(quality, 0, sizeof(*quality));
	which = calloc(csv->nr_rows + 1, sizeof(*which));
	features = calloc(csv->nr_rows + 1, width * sizeof(*features));
	if (!which || !features) {
		snprintf(error, ERROR_LEN, "quality: out of memory");
		ret = EX_OSERR;
		goto out;
	}
	nr = gather(csv, labels, options->valid, which, features);
	quality->rows = nr;
	if (nr)
		ret = booster_margins(booster, features, nr, &margins, error);
	if (!nr || ret)
		goto out;
	for (i = 0; i < nr; i++)
		sum += labels[which[i]];
	for (i = 0; i < nr; i++) {
		const struct csv_row *row = &csv->rows[which[i]];
		const float *m = margins + i * booster->nr_groups;
		unsigned int action =
			booster_action(booster, m, csv->head.nr_actions);
		double label = labels[which[i]], p, miss;

		if (options->objective != OBJ_REWARD)
			quality->wrong += action != label;
		/* Actions that were not learned have no prediction. */
		if (options->objective != OBJ_REWARD ||
		    !learned->skipped[row->action]) {
			nr_predicted++;
			miss = predicted(booster, m, row->action,
					 learned->baseline ?
						 learned->baseline[which[i]] :
						 0) -
			       label;
			squares += miss * miss;
			miss = sum / nr - label;
			squares_mean += miss * miss;
		}
		p = propensity(csv, row);
		if (options->objective != OBJ_REWARD || !p)
			continue;
		quality->value_rows++;
		quality->chosen_rows += row->backend != ML_BACKEND_RANDOM;
		if (row->action == action)
			weigh(&model, 1 / p, label);
		if (!row->action)
			weigh(&stock, 1 / p, label);
	}
	quality->wrong /= nr;
	quality->rmse = sqrt(squares / nr_predicted);
	quality->rmse_mean = sqrt(squares_mean / nr_predicted);
	quality->model = weighted_mean(&model);
	quality->stock = weighted_mean(&stock);
out:
	free(which);
	free(features);
	return ret;
}
