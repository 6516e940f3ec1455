// SPDX-License-Identifier: GPL-2.0-only
/* trainer.c - train in a thread of its own */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "trainer.h"

struct trainer {
	struct learn_options options;
	bool table;
	bool busy;
	atomic_bool done;
	pthread_t thread;
	struct csv csv;
	char *rival; /* JSON, of rival_len bytes, or NULL */
	size_t rival_len;
	struct trained result;
};

void model_free(struct model *model)
{
	if (!model)
		return;
	booster_free(&model->booster);
	compile_free(&model->compiled);
	free(model->json);
	free(model);
}

static int compile_json(const char *json, size_t len, const char *what,
			struct compiled *compiled, char error[ERROR_LEN])
{
	char why[ERROR_LEN / 2];
	json_error_t syntax;
	json_t *root = json_loadb(json, len, 0, &syntax);
	int ret = -1;

	if (root)
		ret = compile_model(root, what, compiled, why, sizeof(why));
	else
		snprintf(why, sizeof(why), "%s", syntax.text);
	json_decref(root);
	if (ret)
		snprintf(error, ERROR_LEN, "%s: %s", what, why);
	return ret ? EX_CONFIG : 0; /* of trees and depth */
}

struct model *model_from_json(const char *json, size_t len, const char *what,
			      bool table, char error[ERROR_LEN], int *code)
{
	struct model *model = calloc(1, sizeof(*model));
	const char *objective;

	if (!model) {
		snprintf(error, ERROR_LEN, "%s: out of memory", what);
		*code = EX_OSERR;
		return NULL;
	}
	model->len = len;
	model->json = malloc(len);
	if (model->json)
		memcpy(model->json, json, len);
	*code = booster_load_buffer(&model->booster, what, json, len, error);
	if (!*code && table)
		*code = compile_json(json, len, what, &model->compiled, error);
	if (*code) {
		model_free(model);
		return NULL;
	}
	objective = booster_attribute(&model->booster, "ml_lib.objective");
	model->of_reward = objective &&
			   !strcmp(objective, objective_names[OBJ_REWARD]);
	return model;
}

/*
 * How well does the model before predict the new rows? NaN: cannot be told.
 * With a booster of its own: one must not be used by two threads, and the
 * agent may drop its own meanwhile.
 */
static double rmse_of_rival(struct trainer *t, const float *labels,
			    const struct learned *learned)
{
	struct booster booster = {};
	char error[ERROR_LEN];
	struct quality quality;
	double rmse = NAN;

	if (!t->rival)
		return NAN;
	if (!booster_load_buffer(&booster, "model before", t->rival,
				 t->rival_len, error) &&
	    !measure(&booster, &t->csv, labels, &t->options, learned, &quality,
		     error) &&
	    quality.rows)
		rmse = quality.rmse;
	booster_free(&booster);
	return rmse;
}

static void *train(void *arg)
{
	struct trainer *t = arg;
	struct trained *r = &t->result;
	struct learned learned = {};
	float *labels = learn_labels(&t->csv, OBJ_REWARD, 0);

	memset(r, 0, sizeof(*r));
	if (!labels) {
		snprintf(r->error, sizeof(r->error), "train: out of memory");
		r->code = EX_OSERR;
		goto out;
	}
	r->code = learn(&t->csv, labels, &t->options, &learned, r->error);
	if (!r->code)
		r->model = model_from_json(learned.json, learned.len,
					   t->csv.head.proxy, t->table,
					   r->error, &r->code);
	if (!r->code)
		r->code = measure(&r->model->booster, &t->csv, labels,
				  &t->options, &learned, &r->quality, r->error);
	if (!r->code)
		r->rival_rmse = rmse_of_rival(t, labels, &learned);
	if (r->code) {
		model_free(r->model);
		r->model = NULL;
	}
out:
	learned_free(&learned);
	free(labels);
	csv_free(&t->csv);
	free(t->rival);
	atomic_store(&t->done, true);
	return NULL;
}

struct trainer *trainer_create(const struct learn_options *options, bool table)
{
	struct trainer *t = calloc(1, sizeof(*t));

	if (t) {
		t->options = *options;
		t->table = table;
	}
	return t;
}

int trainer_start(struct trainer *t, struct csv *csv, const struct model *rival)
{
	sigset_t all, before;
	int ret;

	if (t->busy)
		return -EBUSY;
	t->csv = *csv;
	memset(csv, 0, sizeof(*csv));
	t->rival = NULL;
	if (rival && rival->of_reward && rival->json) {
		t->rival = malloc(rival->len);
		t->rival_len = rival->len;
		if (t->rival)
			memcpy(t->rival, rival->json, rival->len);
	}
	atomic_store(&t->done, false);
	/* Signals are for the thread that waits for records. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&t->thread, NULL, train, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->busy = !ret;
	if (ret) {
		csv_free(&t->csv);
		free(t->rival);
	}
	return -ret;
}

bool trainer_busy(const struct trainer *t)
{
	return t->busy;
}

bool trainer_poll(struct trainer *t, struct trained *trained)
{
	if (!t->busy || !atomic_load(&t->done))
		return false;
	pthread_join(t->thread, NULL);
	t->busy = false;
	*trained = t->result;
	return true;
}

void trainer_free(struct trainer *t)
{
	if (!t)
		return;
	if (t->busy) {
		pthread_join(t->thread, NULL);
		model_free(t->result.model);
	}
	free(t);
}
