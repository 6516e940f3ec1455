// SPDX-License-Identifier: GPL-2.0-only
/*
 * compile_test.c - what the compiler refuses, and its thresholds
 *
 * Trains small models, spoils their JSON in one place and expects a refusal
 * that names the place. TAP.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ml_trees.h>

#include "../compile.h"
#include "models.h"

static unsigned int number, failed;

static void result(int good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void result(int good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %u - ", good ? "ok" : "not ok", ++number);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failed += !good;
}

enum base_model { BINARY, MULTI, REGRESSION, NR_BASE };

static const struct model_shape shapes[NR_BASE] = {
	{ "binary:logistic", 4, 3, 3, 2, 0, NULL, "hist", 0 },
	{ "multi:softprob", 6, 3, 3, 3, 0, NULL, "hist", 0 },
	{ "reg:squarederror", 4, 3, 3, 4, 0, NULL, "hist", 0 },
};

/* @path: keys and indices, separated by slashes; @value: JSON, NULL: remove */
static const struct spoiled {
	enum base_model base;
	const char *path;
	const char *value;
	const char *why; /* part of the refusal */
} spoiled[] = {
	{ BINARY, "version", NULL, "no version" },
	{ BINARY, "version/0", "2", "XGBoost 2.7" },
	{ BINARY, "version/1", "8", "XGBoost 1.8" },
	{ BINARY, "learner", NULL, "learner" },
	{ BINARY, "learner/attributes/ml_lib.schema", NULL, "ml_lib.schema" },
	{ BINARY, "learner/attributes/ml_lib.schema", "\"12\"", "16 hex" },
	{ BINARY, "learner/attributes/ml_lib.schema", "\"0x23456789abcdef\"",
	  "16 hex" },
	{ BINARY, "learner/attributes/ml_lib.actions", NULL, "ml_lib.actions" },
	{ BINARY, "learner/attributes/ml_lib.actions", "\"a,b,c\"",
	  "is for 2 actions, there are 3" },
	{ MULTI, "learner/attributes/ml_lib.actions", "\"a,b\"",
	  "3 classes for 2 actions" },
	{ BINARY, "learner/objective/name", "\"rank:pairwise\"",
	  "rank:pairwise is not supported" },
	{ BINARY, "learner/feature_names", "[\"a\"]", "1 feature names for 3" },
	{ BINARY, "learner/learner_model_param/base_score", "\"1\"",
	  "no probability" },
	{ BINARY, "learner/learner_model_param/base_score", "\"[5E-1]\"",
	  "no finite number" },
	{ BINARY, "learner/learner_model_param/num_feature", "\"65\"",
	  "65 features" },
	{ BINARY, "learner/learner_model_param/num_feature", "\"-1\"",
	  "no whole number" },
	{ BINARY, "learner/learner_model_param/num_feature", "\"1\"",
	  "splits on feature" },
	{ BINARY, "learner/learner_model_param/num_target", "\"2\"",
	  "2 targets" },
	{ REGRESSION, "learner/learner_model_param/base_score", "\"3e9\"",
	  "base_score 3e+09" },
	{ BINARY, "learner/gradient_booster/name", "\"dart\"", "booster dart" },
	{ BINARY, "learner/gradient_booster/name", "\"gblinear\"",
	  "booster gblinear" },
	{ BINARY,
	  "learner/gradient_booster/model/gbtree_model_param/size_leaf_vector",
	  "\"3\"", "vectors of 3" },
	{ BINARY, "learner/gradient_booster/model/tree_info/0", NULL,
	  "4 trees, but groups for 3" },
	{ BINARY, "learner/gradient_booster/model/tree_info/2", "1",
	  "tree 2: is for class 1 of 1" },
	{ BINARY, "learner/gradient_booster/model/trees/1/left_children/0",
	  "999", "tree 1: node 0 has no child 999" },
	{ BINARY, "learner/gradient_booster/model/trees/1/right_children/0",
	  "-1", "tree 1: node 0 has no child -1" },
	{ BINARY, "learner/gradient_booster/model/trees/1/left_children/1", "1",
	  "tree 1: node 1 is a split below depth 8" },
	{ BINARY, "learner/gradient_booster/model/trees/3/split_conditions/0",
	  "1e39", "tree 3: the value of node 0 is not finite" },
	{ BINARY, "learner/gradient_booster/model/trees/3/split_conditions/0",
	  "\"1\"", "tree 3: node 0 has no value" },
	{ BINARY, "learner/gradient_booster/model/trees/3/split_conditions/0",
	  NULL, "split_conditions is not as long" },
	{ BINARY, "learner/gradient_booster/model/trees/2/split_type/0", "1",
	  "tree 2: node 0 is a categorical split" },
	{ BINARY, "learner/gradient_booster/model/trees/2/categories_nodes",
	  "[0]", "tree 2: has categorical splits" },
	{ BINARY, "learner/gradient_booster/model/trees/2/split_indices/0",
	  "-1", "tree 2: node 0 splits on feature -1 of 3" },
	{ BINARY, "learner/gradient_booster/model/trees/0/split_indices", NULL,
	  "tree 0: no split_indices" },
};

#define NR_SPOILED (sizeof(spoiled) / sizeof(spoiled[0]))

/* Put @value where @path leads; 0 if there is no such place */
static int spoil(json_t *model, const struct spoiled *s)
{
	char path[128], *key, *next;
	json_t *at = model, *value = NULL;

	snprintf(path, sizeof(path), "%s", s->path);
	if (s->value)
		value = json_loads(s->value, JSON_DECODE_ANY, NULL);
	for (key = path; (next = strchr(key, '/')); key = next + 1) {
		*next = '\0';
		at = json_is_array(at) ? json_array_get(at, atoi(key)) :
					 json_object_get(at, key);
	}
	if (json_is_array(at) && value)
		return !json_array_set_new(at, atoi(key), value);
	if (json_is_array(at))
		return !json_array_remove(at, atoi(key));
	if (value)
		return !json_object_set_new(at, key, value);
	return !json_object_del(at, key);
}

static void test_refused(const struct trained *models, const struct spoiled *s)
{
	json_t *model = json_deep_copy(models[s->base].json);
	struct compiled compiled;
	char why[256] = "";
	int ret;

	if (!spoil(model, s)) {
		result(0, "no %s in a model", s->path);
		json_decref(model);
		return;
	}
	ret = compile_model(model, "test", &compiled, why, sizeof(why));
	result(ret && strstr(why, s->why) && !compiled.table, "refused: %s %s",
	       s->path, s->value ? s->value : "removed");
	if (!ret || !strstr(why, s->why))
		printf("# expected \"%s\", got \"%s\"\n", s->why, why);
	compile_free(&compiled);
	json_decref(model);
}

/* A leaf so large that the sum has no room even without a fraction */
static void test_overflow(const struct trained *model)
{
	json_t *json = json_deep_copy(model->json), *trees, *left, *value;
	struct compiled compiled;
	char why[256] = "";
	size_t i;

	json_unpack(json, "{s:{s:{s:{s:o}}}}", "learner", "gradient_booster",
		    "model", "trees", &trees);
	left = json_object_get(json_array_get(trees, 1), "left_children");
	value = json_object_get(json_array_get(trees, 1), "split_conditions");
	for (i = 0; i < json_array_size(left); i++)
		if (json_integer_value(json_array_get(left, i)) == -1)
			json_array_set_new(value, i, json_real(-3e9));
	result(compile_model(json, "test", &compiled, why, sizeof(why)) &&
		       strstr(why, "tree 1: with its leaf of 3e+09"),
	       "refused: a leaf of -3e9");
	if (compiled.table)
		compile_free(&compiled);
	json_decref(json);
}

static void test_name(const struct trained *model)
{
	const struct ml_trees_header *h;
	struct compiled compiled;
	char why[256] = "";
	int ret;

	ret = compile_model(
		model->json,
		"a name\twith a tab, much longer than there is room", &compiled,
		why, sizeof(why));
	h = compiled.table;
	result(!ret && !strcmp(h->name, "a name_with a tab, much longer "),
	       "a name is cut and cleaned");
	compile_free(&compiled);
}

/* By the definition, at floats of all magnitudes and at awkward ones */
static void test_thresholds(void)
{
	static const float awkward[] = {
		0.0f,	     -0.0f,	    0.5f,	    -0.5f,
		0x1p-149f,   -0x1p-149f,    16777216.0f,    16777218.0f,
		-16777216.f, -16777218.0f,  2147483520.0f,  2147483648.0f,
		-2147483520, -2147483648.f, -2147483904.0f, 3e38f,
		-3e38f,
	};
	unsigned int wrong = 0, i;
	uint64_t seed = 3;

	for (i = 0; i < 1000000; i++) {
		uint32_t bits = random_u32(&seed);
		int64_t threshold;
		float t;

		memcpy(&t, &bits, sizeof(t));
		if (i < sizeof(awkward) / sizeof(*awkward))
			t = awkward[i];
		if (!isfinite(t))
			continue;
		threshold = compile_threshold(t);
		if (threshold > INT32_MIN && (float)(threshold - 1) >= t)
			wrong++;
		if (threshold <= INT32_MAX && !((float)threshold >= t))
			wrong++;
		/* Where floats have all integers it is the ceiling */
		if (fabsf(t) <= 16777216.0f && threshold != ceilf(t))
			wrong++;
	}
	result(!wrong, "thresholds, %u of %u wrong", wrong, i);
}

int main(void)
{
	struct trained models[NR_BASE];
	unsigned int i;

	printf("1..%zu\n", NR_SPOILED + 3);
	for (i = 0; i < NR_BASE; i++)
		model_train(&shapes[i], i + 1, &models[i]);
	for (i = 0; i < NR_SPOILED; i++)
		test_refused(models, &spoiled[i]);
	test_overflow(&models[REGRESSION]);
	test_name(&models[MULTI]);
	test_thresholds();
	for (i = 0; i < NR_BASE; i++)
		model_free(&models[i]);
	return failed ? 1 : 0;
}
