// SPDX-License-Identifier: GPL-2.0-only
/* booster.c - load an XGBoost model and predict with it */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <xgboost/c_api.h>

#include "booster.h"

#define MAX_MODEL_BYTES (256 << 20)

static const struct {
	const char *objective;
	enum ml_trees_rule rule;
} rules[] = {
	{ "multi:softprob", ML_TREES_ARGMAX },
	{ "multi:softmax", ML_TREES_ARGMAX },
	{ "binary:logistic", ML_TREES_SIGN },
	{ "reg:squarederror", ML_TREES_ROUND },
};

int booster_error(int code, const char *what, char error[ERROR_LEN])
{
	const char *text = XGBGetLastError(), *tail;

	/* "[12:00:00] ./src/x.cc:10: Check failed: ..." */
	tail = *text == '[' ? strstr(text, ".cc:") : NULL;
	tail = tail ? strstr(tail, ": ") : NULL;
	text = tail ? tail + 2 : text;
	snprintf(error, ERROR_LEN, "%s: XGBoost: %.*s", what,
		 (int)strcspn(text, "\n"), text);
	return code;
}

static const char *config_text(json_t *config, const char *part,
			       const char *key)
{
	json_t *learner = json_object_get(config, "learner");

	return json_string_value(
		json_object_get(json_object_get(learner, part), key));
}

/* What the model is: XGBoost tells it only as JSON. */
static int inspect(struct booster *booster, const char *what,
		   char error[ERROR_LEN])
{
	const char *objective, *features, *groups, *kind, *text;
	json_t *config;
	bst_ulong len;
	size_t i;
	int ret = 0;

	if (XGBoosterSaveJsonConfig(booster->handle, &len, &text))
		return booster_error(EX_DATAERR, what, error);
	config = json_loadb(text, len, 0, NULL);
	objective = config_text(config, "objective", "name");
	kind = config_text(config, "gradient_booster", "name");
	features = config_text(config, "learner_model_param", "num_feature");
	groups = config_text(config, "learner_model_param", "num_class");
	if (!objective || !kind || !features || !groups) {
		snprintf(error, ERROR_LEN,
			 "%s: XGBoost tells no objective or number of features",
			 what);
		ret = EX_DATAERR;
		goto out;
	}
	booster->nr_features = strtoul(features, NULL, 10);
	booster->nr_groups = strtoul(groups, NULL, 10);
	if (!booster->nr_groups)
		booster->nr_groups = 1;
	snprintf(booster->objective, sizeof(booster->objective), "%s",
		 objective);
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(objective, rules[i].objective))
			break;
	if (i < ARRAY_SIZE(rules) && !strcmp(kind, "gbtree")) {
		booster->rule = rules[i].rule;
		goto out;
	}
	snprintf(
		error, ERROR_LEN,
		"%s: expected booster gbtree and objective multi:softprob, "
		"multi:softmax, binary:logistic or reg:squarederror, got %s, %s",
		what, kind, objective);
	ret = EX_DATAERR;
out:
	json_decref(config);
	return ret;
}

int booster_load_buffer(struct booster *booster, const char *what,
			const void *data, size_t len, char error[ERROR_LEN])
{
	memset(booster, 0, sizeof(*booster));
	/* Errors come back as text; nothing else shall be printed. */
	if (XGBSetGlobalConfig("{\"verbosity\": 0}") ||
	    XGBoosterCreate(NULL, 0, &booster->handle) ||
	    XGBoosterLoadModelFromBuffer(booster->handle, data, len) ||
	    /* A load resets the number of threads. */
	    XGBoosterSetParam(booster->handle, "nthread", "1") ||
	    XGProxyDMatrixCreate(&booster->proxy))
		return booster_error(EX_DATAERR, what, error);
	return inspect(booster, what, error);
}

int booster_read_file(const char *path, char **data, size_t *len,
		      char error[ERROR_LEN])
{
	size_t room = 0, got;
	FILE *f = fopen(path, "r");

	*data = NULL;
	*len = 0;
	if (!f)
		goto fail;
	do {
		if (*len == room) {
			char *more = NULL;

			room = room ? 2 * room : 1 << 16;
			errno = EFBIG;
			if (room <= MAX_MODEL_BYTES)
				more = realloc(*data, room);
			if (!more)
				goto fail;
			*data = more;
		}
		got = fread(*data + *len, 1, room - *len, f);
		*len += got;
	} while (got);
	if (ferror(f))
		goto fail;
	fclose(f);
	/* Formats other than JSON have no checks: a corrupt file crashes. */
	if (*len && **data == '{')
		return 0;
	snprintf(error, ERROR_LEN, "%s: expected an XGBoost model in JSON",
		 path);
	free(*data);
	*data = NULL;
	return EX_DATAERR;
fail:
	snprintf(error, ERROR_LEN, "%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	free(*data);
	*data = NULL;
	return EX_NOINPUT;
}

int booster_load(struct booster *booster, const char *path,
		 char error[ERROR_LEN])
{
	size_t len;
	char *data;
	int ret;

	memset(booster, 0, sizeof(*booster));
	ret = booster_read_file(path, &data, &len, error);
	if (!ret)
		ret = booster_load_buffer(booster, path, data, len, error);
	free(data);
	return ret;
}

void booster_free(struct booster *booster)
{
	if (booster->proxy)
		XGDMatrixFree(booster->proxy);
	if (booster->handle)
		XGBoosterFree(booster->handle);
	memset(booster, 0, sizeof(*booster));
}

const char *booster_attribute(const struct booster *booster, const char *key)
{
	const char *text = NULL;
	int found = 0;

	if (XGBoosterGetAttr(booster->handle, key, &text, &found) || !found)
		return NULL;
	return text;
}

static int mismatch(char error[ERROR_LEN], const char *what, const char *field,
		    const char *expected, const char *got)
{
	snprintf(error, ERROR_LEN, "%s: %s: expected \"%s\", got \"%s\"", what,
		 field, expected, got);
	return EX_DATAERR;
}

int booster_check(const struct booster *booster, const char *what,
		  const struct csv_head *head, char error[ERROR_LEN])
{
	const char **names, *text;
	bst_ulong nr = 0;
	char schema[17];
	unsigned int i;

	if (booster->nr_features != head->nr_features) {
		snprintf(error, ERROR_LEN,
			 "%s: expected %u features as proxy %s has, got %u",
			 what, head->nr_features, head->proxy,
			 booster->nr_features);
		return EX_DATAERR;
	}
	if (XGBoosterGetStrFeatureInfo(booster->handle, "feature_name", &nr,
				       &names))
		return booster_error(EX_DATAERR, what, error);
	for (i = 0; i < nr && i < head->nr_features; i++)
		if (strcmp(names[i], head->features[i]))
			return mismatch(error, what, "feature_names",
					head->features[i], names[i]);
	text = booster_attribute(booster, "ml_lib.proxy");
	if (text && strcmp(text, head->proxy))
		return mismatch(error, what, "attribute ml_lib.proxy",
				head->proxy, text);
	snprintf(schema, sizeof(schema), "%016" PRIx64, head->schema);
	text = booster_attribute(booster, "ml_lib.schema");
	if (text && strcmp(text, schema))
		return mismatch(error, what, "attribute ml_lib.schema", schema,
				text);
	if (booster->nr_groups > head->nr_actions) {
		snprintf(
			error, ERROR_LEN,
			"%s: expected no more than the %u actions of %s, got %u classes",
			what, head->nr_actions, head->proxy,
			booster->nr_groups);
		return EX_DATAERR;
	}
	return 0;
}

int booster_margins(const struct booster *booster, const int32_t *features,
		    size_t nr_rows, const float **margins,
		    char error[ERROR_LEN])
{
	static const char config[] =
		"{\"type\": 1, \"training\": false, \"iteration_begin\": 0, "
		"\"iteration_end\": 0, \"strict_shape\": true, "
		"\"cache_id\": 0, \"missing\": NaN}";
	const bst_ulong *shape;
	bst_ulong dim;
	char array[160];

	snprintf(array, sizeof(array),
		 "{\"data\": [%" PRIuPTR ", true], \"shape\": [%zu, %u], "
		 "\"typestr\": \"<i4\", \"version\": 3}",
		 (uintptr_t)features, nr_rows, booster->nr_features);
	if (XGBoosterPredictFromDense(booster->handle, array, config,
				      booster->proxy, &shape, &dim, margins))
		return booster_error(EX_SOFTWARE, "predict", error);
	if (dim != 2 || shape[0] != nr_rows || shape[1] != booster->nr_groups) {
		snprintf(error, ERROR_LEN,
			 "predict: XGBoost's answer has an unexpected shape");
		return EX_SOFTWARE;
	}
	return 0;
}

unsigned int booster_action(const struct booster *booster, const float *margins,
			    unsigned int nr_actions)
{
	unsigned int best = 0, i;
	double rounded;

	switch (booster->rule) {
	case ML_TREES_SIGN:
		return margins[0] > 0;
	case ML_TREES_ROUND:
		rounded = floor((double)margins[0] + 0.5);
		return rounded <= 0		 ? 0 :
		       rounded >= nr_actions - 1 ? nr_actions - 1 :
						   (unsigned int)rounded;
	default:
		for (i = 1; i < booster->nr_groups; i++)
			if (margins[i] > margins[best])
				best = i;
		return best;
	}
}
