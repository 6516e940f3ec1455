/* SPDX-License-Identifier: GPL-2.0-only */
/* Training in the background: a thread that takes rows and gives a model. */
#ifndef MLCTL_TRAINER_H
#define MLCTL_TRAINER_H

#include "compile.h"
#include "learn.h"

/* What an agent can work with */
struct model {
	struct booster booster;
	struct compiled compiled; /* table NULL unless it was asked for */
	char *json; /* of len bytes */
	size_t len;
	bool of_reward; /* its margins predict rewards */
};

struct trained {
	int code; /* 0, or an exit code with error */
	char error[ERROR_LEN];
	struct model *model; /* NULL on failure; model_free() it */
	struct quality quality;
	double rival_rmse; /* of the model before on the same rows, or NaN */
};

struct trainer;

/* @table: compile the models too. NULL without memory. */
struct trainer *trainer_create(const struct learn_options *options, bool table);

/* Waits for a training that is under way. */
void trainer_free(struct trainer *trainer);

/**
 * trainer_start - begin
 * @trainer: idle
 * @csv: rows; taken over
 * @rival: model to compare with, NULL: none; only read during the call
 *
 * Return: 0, -EBUSY, or what pthread_create() fails with, negative.
 */
int trainer_start(struct trainer *trainer, struct csv *csv,
		  const struct model *rival);

bool trainer_busy(const struct trainer *trainer);

/* True once for each training that has ended; *trained is the caller's. */
bool trainer_poll(struct trainer *trainer, struct trained *trained);

/**
 * model_from_json - a model from its text
 * @json: of XGBoost
 * @len: bytes
 * @what: its name in messages and in the table
 * @table: compile it too
 * @error: message on failure
 * @code: exit code on failure
 *
 * Return: the model, or NULL.
 */
struct model *model_from_json(const char *json, size_t len, const char *what,
			      bool table, char error[ERROR_LEN], int *code);
void model_free(struct model *model);

#endif /* MLCTL_TRAINER_H */
