// SPDX-License-Identifier: GPL-2.0-only
/* models.c - XGBoost models for tests, trained on random integers */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "models.h"

#define NR_TRAINING_ROWS 4000

void xgb_check(int ret, const char *call)
{
	if (!ret)
		return;
	fprintf(stderr, "%s: %s\n", call, XGBGetLastError());
	exit(EX_SOFTWARE);
}

/* Marsaglia's xorshift64* */
uint32_t random_u32(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL) >> 32;
}

static void *checked(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(EX_OSERR);
	}
	return p;
}

/* Features of four kinds: few values, around zero, large, all there is */
static int32_t training_value(unsigned int feature, uint64_t *state)
{
	int32_t r = random_u32(state);

	switch (feature % 4) {
	case 0:
		return (uint32_t)r % 16;
	case 1:
		return r % 1000;
	case 2:
		return r % (1 << 24);
	default:
		return r;
	}
}

/* Something to learn: features near the first decide, with noise */
static float training_label(const struct model_shape *s, const int32_t *row,
			    uint64_t *state)
{
	static const double scale[] = { 16, 1000, 1 << 24, 2147483648.0 };
	double sum = 0;
	unsigned int i;

	for (i = 0; i < s->nr_features && i < 6; i++) {
		double v = row[i] / scale[i % 4];

		sum += (i % 2 ? -1.0 : 1.0) * v + sin(v * 9 + i);
	}
	sum += random_u32(state) / 2147483648.0;
	sum = fabs(sum) * s->nr_actions / 3;
	if (!strncmp(s->objective, "reg:", 4))
		return (float)sum;
	return (float)((unsigned int)sum % s->nr_actions);
}

static DMatrixHandle training_data(const struct model_shape *s, uint64_t *state)
{
	size_t nr = (size_t)NR_TRAINING_ROWS * s->nr_features;
	float *values = checked(calloc(nr, sizeof(*values)));
	float *labels = checked(calloc(NR_TRAINING_ROWS, sizeof(*labels)));
	DMatrixHandle data;
	int32_t row[64];
	unsigned int i, j;

	for (i = 0; i < NR_TRAINING_ROWS; i++) {
		for (j = 0; j < s->nr_features; j++) {
			row[j] = training_value(j, state);
			values[i * s->nr_features + j] = (float)row[j];
		}
		labels[i] = training_label(s, row, state);
	}
	XGB(XGDMatrixCreateFromMat_omp(values, NR_TRAINING_ROWS, s->nr_features,
				       NAN, &data, 1));
	XGB(XGDMatrixSetFloatInfo(data, "label", labels, NR_TRAINING_ROWS));
	free(values);
	free(labels);
	return data;
}

static void set_number(BoosterHandle booster, const char *name, unsigned long n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", n);
	XGB(XGBoosterSetParam(booster, name, text));
}

static unsigned int nr_groups(const struct model_shape *s)
{
	return strncmp(s->objective, "multi:", 6) ? 1 : s->nr_actions;
}

static void set_parameters(BoosterHandle booster, const struct model_shape *s,
			   uint64_t seed)
{
	XGB(XGBoosterSetParam(booster, "booster", "gbtree"));
	XGB(XGBoosterSetParam(booster, "tree_method", s->tree_method));
	XGB(XGBoosterSetParam(booster, "objective", s->objective));
	XGB(XGBoosterSetParam(booster, "verbosity", "0"));
	XGB(XGBoosterSetParam(booster, "eta", "0.2"));
	XGB(XGBoosterSetParam(booster, "min_child_weight", "0"));
	if (s->base_score)
		XGB(XGBoosterSetParam(booster, "base_score", s->base_score));
	if (nr_groups(s) > 1)
		set_number(booster, "num_class", s->nr_actions);
	if (s->parallel > 1) {
		set_number(booster, "num_parallel_tree", s->parallel);
		XGB(XGBoosterSetParam(booster, "subsample", "0.5"));
	}
	set_number(booster, "nthread", 1);
	set_number(booster, "max_depth", s->depth);
	set_number(booster, "seed", seed & 0xffff);
}

static void set_attributes(BoosterHandle booster, const struct model_shape *s)
{
	char schema[17], actions[512] = "a0";
	size_t len = 2;
	unsigned int i;

	snprintf(schema, sizeof(schema), "%016llx",
		 (unsigned long long)MODEL_SCHEMA);
	for (i = 1; i < s->nr_actions; i++)
		len += snprintf(actions + len, sizeof(actions) - len, ",a%u",
				i);
	XGB(XGBoosterSetAttr(booster, "ml_lib.schema", schema));
	XGB(XGBoosterSetAttr(booster, "ml_lib.actions", actions));
}

static json_t *to_json(BoosterHandle booster)
{
	json_error_t error;
	const char *text;
	json_t *json;
	bst_ulong len;

	XGB(XGBoosterSaveModelToBuffer(booster, "{\"format\": \"json\"}", &len,
				       &text));
	json = json_loadb(text, len, 0, &error);
	if (!json) {
		fprintf(stderr, "model: line %d: %s\n", error.line, error.text);
		exit(EX_SOFTWARE);
	}
	return json;
}

static json_t *trees_of(const json_t *model)
{
	json_t *trees = NULL;

	json_unpack((json_t *)model, "{s:{s:{s:{s:o}}}}", "learner",
		    "gradient_booster", "model", "trees", &trees);
	return trees;
}

/*
 * Thresholds that training does not come up with: fractions on both sides of
 * zero, where a float has no more integers, ends of s32 and beyond them.
 */
static void make_odd(json_t *model, unsigned int every, uint64_t *state)
{
	static const double odd[] = {
		0.0,	     -0.0,	   0.5,		 -0.5,
		1e-30,	     -1e-30,	   0x1p-149,	 -0x1p-149,
		0.99999994,  -1.0000001,   7.25,	 -7.25,
		16777215,    -16777215,	   16777216,	 -16777216,
		16777218,    -16777218,	   2147483520.0, 2147483648.0,
		-2147483520, -2147483648., 2147483904.0, -2147483904.0,
		3e38,	     -3e38,	   1073741888,	 -1073741888,
	};
	json_t *trees = trees_of(model), *tree;
	unsigned int nodes = 0;
	size_t i, j;

	json_array_foreach(trees, i, tree)
	{
		json_t *left = json_object_get(tree, "left_children");
		json_t *value = json_object_get(tree, "split_conditions");

		for (j = 0; j < json_array_size(left); j++) {
			if (json_integer_value(json_array_get(left, j)) == -1 ||
			    nodes++ % every)
				continue;
			json_array_set_new(
				value, j,
				json_real(odd[random_u32(state) %
					      (sizeof(odd) / sizeof(*odd))]));
		}
	}
}

static void from_json(BoosterHandle booster, const json_t *model)
{
	char *text = checked(json_dumps(model, JSON_COMPACT));

	XGB(XGBoosterLoadModelFromBuffer(booster, text, strlen(text)));
	free(text);
	/* A load resets it */
	set_number(booster, "nthread", 1);
}

/**
 * model_train - train a model
 * @shape: of the model
 * @seed: of data and training; equal seeds give equal models
 * @out: the model, in XGBoost and in its JSON; model_free() frees it
 */
void model_train(const struct model_shape *shape, uint64_t seed,
		 struct trained *out)
{
	unsigned int per_round = nr_groups(shape), rounds, i;
	uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15ULL;
	DMatrixHandle data;

	if (shape->parallel)
		per_round *= shape->parallel;
	rounds = (shape->nr_trees + per_round - 1) / per_round;
	data = training_data(shape, &state);
	XGB(XGBoosterCreate(&data, 1, &out->booster));
	set_parameters(out->booster, shape, seed);
	set_attributes(out->booster, shape);
	for (i = 0; i < rounds; i++)
		XGB(XGBoosterUpdateOneIter(out->booster, i, data));
	XGB(XGDMatrixFree(data));
	out->json = to_json(out->booster);
	if (shape->odd_thresholds)
		make_odd(out->json, shape->odd_thresholds, &state);
	/* What is compared is what the file says: a model without a history */
	XGB(XGBoosterFree(out->booster));
	XGB(XGBoosterCreate(NULL, 0, &out->booster));
	from_json(out->booster, out->json);
}

/**
 * model_free - free what model_train() made
 * @trained: by it
 */
void model_free(struct trained *trained)
{
	XGB(XGBoosterFree(trained->booster));
	json_decref(trained->json);
}

/* The integers around @threshold, as far as there are any */
static void add_neighbours(struct hard_values *h, unsigned int feature,
			   double threshold)
{
	double near = fmin(fmax(threshold, INT32_MIN + 2), INT32_MAX - 2);
	int offset;

	for (offset = -1; offset <= 1; offset++)
		h->values[feature][h->nr[feature]++] =
			(int32_t)floor(near) + offset;
}

/**
 * hard_values_find - collect the integers next to a model's thresholds
 * @model: its JSON
 * @nr_features: of the model
 * @hard: where they go; hard_values_free() frees them
 */
void hard_values_find(const json_t *model, unsigned int nr_features,
		      struct hard_values *hard)
{
	json_t *trees = trees_of(model), *tree;
	size_t i, j, nr_nodes = 0;

	json_array_foreach(trees, i, tree) nr_nodes +=
		json_array_size(json_object_get(tree, "left_children"));
	hard->nr_features = nr_features;
	hard->nr = checked(calloc(nr_features, sizeof(*hard->nr)));
	hard->values = checked(calloc(nr_features, sizeof(*hard->values)));
	for (i = 0; i < nr_features; i++)
		hard->values[i] = checked(
			calloc(3 * nr_nodes + 1, sizeof(**hard->values)));
	json_array_foreach(trees, i, tree)
	{
		json_t *left = json_object_get(tree, "left_children");
		json_t *index = json_object_get(tree, "split_indices");
		json_t *value = json_object_get(tree, "split_conditions");

		for (j = 0; j < json_array_size(left); j++)
			if (json_integer_value(json_array_get(left, j)) != -1)
				add_neighbours(
					hard,
					json_integer_value(
						json_array_get(index, j)),
					json_number_value(
						json_array_get(value, j)));
	}
}

/**
 * hard_values_free - free what hard_values_find() found
 * @hard: by it
 */
void hard_values_free(struct hard_values *hard)
{
	unsigned int i;

	for (i = 0; i < hard->nr_features; i++)
		free(hard->values[i]);
	free(hard->values);
	free(hard->nr);
}

/**
 * random_row - a row to compare a model on
 * @hard: the integers next to its thresholds
 * @state: of the generator
 * @row: where it goes
 *
 * Of the values, a quarter each are next to a threshold, extreme, small and
 * anything.
 */
void random_row(const struct hard_values *hard, uint64_t *state, int32_t *row)
{
	static const int32_t extreme[] = {
		INT32_MIN,
		INT32_MIN + 1,
		-(1 << 24) - 1,
		-(1 << 24),
		-(1 << 24) + 1,
		-1,
		0,
		1,
		(1 << 24) - 1,
		1 << 24,
		(1 << 24) + 1,
		INT32_MAX - 64,
		INT32_MAX - 63,
		INT32_MAX - 1,
		INT32_MAX,
	};
	unsigned int i;

	for (i = 0; i < hard->nr_features; i++) {
		uint32_t kind = random_u32(state), r = random_u32(state);

		if (kind % 4 == 0 && hard->nr[i])
			row[i] = hard->values[i][r % hard->nr[i]];
		else if (kind % 4 == 1)
			row[i] = extreme[r %
					 (sizeof(extreme) / sizeof(*extreme))];
		else if (kind % 4 == 2)
			row[i] = (int32_t)(r % 2048) - 1024;
		else
			row[i] = r;
	}
}
