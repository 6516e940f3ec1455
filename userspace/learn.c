// SPDX-License-Identifier: GPL-2.0-only
/*
 * learn.c - train models with XGBoost
 *
 * The objective "reward" is for what a proxy records: of every decision only
 * the reward of the action that was taken is known. So there is a teacher first,
 * a large regression of the reward on the features and the action, of which
 * nobody has to be quick in evaluating. It is asked what each action would have
 * earned in the situation of each row. Of its answers the student is made: a
 * small regression for each action, of what that action earns more than the mean
 * of all actions in the same situation, which is all that matters for the choice.
 * The regressions become one multi-class model, whose largest margin wins.
 *
 * The objective "choice" has the same teacher and another student, see
 * choice_gradients(): one that is not asked how much an action earns, only which
 * earns most. With trees as few and small as a kernel evaluates, it chooses better.
 *
 * Both learn more from the same rows than a regression for each action on the
 * rows where it was taken: these are few, and of other situations than the next
 * action's, so that two margins differ by what differs between their rows.
 *
 * A row weighs as many units as its decision was about. What is kept apart
 * is drawn by clusters: all rows of a context within 0.27 s. They
 * are much alike, and have one action where actions are drawn by time slots
 * (struct ml_proxy_desc.arm_slot_order): a row that is kept apart from its
 * neighbours is not a new one to a model that has seen these.
 *
 * Rewards may differ by orders of magnitude between situations, and a few large
 * ones would then be all that is learnt. With a scale c the labels are
 * sign(x) * log2(1 + |x| / c): a doubling counts the same everywhere.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <xgboost/c_api.h>

#include "learn.h"

const char *const objective_names[] = { "reward",	    "choice",
					"multi:softprob",   "binary:logistic",
					"reg:squarederror", NULL };

/* The teacher; a leaf of fewer rows than its least weight is mostly chance */
#define TEACHER_TREES 100
#define TEACHER_DEPTH 6
#define TEACHER_ETA 0.1
#define TEACHER_MIN_WEIGHT 20

/* The objective choice: how much the student may doubt, and how far a step goes */
#define CHOICE_DOUBT 0.75
#define CHOICE_MIN_HESSIAN 0.02

/* Rows of one training, gathered */
struct rows {
	size_t nr;
	int32_t *features;
	float *labels;
	float *weights;
};

static int no_memory(char error[ERROR_LEN])
{
	snprintf(error, ERROR_LEN, "train: out of memory");
	return EX_OSERR;
}

static int xgboost_failed(char error[ERROR_LEN])
{
	return booster_error(EX_SOFTWARE, "train", error);
}

/* The finalizer of splitmix64: neighbouring numbers get unrelated values. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint64_t learn_cluster(const struct csv_row *row)
{
	return mix(mix(row->context) + (row->time_ns >> LEARN_CLUSTER_ORDER));
}

bool learn_is_valid(const struct csv_row *row, double share)
{
	return (double)(learn_cluster(row) >> 11) * 0x1p-53 < share;
}

static float compress(float x, double scale)
{
	return scale ? copysign(log2(1 + fabs(x) / scale), x) : x;
}

bool learns_from_rewards(enum objective objective)
{
	return objective == OBJ_REWARD || objective == OBJ_CHOICE;
}

float *learn_labels(const struct csv *csv, enum objective objective,
		    double scale)
{
	bool reward = learns_from_rewards(objective) ||
		      objective == OBJ_SQUAREDERROR;
	float *labels = calloc(csv->nr_rows + 1, sizeof(*labels));
	size_t i;

	for (i = 0; labels && i < csv->nr_rows; i++)
		labels[i] = !reward ? csv->rows[i].action :
			    csv->rows[i].has_reward ?
				      compress(csv->rows[i].reward, scale) :
				      NAN;
	return labels;
}

static void rows_free(struct rows *rows)
{
	free(rows->features);
	free(rows->labels);
	free(rows->weights);
	memset(rows, 0, sizeof(*rows));
}

static bool rows_alloc(struct rows *rows, size_t room, unsigned int width)
{
	rows->nr = 0;
	rows->features = calloc(room + 1, width * sizeof(int32_t));
	rows->labels = calloc(room + 1, sizeof(float));
	rows->weights = calloc(room + 1, sizeof(float));
	return rows->features && rows->labels && rows->weights;
}

/* The row whose features have been put behind those that are there */
static void rows_add(struct rows *rows, double weight, float label)
{
	rows->weights[rows->nr] = weight;
	rows->labels[rows->nr++] = label;
}

/*
 * XGBoost's regularisation is meant for rows that weigh about 1: so the mean
 * weight is 1, whatever the units are.
 */
static void rows_normalise(struct rows *rows)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < rows->nr; i++)
		sum += rows->weights[i];
	for (i = 0; i < rows->nr; i++)
		rows->weights[i] *= rows->nr / sum;
}

static int make_matrix(const struct rows *rows, unsigned int width,
		       long threads, DMatrixHandle *matrix)
{
	char array[160], config[64];

	snprintf(array, sizeof(array),
		 "{\"data\": [%" PRIuPTR ", true], \"shape\": [%zu, %u], "
		 "\"typestr\": \"<i4\", \"version\": 3}",
		 (uintptr_t)rows->features, rows->nr, width);
	snprintf(config, sizeof(config), "{\"missing\": NaN, \"nthread\": %ld}",
		 threads);
	return XGDMatrixCreateFromDense(array, config, matrix) ||
	       XGDMatrixSetFloatInfo(*matrix, "label", rows->labels,
				     rows->nr) ||
	       XGDMatrixSetFloatInfo(*matrix, "weight", rows->weights,
				     rows->nr);
}

static int set_number(BoosterHandle booster, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9g", value);
	return XGBoosterSetParam(booster, key, text);
}

/* A booster without trees over @rows; both are to be freed. */
static int prepare(struct rows *rows, unsigned int width,
		   const struct learn_options *options, const char *objective,
		   unsigned int nr_classes, double base_score,
		   DMatrixHandle *matrix, BoosterHandle *booster)
{
	*matrix = NULL;
	*booster = NULL;
	rows_normalise(rows);
	return XGBSetGlobalConfig("{\"verbosity\": 0}") ||
	       make_matrix(rows, width, options->threads, matrix) ||
	       XGBoosterCreate(matrix, 1, booster) ||
	       XGBoosterSetParam(*booster, "booster", "gbtree") ||
	       XGBoosterSetParam(*booster, "objective", objective) ||
	       /* "auto" chooses by the number of rows and differs by version */
	       XGBoosterSetParam(*booster, "tree_method", "hist") ||
	       set_number(*booster, "nthread", options->threads) ||
	       set_number(*booster, "seed", options->seed) ||
	       set_number(*booster, "max_depth", options->depth) ||
	       set_number(*booster, "eta", options->eta) ||
	       (options->min_weight && set_number(*booster, "min_child_weight",
						  options->min_weight)) ||
	       set_number(*booster, "base_score", base_score) ||
	       (nr_classes > 1 &&
		set_number(*booster, "num_class", nr_classes));
}

/* Boost @options->trees rounds over @rows; *booster is to be freed. */
static int fit(struct rows *rows, unsigned int width,
	       const struct learn_options *options, const char *objective,
	       unsigned int nr_classes, double base_score,
	       BoosterHandle *booster, char error[ERROR_LEN])
{
	DMatrixHandle matrix;
	long i;
	int bad;

	bad = prepare(rows, width, options, objective, nr_classes, base_score,
		      &matrix, booster);
	for (i = 0; i < options->trees && !bad; i++)
		bad = XGBoosterUpdateOneIter(*booster, i, matrix);
	if (bad)
		xgboost_failed(error);
	if (matrix)
		XGDMatrixFree(matrix);
	return bad ? EX_SOFTWARE : 0;
}

static json_t *model_json(BoosterHandle booster)
{
	const char *text;
	bst_ulong len;

	if (XGBoosterSaveModelToBuffer(booster, "{\"format\": \"json\"}", &len,
				       &text))
		return NULL;
	return json_loadb(text, len, 0, NULL);
}

/* model_json()'s gradient_booster.model, borrowed */
static json_t *ensemble(const json_t *model)
{
	json_t *learner = json_object_get(model, "learner");
	json_t *gbtree = json_object_get(learner, "gradient_booster");

	return json_object_get(gbtree, "model");
}

/* The least sum that the trees of one regression can give */
static double least_margin(const json_t *model)
{
	double sum = 0;
	json_t *tree, *left;
	size_t i, j;

	json_array_foreach(json_object_get(ensemble(model), "trees"), i, tree)
	{
		json_t *values = json_object_get(tree, "split_conditions");
		double least = INFINITY;

		json_array_foreach(json_object_get(tree, "left_children"), j,
				   left)
		{
			double x = json_number_value(json_array_get(values, j));

			if (json_integer_value(left) == -1 && x < least)
				least = x;
		}
		sum += least;
	}
	return sum;
}

/* A tree that is one leaf */
static json_t *leaf_tree(double value, unsigned int width)
{
	char nr_features[16];

	snprintf(nr_features, sizeof(nr_features), "%u", width);
	return json_pack(
		"{s:[f], s:[], s:[], s:[], s:[], s:[i], s:[i], s:[f], s:[i], s:[i], s:[f], s:[i], s:[i], s:[f], s:{s:s, s:s, s:s, s:s}}",
		"base_weights", value, "categories", "categories_nodes",
		"categories_segments", "categories_sizes", "default_left", 0,
		"left_children", -1, "loss_changes", 0.0, "parents", INT32_MAX,
		"right_children", -1, "split_conditions", value,
		"split_indices", 0, "split_type", 0, "sum_hessian", 0.0,
		"tree_param", "num_deleted", "0", "num_feature", nr_features,
		"num_nodes", "1", "size_leaf_vector", "0");
}

static int set_text(json_t *object, const char *key, unsigned long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", value);
	return json_object_set_new(object, key, json_string(text));
}

/*
 * One multi-class model of the regressions of all actions. Its trees go round
 * by round, one of each group, as XGBoost itself has them: so slicing and
 * further boosting still work. models[k] NULL: the action is never chosen.
 */
static json_t *merge(json_t *const *models, unsigned int nr, long rounds,
		     unsigned int width)
{
	json_t *trees = json_array(), *info = json_array();
	json_t *merged = NULL, *param, *learner;
	double never = 0;
	unsigned int k;
	long round;
	int bad = 0;

	for (k = 0; k < nr; k++) {
		double least = models[k] ? least_margin(models[k]) : INFINITY;

		if (models[k] && !merged)
			merged = json_deep_copy(models[k]);
		never = fmin(never, least);
	}
	/* Below anything that another action's float sum can come to. */
	never = floor(1.01 * never) - 1;

	for (round = 0; round < rounds; round++) {
		for (k = 0; k < nr; k++) {
			json_t *tree;

			if (models[k])
				tree = json_deep_copy(json_array_get(
					json_object_get(ensemble(models[k]),
							"trees"),
					round));
			else
				tree = leaf_tree(round || !k ? 0 : never,
						 width);
			bad |= json_object_set_new(
				tree, "id",
				json_integer(json_array_size(trees)));
			bad |= json_array_append_new(trees, tree);
			bad |= json_array_append_new(info, json_integer(k));
		}
	}
	param = json_object_get(ensemble(merged), "gbtree_model_param");
	bad |= set_text(param, "num_trees", json_array_size(trees));
	bad |= json_object_set_new(ensemble(merged), "trees", trees);
	bad |= json_object_set_new(ensemble(merged), "tree_info", info);
	learner = json_object_get(merged, "learner");
	param = json_object_get(learner, "learner_model_param");
	bad |= set_text(param, "num_class", nr);
	param = json_pack("{s:s, s:{s:o}}", "name", "multi:softprob",
			  "softmax_multiclass_param", "num_class",
			  json_sprintf("%u", nr));
	bad |= json_object_set_new(learner, "objective", param);
	if (!bad)
		return merged;
	json_decref(merged);
	return NULL;
}

/* The names go with the model, so that it cannot end up in another proxy. */
static int finish(BoosterHandle booster, const struct csv_head *head,
		  enum objective objective, struct learned *learned,
		  char error[ERROR_LEN])
{
	char schema[17], actions[ML_MAX_ACTIONS * ML_NAME_LEN];
	const char *names[ML_MAX_FEATURES], *text;
	size_t at = 0;
	bst_ulong len;
	unsigned int i;

	snprintf(schema, sizeof(schema), "%016" PRIx64, head->schema);
	for (i = 0; i < head->nr_actions; i++)
		at += snprintf(actions + at, sizeof(actions) - at, "%s%s",
			       i ? "," : "", head->actions[i]);
	for (i = 0; i < head->nr_features; i++)
		names[i] = head->features[i];
	if (XGBoosterSetAttr(booster, "ml_lib.proxy", head->proxy) ||
	    XGBoosterSetAttr(booster, "ml_lib.schema", schema) ||
	    XGBoosterSetAttr(booster, "ml_lib.actions", actions) ||
	    XGBoosterSetAttr(booster, "ml_lib.objective",
			     objective_names[objective]) ||
	    XGBoosterSetStrFeatureInfo(booster, "feature_name", names,
				       head->nr_features) ||
	    XGBoosterSaveModelToBuffer(booster, "{\"format\": \"json\"}", &len,
				       &text))
		return xgboost_failed(error);
	learned->json = malloc(len + 1);
	if (!learned->json)
		return no_memory(error);
	memcpy(learned->json, text, len);
	learned->json[len] = '\0';
	learned->len = len;
	return 0;
}

/* Load what merge() has made; a JSON real keeps its type and all its bits. */
static int load_merged(json_t *merged, BoosterHandle *booster,
		       char error[ERROR_LEN])
{
	char *text = merged ? json_dumps(merged, JSON_REAL_PRECISION(9)) : NULL;
	int ret = 0;

	*booster = NULL;
	if (!text)
		return no_memory(error);
	if (XGBoosterCreate(NULL, 0, booster) ||
	    XGBoosterLoadModelFromBuffer(*booster, text, strlen(text)))
		ret = xgboost_failed(error);
	free(text);
	return ret;
}

/* A row's features, and after them an action */
static void widen(const struct csv *csv, size_t i, unsigned int action,
		  int32_t *to)
{
	unsigned int width = csv->head.nr_features;

	memcpy(to, csv->features + i * width, width * sizeof(*to));
	to[width] = action;
}

static int train_teacher(const struct csv *csv, const float *labels,
			 const struct learn_options *options,
			 const struct learned *learned, struct booster *teacher,
			 char error[ERROR_LEN])
{
	const struct learn_options larger = {
		.trees = TEACHER_TREES,
		.depth = TEACHER_DEPTH,
		.eta = TEACHER_ETA,
		.min_weight = TEACHER_MIN_WEIGHT,
		.seed = options->seed,
		.threads = options->threads,
	};
	unsigned int width = csv->head.nr_features + 1;
	BoosterHandle booster = NULL;
	struct rows rows = {};
	const char *text;
	bst_ulong len;
	int ret = 0;
	size_t i;

	if (!rows_alloc(&rows, csv->nr_rows, width))
		ret = no_memory(error);
	for (i = 0; i < csv->nr_rows && !ret; i++) {
		const struct csv_row *row = &csv->rows[i];

		if (isnan(labels[i]) || learn_is_valid(row, options->valid))
			continue;
		widen(csv, i, row->action, rows.features + rows.nr * width);
		rows_add(&rows, csv_weight(csv, row), labels[i]);
	}
	if (!ret)
		ret = fit(&rows, width, &larger, "reg:squarederror", 1,
			  learned->mean, &booster, error);
	if (!ret && XGBoosterSaveModelToBuffer(
			    booster, "{\"format\": \"json\"}", &len, &text))
		ret = xgboost_failed(error);
	if (!ret)
		ret = booster_load_buffer(teacher, "teacher", text, len, error);
	if (booster)
		XGBoosterFree(booster);
	rows_free(&rows);
	return ret;
}

/*
 * What the teacher says of all rows: answers[k][i] is what action k earns
 * beyond the mean of all actions, which is the baseline of row i. Actions that
 * are skipped have no part in it.
 */
static int ask_teacher(const struct csv *csv, const struct booster *teacher,
		       struct learned *learned, float **answers,
		       char error[ERROR_LEN])
{
	unsigned int nr = csv->head.nr_actions, k, asked = 0;
	size_t width = csv->head.nr_features + 1, i;
	int32_t *wide = calloc(csv->nr_rows, width * sizeof(*wide));
	const float *margins;
	int ret = 0;

	if (!wide)
		return no_memory(error);
	for (k = 0; k < nr && !ret; k++) {
		if (learned->skipped[k])
			continue;
		for (i = 0; i < csv->nr_rows; i++)
			widen(csv, i, k, wide + i * width);
		ret = booster_margins(teacher, wide, csv->nr_rows, &margins,
				      error);
		for (i = 0; i < csv->nr_rows && !ret; i++) {
			answers[k][i] = margins[i];
			learned->baseline[i] += margins[i];
		}
		asked++;
	}
	for (i = 0; i < csv->nr_rows && !ret; i++) {
		learned->baseline[i] /= asked;
		for (k = 0; k < nr; k++)
			if (!learned->skipped[k])
				answers[k][i] -= learned->baseline[i];
	}
	free(wide);
	return ret;
}

/* The student's regression of an action, as JSON */
static int learn_action(const struct csv *csv, const float *labels,
			const struct learn_options *options,
			const float *answers, json_t **model,
			char error[ERROR_LEN])
{
	unsigned int width = csv->head.nr_features;
	BoosterHandle booster = NULL;
	struct rows rows = {};
	int ret = 0;
	size_t i;

	if (!rows_alloc(&rows, csv->nr_rows, width))
		ret = no_memory(error);
	for (i = 0; i < csv->nr_rows && !ret; i++) {
		const struct csv_row *row = &csv->rows[i];

		if (isnan(labels[i]) || learn_is_valid(row, options->valid))
			continue;
		memcpy(rows.features + rows.nr * width,
		       csv->features + i * width,
		       width * sizeof(*rows.features));
		rows_add(&rows, csv_weight(csv, row), answers[i]);
	}
	if (!ret)
		ret = fit(&rows, width, options, "reg:squarederror", 1, 0,
			  &booster, error);
	if (!ret) {
		*model = model_json(booster);
		if (!*model)
			ret = xgboost_failed(error);
	}
	if (booster)
		XGBoosterFree(booster);
	rows_free(&rows);
	return ret;
}

/* The student of the objective reward: a regression for each action */
static int learn_rewards(const struct csv *csv, const float *labels,
			 const struct learn_options *options,
			 const struct learned *learned, float **answers,
			 BoosterHandle *booster, char error[ERROR_LEN])
{
	json_t *models[ML_MAX_ACTIONS] = {}, *merged;
	unsigned int nr = csv->head.nr_actions, k;
	int ret = 0;

	for (k = 0; k < nr && !ret; k++)
		if (!learned->skipped[k])
			ret = learn_action(csv, labels, options, answers[k],
					   &models[k], error);
	if (!ret) {
		merged = merge(models, nr, options->trees,
			       csv->head.nr_features);
		ret = load_merged(merged, booster, error);
		json_decref(merged);
	}
	for (k = 0; k < nr; k++)
		json_decref(models[k]);
	return ret;
}

/* What the gradients of the objective choice are made of, for each row */
struct choices {
	size_t nr;
	unsigned int nr_actions;
	const bool *skipped; /* action 0 is none of them */
	const float *weights;
	float *earned; /* by each action, beyond the mean of all */
	float *gradients;
	float *hessians;
	double doubt; /* see choice_gradients() */
	double most; /* that an action loses to the best, in any row */
};

/*
 * The student as one that draws its action by chance, with weights of
 * exp(margin), loses to the best action
 *
 *	L = sum(p[k] * loss[k]),	dL/dmargin[k] = p[k] * (loss[k] - L)
 *
 * in a row. That is divided by the doubt, CHOICE_DOUBT of what is at stake on
 * average: so, whatever the unit of the rewards, margins differ by about 1 where
 * as much as that is at stake. The second derivative may have either sign; in its
 * place is that of a classifier, p * (1 - p), with a least value that bounds the
 * step where a choice is made.
 *
 * A step is then at most eta * loss / doubt. An action that is never to be
 * chosen begins at less than all others can come to in all rounds.
 */
static void choice_gradients(const struct choices *c, const float *margins,
			     const struct learn_options *options, long round)
{
	double never = -(options->trees + 1) * (c->most / c->doubt + 1);
	double p[ML_MAX_ACTIONS];
	unsigned int n = c->nr_actions, k;
	size_t i;

	for (i = 0; i < c->nr; i++, margins += n) {
		const float *earned = c->earned + i * n;
		float *g = c->gradients + i * n, *h = c->hessians + i * n;
		double sum = 0, mean = 0, top = -INFINITY, w = c->weights[i];

		for (k = 0; k < n; k++)
			if (!c->skipped[k] && margins[k] > top)
				top = margins[k];
		for (k = 0; k < n; k++) {
			p[k] = c->skipped[k] ? 0 : exp(margins[k] - top);
			sum += p[k];
		}
		for (k = 0; k < n; k++) {
			p[k] /= sum;
			mean += p[k] * earned[k];
		}
		for (k = 0; k < n; k++) {
			g[k] = w * p[k] * (mean - earned[k]) / c->doubt;
			h[k] = w * fmax(p[k] * (1 - p[k]), CHOICE_MIN_HESSIAN);
			if (!c->skipped[k])
				continue;
			g[k] = round ? 0 : -2 * never * w;
			h[k] = w;
		}
	}
}

/* The rows to train on, and what is at stake in them */
static int gather_choices(const struct csv *csv, const float *labels,
			  const struct learn_options *options, float **answers,
			  struct rows *rows, struct choices *c,
			  char error[ERROR_LEN])
{
	unsigned int width = csv->head.nr_features, n = csv->head.nr_actions, k;
	double stake = 0, weights = 0;
	size_t i;

	c->nr_actions = n;
	c->earned = calloc(csv->nr_rows + 1, n * sizeof(*c->earned));
	c->gradients = calloc(csv->nr_rows + 1, n * sizeof(*c->gradients));
	c->hessians = calloc(csv->nr_rows + 1, n * sizeof(*c->hessians));
	if (!c->earned || !c->gradients || !c->hessians ||
	    !rows_alloc(rows, csv->nr_rows, width))
		return no_memory(error);
	for (i = 0; i < csv->nr_rows; i++) {
		const struct csv_row *row = &csv->rows[i];
		double best = -INFINITY, worst = INFINITY;
		float *earned = c->earned + rows->nr * n;

		if (isnan(labels[i]) || learn_is_valid(row, options->valid))
			continue;
		memcpy(rows->features + rows->nr * width,
		       csv->features + i * width,
		       width * sizeof(*rows->features));
		for (k = 0; k < n; k++) {
			earned[k] = answers[k][i];
			if (c->skipped[k])
				continue;
			best = fmax(best, earned[k]);
			worst = fmin(worst, earned[k]);
		}
		c->most = fmax(c->most, best - worst);
		stake += best * csv_weight(csv, row);
		weights += csv_weight(csv, row);
		rows_add(rows, csv_weight(csv, row), labels[i]);
	}
	c->nr = rows->nr;
	c->weights = rows->weights;
	/* All actions earn the same everywhere: any choice is right */
	c->doubt = stake > 0 ? CHOICE_DOUBT * stake / weights : 1;
	return 0;
}

/* The student of the objective choice */
static int learn_choice(const struct csv *csv, const float *labels,
			const struct learn_options *options,
			const struct learned *learned, float **answers,
			BoosterHandle *booster, char error[ERROR_LEN])
{
	bool skipped[ML_MAX_ACTIONS];
	struct choices c = { .skipped = skipped };
	const bst_ulong *shape;
	DMatrixHandle matrix = NULL;
	struct rows rows = {};
	const float *margins;
	bst_ulong dimensions;
	int ret, bad;
	long i;

	memcpy(skipped, learned->skipped, sizeof(skipped));
	skipped[0] = false; /* it is taken to earn the mean */
	ret = gather_choices(csv, labels, options, answers, &rows, &c, error);
	if (ret)
		goto out;
	bad = prepare(&rows, csv->head.nr_features, options, "multi:softprob",
		      c.nr_actions, 0, &matrix, booster);
	for (i = 0; i < options->trees && !bad; i++) {
		bad = XGBoosterPredictFromDMatrix(
			*booster, matrix,
			"{\"type\": 1, \"training\": false, "
			"\"iteration_begin\": 0, \"iteration_end\": 0, "
			"\"strict_shape\": false}",
			&shape, &dimensions, &margins);
		if (bad)
			break;
		choice_gradients(&c, margins, options, i);
		bad = XGBoosterBoostOneIter(*booster, matrix, c.gradients,
					    c.hessians, c.nr * c.nr_actions);
	}
	if (bad)
		ret = xgboost_failed(error);
	if (matrix)
		XGDMatrixFree(matrix);
out:
	rows_free(&rows);
	free(c.earned);
	free(c.gradients);
	free(c.hessians);
	return ret;
}

static int teach(const struct csv *csv, const float *labels,
		 const struct learn_options *options, struct learned *learned,
		 char error[ERROR_LEN])
{
	unsigned int nr = csv->head.nr_actions, k, trained = 0;
	float *answers[ML_MAX_ACTIONS] = {};
	BoosterHandle booster = NULL;
	struct booster teacher = {};
	int ret = 0;

	for (k = 0; k < nr; k++) {
		learned->skipped[k] = learned->rows[k] <
				      (size_t)options->min_rows;
		trained += !learned->skipped[k];
	}
	if (trained < 2) {
		snprintf(
			error, ERROR_LEN,
			"train: expected two actions or more with %ld rewards or more each, got %u",
			options->min_rows, trained);
		return EX_DATAERR;
	}
	learned->baseline = calloc(csv->nr_rows, sizeof(*learned->baseline));
	if (!learned->baseline)
		ret = no_memory(error);
	for (k = 0; k < nr && !ret; k++) {
		answers[k] = calloc(csv->nr_rows, sizeof(*answers[k]));
		if (!answers[k])
			ret = no_memory(error);
	}
	if (!ret)
		ret = train_teacher(csv, labels, options, learned, &teacher,
				    error);
	if (!ret)
		ret = ask_teacher(csv, &teacher, learned, answers, error);
	booster_free(&teacher);
	if (!ret)
		ret = (options->objective == OBJ_CHOICE ?
			       learn_choice :
			       learn_rewards)(csv, labels, options, learned,
					      answers, &booster, error);
	if (!ret)
		ret = finish(booster, &csv->head, options->objective, learned,
			     error);
	if (booster)
		XGBoosterFree(booster);
	for (k = 0; k < nr; k++)
		free(answers[k]);
	return ret;
}

static int learn_labelled(const struct csv *csv, const float *labels,
			  const struct learn_options *options,
			  struct learned *learned, char error[ERROR_LEN])
{
	bool regression = options->objective == OBJ_SQUAREDERROR;
	unsigned int width = csv->head.nr_features;
	unsigned int nr_classes = options->objective == OBJ_SOFTPROB ?
					  csv->head.nr_actions :
				  options->objective == OBJ_LOGISTIC ? 2 :
								       1;
	BoosterHandle booster = NULL;
	struct rows rows = {};
	int ret = 0;
	size_t i;

	if (!rows_alloc(&rows, csv->nr_rows, width))
		ret = no_memory(error);
	for (i = 0; i < csv->nr_rows && !ret; i++) {
		if (isnan(labels[i]))
			continue;
		if (!regression && (labels[i] < 0 || labels[i] >= nr_classes)) {
			snprintf(
				error, ERROR_LEN,
				"train: row of id %" PRIu64
				": expected a label from 0 to %u for %s, got %g",
				csv->rows[i].id, nr_classes - 1,
				objective_names[options->objective],
				(double)labels[i]);
			ret = EX_DATAERR;
		}
		if (learn_is_valid(&csv->rows[i], options->valid))
			continue;
		memcpy(rows.features + rows.nr * width,
		       csv->features + i * width,
		       width * sizeof(*rows.features));
		rows_add(&rows, csv_weight(csv, &csv->rows[i]), labels[i]);
	}
	if (!ret && rows.nr < (size_t)options->min_rows) {
		snprintf(error, ERROR_LEN,
			 "train: expected %ld rows or more, got %zu",
			 options->min_rows, rows.nr);
		ret = EX_DATAERR;
	}
	if (!ret)
		ret = fit(&rows, width, options,
			  objective_names[options->objective],
			  options->objective == OBJ_SOFTPROB ? nr_classes : 1,
			  regression ? learned->mean : 0.5, &booster, error);
	if (!ret)
		ret = finish(booster, &csv->head, options->objective, learned,
			     error);
	if (booster)
		XGBoosterFree(booster);
	rows_free(&rows);
	return ret;
}

int learn(const struct csv *csv, const float *labels,
	  const struct learn_options *options, struct learned *learned,
	  char error[ERROR_LEN])
{
	double sum = 0, weights = 0;
	size_t i;

	memset(learned, 0, sizeof(*learned));
	for (i = 0; i < csv->nr_rows; i++) {
		const struct csv_row *row = &csv->rows[i];

		if (isnan(labels[i]))
			continue;
		if (learn_is_valid(row, options->valid)) {
			learned->nr_valid++;
			continue;
		}
		learned->nr_train++;
		learned->rows[row->action]++;
		sum += csv_weight(csv, row) * labels[i];
		weights += csv_weight(csv, row);
	}
	learned->mean = weights ? sum / weights : 0;
	return learns_from_rewards(options->objective) ?
		       teach(csv, labels, options, learned, error) :
		       learn_labelled(csv, labels, options, learned, error);
}

void learned_free(struct learned *learned)
{
	free(learned->json);
	free(learned->baseline);
	memset(learned, 0, sizeof(*learned));
}
