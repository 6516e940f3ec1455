/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows in, XGBoost model out; and how good that model is on other rows. */
#ifndef MLCTL_LEARN_H
#define MLCTL_LEARN_H

#include "booster.h"
#include "csv.h"

enum objective {
	OBJ_REWARD, /* what each action earns, and which one most */
	OBJ_CHOICE, /* which action earns most; its margins mean nothing else */
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
	double scale; /* c of the labels, see learn.c; 0: as they are */
	double min_weight; /* of a leaf; 0: XGBoost's own */
};

/* Rows of a context within 2^28 ns, 0.27 s, are one draw, see learn.c */
#define LEARN_CLUSTER_ORDER 28

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
	double mean; /* of their labels, weighted */
	float *baseline; /* REWARD, CHOICE: for each row, see learn.c; else NULL */
};

/**
 * learn - train a model
 * @csv: rows, which count as csv_weight() says
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

/* OBJ_REWARD and OBJ_CHOICE: of what was recorded, not of given labels */
bool learns_from_rewards(enum objective objective);

/* Labels of the objective: the reward or the action of each row; NULL: no
 * memory.
 */
float *learn_labels(const struct csv *csv, enum objective objective,
		    double scale);

/* A number for each context and stretch of time; others are unrelated. */
uint64_t learn_cluster(const struct csv_row *row);

/* Is the row one of those that are kept apart? Its cluster as a whole is. */
bool learn_is_valid(const struct csv_row *row, double share);

/* A mean with its standard error */
struct estimate {
	double mean;
	double error;
};

/* What a decision earns, from rows weighted by 1 / the chance of their action */
struct value {
	size_t rows;
	size_t chosen_rows; /* of these, where the actions were not drawn */
	struct estimate model;
	struct estimate stock;
	struct estimate gain; /* model - stock */
};

/* All are weighted by csv_weight(). */
struct quality {
	size_t rows; /* with a label */
	double rmse; /* of predicting the label (not SOFTPROB, CHOICE) */
	double rmse_mean; /* of predicting the mean of these labels */
	double wrong; /* share of wrong classes (SOFTPROB, LOGISTIC) */
	struct value value; /* REWARD, CHOICE */
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

/**
 * estimate_value - what a decision of a model earns, and one of stock
 * @csv: rows
 * @which: numbers of those to use
 * @nr: how many
 * @choices: for each of these the action that the model chooses
 * @value: filled in; NaN where the rows do not tell
 *
 * Return: false without memory.
 */
bool estimate_value(const struct csv *csv, const size_t *which, size_t nr,
		    const uint8_t *choices, struct value *value);

/* Print it, with the name of the stock action. */
void print_value(const struct value *value, const char *stock);

/* Add it to a JSON object. */
void add_value(json_t *object, const struct value *value);

/* A JSON number, or null for what has none (NaN) */
json_t *json_number(double x);

#endif /* MLCTL_LEARN_H */
