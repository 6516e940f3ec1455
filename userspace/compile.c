// SPDX-License-Identifier: GPL-2.0-only
/* compile.c - from a model that XGBoost wrote to the kernel's tree table */

/**
 * DOC: Compiling a model
 *
 * XGBoost goes left where (float)x < t. The table has integer thresholds: T is
 * the least s32 whose float is not below t, and (float)x < t is x < T for every
 * s32 x, because the conversion is monotonic. T is searched for with the very
 * conversion, so nothing depends on how it rounds.
 *
 * Leaves and base become integers, in units of 2^-F. F is the largest, up to
 * ML_TREES_MAX_FRACTION, with which no group's sum can overflow. What differs
 * from XGBoost's margin of a group with K trees is, at the most,
 *
 *	(K + 1) 2^-(F+1)		rounding of the base and of K leaves
 *	+ 2^-24 (S_1 + ... + S_K)	XGBoost's K float additions
 *
 * where S_k is |base| and the largest |leaf| of k trees. XGBoost adds in the
 * order of the model; with the largest trees first the bound holds for any.
 *
 * Values are never missing in the kernel, so default directions do not matter.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <linux/ml_trees.h>

#include "../ml_lib/trees.h"
#include "compile.h"

#define NR_SLOTS (2 << ML_TREES_MAX_DEPTH)
#define NOT_S32 (1LL << 31)

/* A tree of the model; a node without a left child is a leaf */
struct tree {
	unsigned int number;
	unsigned int group;
	unsigned int nr_nodes;
	unsigned int depth;
	int *left;
	int *right;
	unsigned int *feature;
	float *value; /* a node's threshold or a leaf's weight */
	float largest; /* |leaf| */
	/* The perfect tree: for every slot the model's node */
	unsigned int node_at[NR_SLOTS];
};

struct model {
	const char *objective;
	enum ml_trees_rule rule;
	uint64_t schema;
	float base;
	unsigned int nr_features;
	unsigned int nr_actions;
	unsigned int nr_groups;
	unsigned int nr_trees;
	unsigned int fraction;
	unsigned int folded;
	double bound;
	struct tree *trees;
	char *why;
	size_t why_len;
};

static const struct objective {
	const char *name;
	enum ml_trees_rule rule;
	int is_probability; /* is base_score, else it is a margin */
} objectives[] = {
	{ "multi:softprob", ML_TREES_ARGMAX, 0 },
	{ "multi:softmax", ML_TREES_ARGMAX, 0 },
	{ "binary:logistic", ML_TREES_SIGN, 1 },
	{ "binary:logitraw", ML_TREES_SIGN, 0 },
	{ "binary:hinge", ML_TREES_SIGN, 0 },
	{ "reg:squarederror", ML_TREES_ROUND, 0 },
	{ "reg:pseudohubererror", ML_TREES_ROUND, 0 },
	{ "reg:absoluteerror", ML_TREES_ROUND, 0 },
};

#define NR_OBJECTIVES (sizeof(objectives) / sizeof(objectives[0]))

static int refuse(struct model *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, m->why_len, fmt, ap);
	va_end(ap);
	return -1;
}

static int refuse_memory(struct model *m)
{
	return refuse(m, "out of memory");
}

/* XGBoost writes its parameters as strings */
static int parse_count(struct model *m, const char *what, const char *s,
		       unsigned int *value)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || v > INT32_MAX)
		return refuse(m, "%s is no whole number: \"%s\"", what, s);
	*value = v;
	return 0;
}

static int parse_base(struct model *m, const struct objective *o, const char *s)
{
	char *end;
	float p = strtof(s, &end);

	if (!*s || *end || !isfinite(p))
		return refuse(m, "base_score is no finite number: \"%s\"", s);
	if (!o->is_probability) {
		m->base = p;
		return 0;
	}
	/* In float, as XGBoost does it */
	m->base = -logf(1.0f / p - 1.0f);
	if (!(p > 0 && p < 1) || !isfinite(m->base))
		return refuse(m, "base_score of %s is no probability: \"%s\"",
			      o->name, s);
	return 0;
}

static int parse_version(struct model *m, const json_t *root)
{
	int major, minor, patch;

	if (json_unpack((json_t *)root, "{s:[i,i,i]}", "version", &major,
			&minor, &patch))
		return refuse(m, "not a model in XGBoost's JSON: no version");
	/* 2.0 and later mean other things by the same names */
	if (major != 1 || minor > 7)
		return refuse(
			m,
			"written by XGBoost %d.%d, but only 1.0 to 1.7 are understood",
			major, minor);
	return 0;
}

static int parse_attributes(struct model *m, json_t *attributes)
{
	const char *schema = NULL, *actions = NULL;

	json_unpack(attributes, "{s?s s?s}", "ml_lib.schema", &schema,
		    "ml_lib.actions", &actions);
	if (!schema)
		return refuse(
			m,
			"no attribute ml_lib.schema: which proxy is the model for?");
	if (strlen(schema) != 16 ||
	    strspn(schema, "0123456789abcdefABCDEF") != 16)
		return refuse(
			m,
			"attribute ml_lib.schema is not 16 hex digits: \"%s\"",
			schema);
	m->schema = strtoull(schema, NULL, 16);
	if (!actions || !*actions)
		return refuse(m, "no attribute ml_lib.actions");
	for (m->nr_actions = 1; *actions; actions++)
		m->nr_actions += *actions == ',';
	return 0;
}

static int parse_objective(struct model *m, const char *name,
			   const char *base_score, const char *num_class)
{
	const struct objective *o = objectives;
	unsigned int nr_classes;

	while (o < objectives + NR_OBJECTIVES && strcmp(o->name, name))
		o++;
	if (o == objectives + NR_OBJECTIVES)
		return refuse(m, "objective %s is not supported", name);
	m->objective = o->name;
	m->rule = o->rule;
	if (parse_count(m, "num_class", num_class, &nr_classes) ||
	    parse_base(m, o, base_score))
		return -1;
	if (o->rule == ML_TREES_ARGMAX) {
		if (nr_classes != m->nr_actions)
			return refuse(m, "%u classes for %u actions",
				      nr_classes, m->nr_actions);
		m->nr_groups = nr_classes;
		return 0;
	}
	if (o->rule == ML_TREES_SIGN && m->nr_actions != 2)
		return refuse(m, "%s is for 2 actions, there are %u", name,
			      m->nr_actions);
	if (nr_classes > 1)
		return refuse(m, "%s with %u classes", name, nr_classes);
	m->nr_groups = 1;
	return 0;
}

/* All of the model but its trees, which are returned */
static int parse_learner(struct model *m, const json_t *root, json_t **booster)
{
	const char *name, *base_score, *num_class, *num_feature;
	const char *num_target = "1";
	json_t *attributes, *names = NULL;
	json_error_t error;

	if (json_unpack_ex((json_t *)root, &error, 0,
			   "{s:{s:o s?o s:{s:s} s:o s:{s:s s:s s:s s?s}}}",
			   "learner", "attributes", &attributes,
			   "feature_names", &names, "objective", "name", &name,
			   "gradient_booster", booster, "learner_model_param",
			   "base_score", &base_score, "num_class", &num_class,
			   "num_feature", &num_feature, "num_target",
			   &num_target))
		return refuse(m, "not a model in XGBoost's JSON: %s",
			      error.text);
	if (strcmp(num_target, "1") && strcmp(num_target, "0"))
		return refuse(m, "%s targets, but an action is one number",
			      num_target);
	if (parse_count(m, "num_feature", num_feature, &m->nr_features) ||
	    parse_attributes(m, attributes) ||
	    parse_objective(m, name, base_score, num_class))
		return -1;
	if (!m->nr_features || m->nr_features > ML_TREES_MAX_FEATURES)
		return refuse(m, "%u features, but 1 to %u are possible",
			      m->nr_features, ML_TREES_MAX_FEATURES);
	if (m->nr_groups > ML_TREES_MAX_GROUPS)
		return refuse(m, "%u classes, but at most %u are possible",
			      m->nr_groups, ML_TREES_MAX_GROUPS);
	if (json_array_size(names) && json_array_size(names) != m->nr_features)
		return refuse(m, "%zu feature names for %u features",
			      json_array_size(names), m->nr_features);
	return 0;
}

/**
 * compile_threshold - the integer threshold of a float one
 * @t: the threshold
 *
 * Return: the least s32 x with (float)x >= @t, 2^31 if there is none.
 */
int64_t compile_threshold(float t)
{
	int64_t low = INT32_MIN, high = NOT_S32;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;

		if ((float)(int32_t)middle >= t)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int is_leaf(const struct tree *t, unsigned int node)
{
	return t->left[node] == -1;
}

/* The first node from @node on that tells some s32 from others, or a leaf */
static int skip_folded(struct model *m, const struct tree *t, unsigned int node,
		       unsigned int *found, unsigned int *folded)
{
	unsigned int i;

	for (i = 0; i < t->nr_nodes && !is_leaf(t, node); i++) {
		int64_t threshold = compile_threshold(t->value[node]);

		if (threshold == INT32_MIN)
			node = t->right[node];
		else if (threshold == NOT_S32)
			node = t->left[node];
		else
			break;
		++*folded;
	}
	*found = node;
	if (i == t->nr_nodes)
		return refuse(m, "tree %u: node %u is its own descendant",
			      t->number, node);
	return 0;
}

/* Lay a tree out as a perfect one, level by level, until all are leaves */
static int lay_out(struct model *m, struct tree *t)
{
	unsigned int slot, inner;

	if (skip_folded(m, t, 0, &t->node_at[1], &m->folded))
		return -1;
	for (t->depth = 0;; t->depth++) {
		unsigned int first = 1U << t->depth;

		inner = 0;
		for (slot = first; slot < 2 * first; slot++)
			if (!is_leaf(t, t->node_at[slot]))
				inner = slot;
		if (!inner)
			break;
		if (t->depth == ML_TREES_MAX_DEPTH)
			return refuse(
				m, "tree %u: node %u is a split below depth %u",
				t->number, t->node_at[inner],
				ML_TREES_MAX_DEPTH);
		for (slot = first; slot < 2 * first; slot++) {
			unsigned int node = t->node_at[slot];

			t->node_at[2 * slot] = node;
			t->node_at[2 * slot + 1] = node;
			if (is_leaf(t, node))
				continue;
			if (skip_folded(m, t, t->right[node],
					&t->node_at[2 * slot], &m->folded) ||
			    skip_folded(m, t, t->left[node],
					&t->node_at[2 * slot + 1], &m->folded))
				return -1;
		}
	}
	t->largest = 0;
	for (slot = 1U << t->depth; slot < 2U << t->depth; slot++)
		t->largest =
			fmaxf(t->largest, fabsf(t->value[t->node_at[slot]]));
	return 0;
}

static int parse_node(struct model *m, struct tree *t, unsigned int i,
		      const json_t *const arrays[5])
{
	const json_t *type = json_array_get(arrays[4], i);
	double number;
	unsigned int j;

	for (j = 0; j < 3; j++)
		if (!json_is_integer(json_array_get(arrays[j], i)))
			return refuse(m, "tree %u: node %u has no %s",
				      t->number, i,
				      j == 2 ? "feature" : "children");
	if (!json_is_number(json_array_get(arrays[3], i)))
		return refuse(m, "tree %u: node %u has no value", t->number, i);
	number = json_number_value(json_array_get(arrays[3], i));
	t->value[i] = (float)number;
	if (!isfinite(t->value[i]))
		return refuse(m, "tree %u: the value of node %u is not finite",
			      t->number, i);
	t->left[i] = -1;
	t->right[i] = -1;
	if (json_integer_value(json_array_get(arrays[0], i)) == -1)
		return 0;
	/* Of what XGBoost has pruned, it leaves the rest as it was */
	for (j = 0; j < 2; j++) {
		json_int_t child =
			json_integer_value(json_array_get(arrays[j], i));

		if (child < 1 || child >= t->nr_nodes)
			return refuse(m, "tree %u: node %u has no child %lld",
				      t->number, i, (long long)child);
		*(j ? &t->right[i] : &t->left[i]) = child;
	}
	if (json_integer_value(json_array_get(arrays[2], i)) < 0 ||
	    json_integer_value(json_array_get(arrays[2], i)) >= m->nr_features)
		return refuse(m,
			      "tree %u: node %u splits on feature %lld of %u",
			      t->number, i,
			      (long long)json_integer_value(
				      json_array_get(arrays[2], i)),
			      m->nr_features);
	t->feature[i] = json_integer_value(json_array_get(arrays[2], i));
	if (json_integer_value(type))
		return refuse(m, "tree %u: node %u is a categorical split",
			      t->number, i);
	return 0;
}

static int parse_tree(struct model *m, struct tree *t, const json_t *json)
{
	static const char *const names[] = {
		"left_children",    "right_children", "split_indices",
		"split_conditions", "split_type",
	};
	const json_t *arrays[5];
	unsigned int i;

	for (i = 0; i < 5; i++) {
		arrays[i] = json_object_get(json, names[i]);
		/* Categories came with 1.3 */
		if (!json_is_array(arrays[i]) && i < 4)
			return refuse(m, "tree %u: no %s", t->number, names[i]);
		if (arrays[i] &&
		    json_array_size(arrays[i]) != json_array_size(arrays[0]))
			return refuse(m, "tree %u: %s is not as long as %s",
				      t->number, names[i], names[0]);
	}
	if (json_array_size(json_object_get(json, "categories_nodes")))
		return refuse(m, "tree %u: has categorical splits", t->number);
	t->nr_nodes = json_array_size(arrays[0]);
	if (!t->nr_nodes)
		return refuse(m, "tree %u: no nodes", t->number);
	t->left = calloc(t->nr_nodes, sizeof(*t->left));
	t->right = calloc(t->nr_nodes, sizeof(*t->right));
	t->feature = calloc(t->nr_nodes, sizeof(*t->feature));
	t->value = calloc(t->nr_nodes, sizeof(*t->value));
	if (!t->left || !t->right || !t->feature || !t->value)
		return refuse_memory(m);
	for (i = 0; i < t->nr_nodes; i++)
		if (parse_node(m, t, i, arrays))
			return -1;
	return lay_out(m, t);
}

static int parse_trees(struct model *m, json_t *booster)
{
	const char *name = "", *leaf_vector = "0";
	json_t *info, *trees;
	json_error_t error;
	unsigned int i, steps = 0;

	if (json_unpack_ex(booster, &error, 0, "{s:s}", "name", &name))
		return refuse(m, "not a model in XGBoost's JSON: %s",
			      error.text);
	if (strcmp(name, "gbtree"))
		return refuse(m, "booster %s is not supported, only gbtree",
			      name);
	if (json_unpack_ex(booster, &error, 0, "{s:{s:{s?s} s:o s:o}}", "model",
			   "gbtree_model_param", "size_leaf_vector",
			   &leaf_vector, "tree_info", &info, "trees", &trees))
		return refuse(m, "not a model in XGBoost's JSON: %s",
			      error.text);
	if (strcmp(leaf_vector, "0") && strcmp(leaf_vector, "1"))
		return refuse(m, "leaves are vectors of %s", leaf_vector);
	if (json_array_size(info) != json_array_size(trees))
		return refuse(m, "%zu trees, but groups for %zu",
			      json_array_size(trees), json_array_size(info));
	if (json_array_size(trees) > ML_TREES_MAX_TREES)
		return refuse(m, "%zu trees, but at most %u are possible",
			      json_array_size(trees), ML_TREES_MAX_TREES);
	m->trees = calloc(json_array_size(trees) + 1, sizeof(*m->trees));
	if (!m->trees)
		return refuse_memory(m);
	m->nr_trees = json_array_size(trees);
	for (i = 0; i < m->nr_trees; i++) {
		struct tree *t = &m->trees[i];
		json_int_t group = json_integer_value(json_array_get(info, i));

		t->number = i;
		t->group = group;
		if (group < 0 || group >= m->nr_groups)
			return refuse(m, "tree %u: is for class %lld of %u", i,
				      (long long)group, m->nr_groups);
		if (parse_tree(m, t, json_array_get(trees, i)))
			return -1;
		steps += t->depth;
	}
	if (steps > ML_TREES_MAX_STEPS)
		return refuse(m, "%u trees take %u steps, but %u are the most",
			      m->nr_trees, steps, ML_TREES_MAX_STEPS);
	return 0;
}

static double quantized(float value, unsigned int fraction)
{
	return rint(ldexp(value, (int)fraction));
}

/* Largest first, so that the bound holds for any order of addition */
static int by_largest(const void *a, const void *b)
{
	const struct tree *x = a, *y = b;

	return (x->largest < y->largest) - (x->largest > y->largest);
}

static int by_place(const void *a, const void *b)
{
	const struct tree *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Can the sum of @group not overflow? If it can, @at is where it first does. */
static int group_fits(const struct model *m, unsigned int group,
		      unsigned int fraction, const struct tree **at)
{
	double sum = fabs(quantized(m->base, fraction));
	unsigned int i;

	*at = NULL;
	for (i = 0; i < m->nr_trees && sum <= INT32_MAX; i++) {
		if (m->trees[i].group != group)
			continue;
		*at = &m->trees[i];
		sum += quantized(m->trees[i].largest, fraction);
	}
	return sum <= INT32_MAX;
}

static int choose_fraction(struct model *m)
{
	const struct tree *at;
	unsigned int group;
	int fraction;

	for (fraction = ML_TREES_MAX_FRACTION; fraction >= 0; fraction--) {
		for (group = 0; group < m->nr_groups; group++)
			if (!group_fits(m, group, fraction, &at))
				break;
		if (group == m->nr_groups) {
			m->fraction = fraction;
			return 0;
		}
	}
	if (at)
		return refuse(
			m,
			"tree %u: with its leaf of %g the sum can be more than 32 bits hold",
			at->number, at->largest);
	return refuse(m, "base_score %g is more than 32 bits hold", m->base);
}

/* See DOC; second-order terms of the float additions are in the last factor */
static void find_bound(struct model *m)
{
	unsigned int group, i;

	qsort(m->trees, m->nr_trees, sizeof(*m->trees), by_largest);
	for (group = 0; group < m->nr_groups; group++) {
		double sum = fabs(m->base), sums = 0, bound;
		unsigned int nr = 0;

		for (i = 0; i < m->nr_trees; i++) {
			if (m->trees[i].group != group)
				continue;
			sum += m->trees[i].largest;
			sums += sum;
			nr++;
		}
		bound = ldexp(nr + 1, -(int)m->fraction - 1) +
			ldexp(sums, -24) * (1 + ldexp(nr, -24));
		m->bound = fmax(m->bound, bound);
	}
	qsort(m->trees, m->nr_trees, sizeof(*m->trees), by_place);
}

static size_t tree_size(unsigned int depth)
{
	size_t slots = (size_t)1 << depth;

	return slots * sizeof(struct ml_trees_node) +
	       (depth ? slots : 2) * sizeof(int32_t);
}

static int same_run(const struct tree *a, const struct tree *b)
{
	return a->group == b->group && a->depth == b->depth;
}

/* Writes one tree; @leaf_of gets the model's numbers of its leaves */
static void write_tree(const struct model *m, const struct tree *t, void *to,
		       unsigned int *leaf_of)
{
	struct ml_trees_node *nodes = to;
	unsigned int slots = 1U << t->depth, i;
	int32_t *leaves = (int32_t *)(nodes + slots);

	/* A leaf above the last level stays as it is: no x is below 0 there */
	for (i = 1; i < slots; i++) {
		unsigned int node = t->node_at[i];

		if (is_leaf(t, node))
			continue;
		nodes[i].threshold =
			(uint32_t)compile_threshold(t->value[node]) ^
			0x80000000U;
		nodes[i].feature = t->feature[node];
	}
	for (i = 0; i < slots; i++) {
		leaf_of[i] = t->node_at[slots + i];
		leaves[i] = quantized(t->value[leaf_of[i]], m->fraction);
	}
}

static int write_table(struct model *m, const char *name, struct compiled *out)
{
	size_t base_size = (m->nr_groups + 1) / 2 * 2 * sizeof(int32_t);
	size_t size = sizeof(struct ml_trees_header) + base_size;
	const size_t crc_start = offsetof(struct ml_trees_header, schema);
	unsigned int i, nr_runs = 0, nr_leaves = 0;
	struct ml_trees_header *h;
	struct ml_trees_run *run;
	int32_t *base;
	char *to;

	for (i = 0; i < m->nr_trees; i++) {
		if (!i || !same_run(&m->trees[i], &m->trees[i - 1]))
			nr_runs++;
		size += tree_size(m->trees[i].depth);
		nr_leaves += 1U << m->trees[i].depth;
	}
	size += nr_runs * sizeof(*run);
	h = calloc(1, size);
	out->table = h;
	out->tree_of = calloc(m->nr_trees + 1, sizeof(*out->tree_of));
	out->leaf_of = calloc(nr_leaves + 1, sizeof(*out->leaf_of));
	if (!h || !out->tree_of || !out->leaf_of)
		return refuse_memory(m);
	out->size = size;
	out->bound = m->bound;
	out->folded = m->folded;
	snprintf(out->objective, sizeof(out->objective), "%s", m->objective);
	*h = (struct ml_trees_header){
		.magic = ML_TREES_MAGIC,
		.version = ML_TREES_VERSION,
		.header_size = sizeof(*h),
		.size = size,
		.schema = m->schema,
		.nr_features = m->nr_features,
		.nr_actions = m->nr_actions,
		.nr_groups = m->nr_groups,
		.nr_runs = nr_runs,
		.nr_trees = m->nr_trees,
		.rule = m->rule,
		.fraction = m->fraction,
	};
	for (i = 0; name[i] && i < sizeof(h->name) - 1; i++)
		h->name[i] = name[i] < ' ' || name[i] > '~' ? '_' : name[i];
	base = (int32_t *)(h + 1);
	for (i = 0; i < m->nr_groups; i++)
		base[i] = quantized(m->base, m->fraction);
	run = (struct ml_trees_run *)((char *)base + base_size) - 1;
	to = (char *)(run + 1 + nr_runs);
	for (i = 0, nr_leaves = 0; i < m->nr_trees; i++) {
		const struct tree *t = &m->trees[i];

		if (!i || !same_run(t, t - 1)) {
			run++;
			run->group = t->group;
			run->depth = t->depth;
		}
		run->nr_trees++;
		write_tree(m, t, to, out->leaf_of + nr_leaves);
		out->tree_of[i] = t->number;
		to += tree_size(t->depth);
		nr_leaves += 1U << t->depth;
	}
	h->crc = crc32_z(0, (unsigned char *)h + crc_start, size - crc_start);
	return 0;
}

/* What the kernel will do; a table it would refuse is never handed out */
static int verify_table(struct model *m, const struct compiled *out)
{
	struct ml_trees_fit fit = {
		.schema = m->schema,
		.nr_features = m->nr_features,
		.nr_actions = m->nr_actions,
	};
	enum ml_trees_fault fault;
	struct ml_trees trees;
	__u64 offset;

	fault = ml_trees_verify(&trees, out->table, out->size, &fit, &offset);
	if (fault)
		return refuse(
			m, "the kernel would refuse the table: %s at byte %llu",
			ml_trees_fault_name(fault), (unsigned long long)offset);
	return 0;
}

/**
 * compile_model - make the table of a model
 * @model: as XGBoost's JSON has it
 * @name: for people, in the table; what is too long or not ASCII is replaced
 * @out: where the table goes; compile_free() frees it
 * @why: where to say why it cannot be done
 * @len: room there
 *
 * Return: 0, or -1 and there is nothing to free.
 */
int compile_model(const json_t *model, const char *name, struct compiled *out,
		  char *why, size_t len)
{
	struct model m = { .why = why, .why_len = len };
	json_t *booster;
	unsigned int i;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = parse_version(&m, model) || parse_learner(&m, model, &booster) ||
	      parse_trees(&m, booster) || choose_fraction(&m);
	if (!ret) {
		find_bound(&m);
		ret = write_table(&m, name, out) || verify_table(&m, out);
	}
	for (i = 0; i < m.nr_trees; i++) {
		free(m.trees[i].left);
		free(m.trees[i].right);
		free(m.trees[i].feature);
		free(m.trees[i].value);
	}
	free(m.trees);
	if (ret)
		compile_free(out);
	return ret ? -1 : 0;
}

/**
 * compile_file - make the table of a model in a file
 * @path: of the model
 * @name: as compile_model() takes it; NULL: from @path
 * @out: where the table goes; compile_free() frees it
 * @why: where to say why it cannot be done
 * @len: room there
 *
 * Return: 0, or -1 and there is nothing to free.
 */
int compile_file(const char *path, const char *name, struct compiled *out,
		 char *why, size_t len)
{
	const char *base = strrchr(path, '/');
	json_error_t error;
	char from_path[32];
	json_t *model;
	size_t n;
	int ret;

	base = base ? base + 1 : path;
	n = strlen(base);
	if (n > 5 && !strcmp(base + n - 5, ".json"))
		n -= 5;
	snprintf(from_path, sizeof(from_path), "%.*s", (int)n, base);
	memset(out, 0, sizeof(*out));
	model = json_load_file(path, 0, &error);
	if (!model) {
		if (error.line > 0)
			snprintf(why, len, "line %d: %s", error.line,
				 error.text);
		else
			snprintf(why, len, "%s", error.text);
		return -1;
	}
	ret = compile_model(model, name ? name : from_path, out, why, len);
	json_decref(model);
	return ret;
}

/**
 * compile_free - free what compile_model() made
 * @compiled: may be zeroed
 */
void compile_free(struct compiled *compiled)
{
	free(compiled->table);
	free(compiled->tree_of);
	free(compiled->leaf_of);
	memset(compiled, 0, sizeof(*compiled));
}
