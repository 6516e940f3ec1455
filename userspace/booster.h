/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An XGBoost model that predicts: the parts of XGBoost's C API that several
 * commands need. Functions return 0 or an exit code, with one line in @error.
 */
#ifndef MLCTL_BOOSTER_H
#define MLCTL_BOOSTER_H

#include "mlctl.h"

/* How margins become an action: the same rules as enum ml_trees_rule */
struct booster {
	void *handle; /* BoosterHandle */
	void *proxy; /* DMatrixHandle; making one per call is slow */
	enum ml_trees_rule rule;
	unsigned int nr_features;
	unsigned int nr_groups;
	char objective[32];
};

/**
 * booster_load - load a model file
 * @booster: filled in; to be freed in any case
 * @path: JSON, or another format that XGBoost loads
 * @error: message when the result is not 0
 *
 * Return: 0, EX_NOINPUT or EX_DATAERR.
 */
int booster_load(struct booster *booster, const char *path,
		 char error[ERROR_LEN]);

/* The same from memory; @what is its name in messages. */
int booster_load_buffer(struct booster *booster, const char *what,
			const void *data, size_t len, char error[ERROR_LEN]);

/* The text of a model file, of *len bytes, to be freed; checked no further. */
int booster_read_file(const char *path, char **data, size_t *len,
		      char error[ERROR_LEN]);

void booster_free(struct booster *booster);

/* XGBoost's last message, without its time and source line; returns @code. */
int booster_error(int code, const char *what, char error[ERROR_LEN]);

/* Text of an attribute, valid until the next call; NULL if there is none. */
const char *booster_attribute(const struct booster *booster, const char *key);

/**
 * booster_check - is the model for this proxy?
 * @booster: model
 * @what: its name in messages
 * @head: of the proxy or of a record file
 * @error: message when the result is not 0
 *
 * Features must be as many and of the same names; proxy and schema, where the
 * model has them as attributes, the same; groups no more than actions.
 *
 * Return: 0 or EX_DATAERR.
 */
int booster_check(const struct booster *booster, const char *what,
		  const struct csv_head *head, char error[ERROR_LEN]);

/**
 * booster_margins - raw sums of the trees
 * @booster: model
 * @features: nr_features for each row, row after row
 * @nr_rows: 1 or more
 * @margins: set to nr_groups for each row; valid until the next call on this
 *	thread
 * @error: message when the result is not 0
 *
 * Return: 0 or EX_SOFTWARE.
 */
int booster_margins(const struct booster *booster, const int32_t *features,
		    size_t nr_rows, const float **margins,
		    char error[ERROR_LEN]);

/* The action that the margins of one row mean. */
unsigned int booster_action(const struct booster *booster, const float *margins,
			    unsigned int nr_actions);

#endif /* MLCTL_BOOSTER_H */
