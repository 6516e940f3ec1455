/* SPDX-License-Identifier: GPL-2.0-only */
/* models.h - XGBoost models for tests, trained on random integers */
#ifndef ML_TEST_MODELS_H
#define ML_TEST_MODELS_H

#include <jansson.h>
#include <stdint.h>
#include <xgboost/c_api.h>

#define MODEL_SCHEMA 0x5ca1ab1e0ddba11ULL

/**
 * struct model_shape - what to train
 * @objective: as XGBoost calls it
 * @nr_trees: at least; rounded up to whole rounds
 * @depth: the most that a tree may have
 * @nr_features: 1 .. 64
 * @nr_actions: classes, or what a sign or a rounded sum can be
 * @parallel: trees a round and class; 0: 1
 * @base_score: NULL: XGBoost's default
 * @tree_method: hist, exact or approx
 * @odd_thresholds: replace every n-th threshold by one that is hard to
 *	compare with; 0: none
 */
struct model_shape {
	const char *objective;
	unsigned int nr_trees;
	unsigned int depth;
	unsigned int nr_features;
	unsigned int nr_actions;
	unsigned int parallel;
	const char *base_score;
	const char *tree_method;
	unsigned int odd_thresholds;
};

struct trained {
	BoosterHandle booster;
	json_t *json;
};

/* Ends the program with XGBoost's message when @ret, a call's, is not 0. */
void xgb_check(int ret, const char *call);
#define XGB(call) xgb_check(call, #call)

uint32_t random_u32(uint64_t *state);
void model_train(const struct model_shape *shape, uint64_t seed,
		 struct trained *out);
void model_free(struct trained *trained);

/* Rows that a model is hard to compare on: see random_row(). */
struct hard_values {
	unsigned int *nr; /* for every feature */
	int32_t **values; /* next to the thresholds */
	unsigned int nr_features;
};

void hard_values_find(const json_t *model, unsigned int nr_features,
		      struct hard_values *hard);
void hard_values_free(struct hard_values *hard);
void random_row(const struct hard_values *hard, uint64_t *state, int32_t *row);

#endif /* ML_TEST_MODELS_H */
