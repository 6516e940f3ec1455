// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_trees.c - how long one decision takes: table, if/else, XGBoost
 *
 * One row at a time, as a kernel decides: the next row's address depends on the
 * result of the one before, so that a processor cannot work on two at once. The
 * model stays in the cache, the rows differ so much and are so many that
 * branches on them cannot be predicted. All engines take turns in every repeat:
 * what disturbs the machine disturbs all. XGBoost is called in every way its C
 * API has for a row; the best one counts.
 *
 * The if/else is what people generate of models: a function per tree, here with
 * the same integer thresholds and leaves as the table has.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <linux/ml_trees.h>

#include "../../ml_lib/trees.h"
#include "../compile.h"
#include "models.h"

#define MODEL "binary:logistic"
#define NR_FEATURES 8
#define NR_ROWS 65536
#define NR_XGB_ROWS 2048 /* of the same: it is that much slower */
#define MAX_REPEATS 1000
#define TARGET_XGB 20.0
#define TARGET_IFELSE 1.5

static const struct bench_shape {
	const char *name;
	struct model_shape shape;
} shapes[] = {
	{ "20xd4", { MODEL, 20, 4, NR_FEATURES, 2, 0, NULL, "hist", 0 } },
	{ "50xd4", { MODEL, 50, 4, NR_FEATURES, 2, 0, NULL, "hist", 0 } },
	{ "50xd6", { MODEL, 50, 6, NR_FEATURES, 2, 0, NULL, "hist", 0 } },
	{ "100xd4", { MODEL, 100, 4, NR_FEATURES, 2, 0, NULL, "hist", 0 } },
};

#define NR_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

struct bench {
	struct trained model;
	struct compiled compiled;
	struct ml_trees trees;
	int32_t (*ifelse)(const int32_t *row);
	void *library;
	int32_t (*rows)[NR_FEATURES];
	float (*floats)[NR_FEATURES];
	/* XGBoost reads its row from here */
	float row[NR_FEATURES];
	DMatrixHandle proxy;
	char dense[160];
	char csr_indptr[160], csr_indices[160], csr_data[160];
};

static void die(int code, const char *what)
{
	fprintf(stderr, "bench_trees: %s\n", what);
	exit(code);
}

static void *room(size_t nr, size_t size)
{
	void *p = calloc(nr, size);

	if (!p)
		die(EX_OSERR, "out of memory");
	return p;
}

/* if/else of a node, as deep as it goes */
static void generate_node(FILE *f, const json_t *tree, const char *unit,
			  size_t node, int fraction)
{
	const json_t *left = json_object_get(tree, "left_children");
	const json_t *right = json_object_get(tree, "right_children");
	const json_t *index = json_object_get(tree, "split_indices");
	const json_t *value = json_object_get(tree, "split_conditions");
	float v = (float)json_number_value(json_array_get(value, node));

	if (json_integer_value(json_array_get(left, node)) == -1) {
		fprintf(f, "%sreturn %.0f;\n", unit, rint(ldexp(v, fraction)));
		return;
	}
	/* No s32 is a long long that is too large: the compiler sees it */
	fprintf(f, "%sif (x[%lld] < %lldLL) {\n", unit,
		(long long)json_integer_value(json_array_get(index, node)),
		(long long)compile_threshold(v));
	generate_node(f, tree, unit,
		      json_integer_value(json_array_get(left, node)), fraction);
	fprintf(f, "%s} else {\n", unit);
	generate_node(f, tree, unit,
		      json_integer_value(json_array_get(right, node)),
		      fraction);
	fprintf(f, "%s}\n", unit);
}

static void generate(const struct bench *b, const char *path)
{
	const struct ml_trees_header *h = b->compiled.table;
	json_t *trees, *tree;
	FILE *f = fopen(path, "w");
	size_t i;

	if (!f)
		die(EX_CANTCREAT, path);
	if (json_unpack(b->model.json, "{s:{s:{s:{s:o}}}}", "learner",
			"gradient_booster", "model", "trees", &trees))
		die(EX_SOFTWARE, "the model has no trees");
	fputs("#include <stdint.h>\n", f);
	json_array_foreach(trees, i, tree)
	{
		fprintf(f, "static int32_t tree%zu(const int32_t *x)\n{\n", i);
		generate_node(f, tree, "\t", 0, h->fraction);
		fputs("}\n", f);
	}
	fprintf(f,
		"int32_t ifelse(const int32_t *x);\n"
		"int32_t ifelse(const int32_t *x)\n{\n"
		"\tint32_t sum = %d;\n",
		b->trees.base[0]);
	for (i = 0; i < json_array_size(trees); i++)
		fprintf(f, "\tsum += tree%zu(x);\n", i);
	fputs("\treturn sum;\n}\n", f);
	if (fclose(f))
		die(EX_CANTCREAT, path);
}

static void build_ifelse(struct bench *b, const char *dir, const char *name)
{
	char source[512], object[512], command[1536];
	const char *cc = getenv("CC");

	snprintf(source, sizeof(source), "%s/ifelse-%s.c", dir, name);
	snprintf(object, sizeof(object), "%s/ifelse-%s.so", dir, name);
	generate(b, source);
	snprintf(command, sizeof(command), "%s -O2 -shared -fPIC -o '%s' '%s'",
		 cc ? cc : "cc", object, source);
	if (system(command))
		die(EX_UNAVAILABLE, command);
	b->library = dlopen(object, RTLD_NOW);
	if (!b->library)
		die(EX_SOFTWARE, dlerror());
	*(void **)&b->ifelse = dlsym(b->library, "ifelse");
	if (!b->ifelse)
		die(EX_SOFTWARE, dlerror());
}

static void interface(char *to, size_t len, const void *p, const char *shape,
		      const char *type)
{
	snprintf(
		to, len,
		"{\"data\": [%llu, true], \"shape\": %s, \"typestr\": \"%s\", \"version\": 3}",
		(unsigned long long)(uintptr_t)p, shape, type);
}

static void prepare(struct bench *b, const struct bench_shape *s,
		    const char *dir)
{
	static const uint64_t indptr[2] = { 0, NR_FEATURES };
	static uint32_t indices[NR_FEATURES];
	struct ml_trees_fit fit = { MODEL_SCHEMA, NR_FEATURES, 2 };
	struct hard_values hard;
	uint64_t seed = 99;
	char shape[32], why[256];
	unsigned int i, j;

	model_train(&s->shape, 1, &b->model);
	if (compile_model(b->model.json, s->name, &b->compiled, why,
			  sizeof(why)))
		die(EX_SOFTWARE, why);
	if (ml_trees_verify(&b->trees, b->compiled.table, b->compiled.size,
			    &fit, NULL))
		die(EX_SOFTWARE, "the verifier refused the table");
	build_ifelse(b, dir, s->name);
	b->rows = room(NR_ROWS, sizeof(*b->rows));
	b->floats = room(NR_ROWS, sizeof(*b->floats));
	/* Next to the thresholds: both ways of each branch are taken */
	hard_values_find(b->model.json, NR_FEATURES, &hard);
	for (i = 0; i < NR_ROWS; i++) {
		for (j = 0; j < NR_FEATURES; j++) {
			uint32_t r = random_u32(&seed);

			b->rows[i][j] = hard.nr[j] ?
						hard.values[j][r % hard.nr[j]] :
						(int32_t)r;
			b->floats[i][j] = (float)b->rows[i][j];
		}
	}
	hard_values_free(&hard);
	XGB(XGProxyDMatrixCreate(&b->proxy));
	snprintf(shape, sizeof(shape), "[1, %d]", NR_FEATURES);
	interface(b->dense, sizeof(b->dense), b->row, shape, "<f4");
	snprintf(shape, sizeof(shape), "[%d]", NR_FEATURES);
	interface(b->csr_data, sizeof(b->csr_data), b->row, shape, "<f4");
	for (i = 0; i < NR_FEATURES; i++)
		indices[i] = i;
	interface(b->csr_indices, sizeof(b->csr_indices), indices, shape,
		  "<u4");
	interface(b->csr_indptr, sizeof(b->csr_indptr), indptr, "[2]", "<u8");
}

static void finish(struct bench *b)
{
	XGB(XGDMatrixFree(b->proxy));
	dlclose(b->library);
	free(b->rows);
	free(b->floats);
	compile_free(&b->compiled);
	model_free(&b->model);
}

/* Zero, but the compiler does not know: makes one row wait for another */
static volatile unsigned int none;

/* The process's own time: not what the machine does beside it */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double run_table(struct bench *b)
{
	const unsigned int zero = none;
	unsigned int i, action = 0;
	double start = now();

	for (i = 0; i < NR_ROWS; i++)
		action = ml_trees_action(&b->trees,
					 b->rows[i + (action & zero)]);
	return (now() - start) / NR_ROWS;
}

static double run_ifelse(struct bench *b)
{
	const unsigned int zero = none;
	unsigned int i, action = 0;
	double start = now();

	for (i = 0; i < NR_ROWS; i++)
		action = b->ifelse(b->rows[i + (action & zero)]) > 0;
	return (now() - start) / NR_ROWS;
}

#define INPLACE_CONFIG                                                     \
	"{\"type\": 1, \"training\": false, \"iteration_begin\": 0, "      \
	"\"iteration_end\": 0, \"strict_shape\": false, \"cache_id\": 0, " \
	"\"missing\": NaN}"
#define MATRIX_CONFIG                                                 \
	"{\"type\": 1, \"training\": false, \"iteration_begin\": 0, " \
	"\"iteration_end\": 0, \"strict_shape\": false}"

static float predict_dense_proxy(struct bench *b)
{
	bst_ulong const *shape;
	bst_ulong dimensions;
	const float *answer;

	XGB(XGBoosterPredictFromDense(b->model.booster, b->dense,
				      INPLACE_CONFIG, b->proxy, &shape,
				      &dimensions, &answer));
	return *answer;
}

static float predict_dense(struct bench *b)
{
	bst_ulong const *shape;
	bst_ulong dimensions;
	const float *answer;

	XGB(XGBoosterPredictFromDense(b->model.booster, b->dense,
				      INPLACE_CONFIG, NULL, &shape, &dimensions,
				      &answer));
	return *answer;
}

static float predict_csr_proxy(struct bench *b)
{
	bst_ulong const *shape;
	bst_ulong dimensions;
	const float *answer;

	XGB(XGBoosterPredictFromCSR(b->model.booster, b->csr_indptr,
				    b->csr_indices, b->csr_data, NR_FEATURES,
				    INPLACE_CONFIG, b->proxy, &shape,
				    &dimensions, &answer));
	return *answer;
}

static float predict_matrix(struct bench *b)
{
	bst_ulong const *shape;
	bst_ulong dimensions;
	const float *answer;
	DMatrixHandle matrix;
	float first;

	XGB(XGDMatrixCreateFromMat_omp(b->row, 1, NR_FEATURES, NAN, &matrix,
				       1));
	XGB(XGBoosterPredictFromDMatrix(b->model.booster, matrix, MATRIX_CONFIG,
					&shape, &dimensions, &answer));
	first = *answer;
	XGB(XGDMatrixFree(matrix));
	return first;
}

static double run_xgb(struct bench *b, float (*predict)(struct bench *b))
{
	const unsigned int zero = none;
	unsigned int i, action = 0;
	double start = now();

	for (i = 0; i < NR_XGB_ROWS; i++) {
		memcpy(b->row, b->floats[i + (action & zero)], sizeof(b->row));
		action = predict(b) > 0;
	}
	return (now() - start) / NR_XGB_ROWS;
}

enum engine_kind { TABLE, IFELSE, XGBOOST };

static const struct engine {
	const char *name;
	enum engine_kind kind;
	float (*predict)(struct bench *b);
} engines[] = {
	{ "table", TABLE, NULL },
	{ "if-else", IFELSE, NULL },
	{ "xgboost-dense-proxy", XGBOOST, predict_dense_proxy },
	{ "xgboost-dense", XGBOOST, predict_dense },
	{ "xgboost-csr-proxy", XGBOOST, predict_csr_proxy },
	{ "xgboost-dmatrix", XGBOOST, predict_matrix },
};

#define NR_ENGINES (sizeof(engines) / sizeof(engines[0]))

/* Nobody times what does not compute the same */
static void check_agreement(struct bench *b)
{
	unsigned int i, j;
	int32_t sum;

	for (i = 0; i < NR_ROWS; i++) {
		ml_trees_sums(&b->trees, b->rows[i], &sum);
		if (b->ifelse(b->rows[i]) != sum)
			die(EX_SOFTWARE, "table and if/else do not agree");
		if (i >= NR_XGB_ROWS)
			continue;
		memcpy(b->row, b->floats[i], sizeof(b->row));
		for (j = 0; j < NR_ENGINES; j++) {
			double off;

			if (engines[j].kind != XGBOOST)
				continue;
			off = engines[j].predict(b) -
			      ldexp(sum, -b->trees.header->fraction);
			if (fabs(off) > b->compiled.bound)
				die(EX_SOFTWARE,
				    "table and XGBoost do not agree");
		}
	}
}

static double run(struct bench *b, const struct engine *engine)
{
	switch (engine->kind) {
	case TABLE:
		return run_table(b);
	case IFELSE:
		return run_ifelse(b);
	default:
		return run_xgb(b, engine->predict);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figures {
	double median;
	double min;
	double p90;
};

static void measure(struct bench *b, unsigned int nr_repeats,
		    struct figures *figures)
{
	static double times[NR_ENGINES][MAX_REPEATS];
	unsigned int i, j;

	for (j = 0; j < NR_ENGINES; j++)
		run(b, &engines[j]);
	for (i = 0; i < nr_repeats; i++)
		for (j = 0; j < NR_ENGINES; j++)
			times[j][i] = run(b, &engines[j]);
	for (j = 0; j < NR_ENGINES; j++) {
		qsort(times[j], nr_repeats, sizeof(double), by_value);
		figures[j].min = times[j][0];
		figures[j].median = times[j][nr_repeats / 2];
		figures[j].p90 = times[j][nr_repeats * 9 / 10];
	}
}

static double best_median(const struct figures *figures, enum engine_kind kind)
{
	double best = INFINITY;
	unsigned int j;

	for (j = 0; j < NR_ENGINES; j++)
		if (engines[j].kind == kind)
			best = fmin(best, figures[j].median);
	return best;
}

static void print_row(const char *name, const struct figures *figures)
{
	double table = best_median(figures, TABLE);
	double ifelse = best_median(figures, IFELSE);
	double xgb = best_median(figures, XGBOOST);

	printf("%-8s %8.1f %8.1f %8.1f %7.2fx %-6s %8.1fx %-6s\n", name, table,
	       ifelse, xgb, ifelse / table,
	       ifelse / table >= TARGET_IFELSE ? "met" : "MISSED", xgb / table,
	       xgb / table >= TARGET_XGB ? "met" : "MISSED");
}

/* Of the processors that it may use, the last: interrupts prefer the first */
static void stay_on_one_processor(void)
{
	cpu_set_t set, one;
	int i, last = -1;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			last = i;
	if (last < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void usage(const char *name)
{
	fprintf(stderr, "usage: %s [--repeats N] --out OUT.csv --dir SCRATCH\n",
		name);
	exit(EX_USAGE);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "repeats", required_argument, NULL, 'r' },
		{ "out", required_argument, NULL, 'o' },
		{ "dir", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	const char *out = NULL, *dir = NULL;
	unsigned long nr_repeats = 51;
	struct figures figures[NR_SHAPES][NR_ENGINES];
	static struct bench b;
	unsigned int i, j;
	char *end = "";
	FILE *csv;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			nr_repeats = strtoul(optarg, &end, 10);
		else if (c == 'o')
			out = optarg;
		else if (c == 'd')
			dir = optarg;
		else
			usage(argv[0]);
	}
	if (*end || !nr_repeats || nr_repeats > MAX_REPEATS || !out || !dir)
		usage(argv[0]);
	stay_on_one_processor();
	csv = fopen(out, "w");
	if (!csv)
		die(EX_CANTCREAT, out);
	fputs("model,engine,median_ns,min_ns,p90_ns\n", csv);
	for (i = 0; i < NR_SHAPES; i++) {
		memset(&b, 0, sizeof(b));
		prepare(&b, &shapes[i], dir);
		check_agreement(&b);
		measure(&b, nr_repeats, figures[i]);
		for (j = 0; j < NR_ENGINES; j++)
			fprintf(csv, "%s,%s,%.1f,%.1f,%.1f\n", shapes[i].name,
				engines[j].name, figures[i][j].median,
				figures[i][j].min, figures[i][j].p90);
		finish(&b);
	}
	if (fclose(csv))
		die(EX_CANTCREAT, out);
	printf("ns of processor time a row, medians of %lu repeats; XGBoost: the best of its ways\n",
	       nr_repeats);
	printf("%-8s %8s %8s %8s %-15s %-16s\n", "model", "table", "if/else",
	       "XGBoost", "  vs if/else", "  vs XGBoost");
	printf("%-8s %8s %8s %8s   target %.1fx    target %.0fx\n", "", "", "",
	       "", TARGET_IFELSE, TARGET_XGB);
	for (i = 0; i < NR_SHAPES; i++)
		print_row(shapes[i].name, figures[i]);
	return 0;
}
