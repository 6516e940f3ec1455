/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows in, XGBoost model out; and how good that model is on other rows. */
#ifndef MLCTL_LEARN_H
#define MLCTL_LEARN_H

#include "booster.h"
#include "csv.h"

enum objective {
	OBJ_REWARD, /* one regression of the reward for each action */
	OBJ_SOFTPROB,
	OBJ_LOGISTIC,
	OBJ_SQUAREDERROR,
};

extern const char *const objective_names[];

struct learn_options {
	int objective; /* enum objective */
	long trees; /* for each action or class */
	long depth;
	double eta;
	long seed;
	long threads;
	long min_rows; /* an action with fewer is never chosen */
	double valid; /* share of the rows kept apart, 0 .. 0.9 */
};

#define LEARN_DEFAULTS                                                        \
	{                                                                     \
		.objective = OBJ_REWARD, .trees = 20, .depth = 4, .eta = 0.3, \
		.seed = 1, .threads = 1, .min_rows = 50, .valid = 0.2         \
	}

struct learned {
	char *json; /* the model, of len bytes */
	size_t len;
	size_t nr_train; /* rows with a label */
	size_t nr_valid;
	size_t rows[ML_MAX_ACTIONS]; /* of nr_train, by action */
	bool skipped[ML_MAX_ACTIONS]; /* too few of them */
	double mean; /* of their labels */
	float *baseline; /* REWARD: for each row, see learn.c; else NULL */
};

/**
 * learn - train a model
 * @csv: rows
 * @labels: one for each row, NaN where there is none
 * @options: how
 * @learned: filled in; to be freed in any case
 * @error: message when the result is not 0
 *
 * The same rows and options give the same bytes, whatever the threads.
 *
 * Return: 0, EX_DATAERR (too few rows, a label out of range), EX_OSERR or
 * EX_SOFTWARE.
 */
int learn(const struct csv *csv, const float *labels,
	  const struct learn_options *options, struct learned *learned,
	  char error[ERROR_LEN]);

void learned_free(struct learned *learned);

/* Labels of the objective: the reward or the action of each row; NULL: no
 * memory.
 */
float *learn_labels(const struct csv *csv, enum objective objective);

/* Is the row one of those that are kept apart? Decided by its id alone. */
bool learn_is_valid(uint64_t id, double share);

/* A mean with its standard error */
struct estimate {
	double mean;
	double error;
};

struct quality {
	size_t rows; /* with a label */
	double rmse; /* of the prediction of the label (not SOFTPROB) */
	double rmse_mean; /* of predicting the mean of these labels */
	double wrong; /* share of wrong classes (SOFTPROB, LOGISTIC) */
	/* REWARD: what a decision earns, from rows weighted by 1 / the chance
	 * of their action
	 */
	size_t value_rows;
	size_t chosen_rows; /* of these, where the actions were not drawn */
	struct estimate model;
	struct estimate stock;
};

/**
 * measure - quality of a model
 * @booster: model
 * @csv: rows
 * @labels: as for learn()
 * @options: as for learn(): the rows kept apart are used
 * @learned: as filled in by learn() for the same rows; the model may be another
 * @quality: filled in
 * @error: message when the result is not 0
 *
 * Return: 0, EX_OSERR or EX_SOFTWARE.
 */
int measure(const struct booster *booster, const struct csv *csv,
	    const float *labels, const struct learn_options *options,
	    const struct learned *learned, struct quality *quality,
	    char error[ERROR_LEN]);

#endif /* MLCTL_LEARN_H */
