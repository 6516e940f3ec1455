// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the verifier and the evaluator of tree tables.
 */

#include <kunit/test.h>
#include <linux/crc32.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>

#include "../trees.h"

#define SCHEMA		0x0123456789abcdefULL
#define BIAS		0x80000000U
#define MAX_RUNS	12

/* What to build: the trees' contents come from a seed */
struct shape {
	enum ml_trees_rule rule;
	u8 fraction;
	u16 nr_features;
	u16 nr_actions;
	u16 nr_groups;
	u16 nr_runs;
	struct ml_trees_run runs[MAX_RUNS];
};

/* A table, and where its parts are */
struct built {
	struct kunit *test;
	struct ml_trees_header *header;
	s32 *base;
	struct ml_trees_run *runs;
	u8 *trees;
	struct ml_trees_fit fit;
	struct ml_trees verified;
};

/* Two groups, three runs, no padding behind the base values */
static const struct shape small = {
	.rule = ML_TREES_ARGMAX,
	.fraction = 16,
	.nr_features = 3,
	.nr_actions = 2,
	.nr_groups = 2,
	.nr_runs = 3,
	.runs = { { 0, 0, 1 }, { 0, 2, 2 }, { 1, 1, 1 } },
};

/* One group: an odd number of base values, so one word of padding */
static const struct shape single = {
	.rule = ML_TREES_ROUND,
	.fraction = 4,
	.nr_features = 1,
	.nr_actions = 5,
	.nr_groups = 1,
	.nr_runs = 1,
	.runs = { { 0, 0, 1 } },
};

/* Every depth, with every number of trees left over from a walk of four */
static const struct shape large = {
	.rule = ML_TREES_ARGMAX,
	.fraction = 20,
	.nr_features = ML_TREES_MAX_FEATURES,
	.nr_actions = 3,
	.nr_groups = 3,
	.nr_runs = 12,
	.runs = {
		{ 0, 0, 3 }, { 0, 1, 1 }, { 0, 2, 5 }, { 0, 3, 6 },
		{ 0, 4, 20 }, { 0, 5, 7 }, { 1, 6, 4 }, { 1, 7, 2 },
		{ 1, 8, 9 }, { 2, 0, 8 }, { 2, 4, 3 }, { 2, 8, 1 },
	},
};

static u32 next_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL) >> 32;
}

/* Small numbers and extreme ones: both are where comparisons go wrong */
static s32 random_feature(u64 *state)
{
	static const s32 extreme[] = {
		S32_MIN, S32_MIN + 1, -(1 << 24) - 1, -1, 0,
		1,	 1 << 24,     S32_MAX - 1,    S32_MAX,
	};
	u32 r = next_random(state);

	switch (r % 4) {
	case 0:
		return extreme[next_random(state) % ARRAY_SIZE(extreme)];
	case 1:
		return next_random(state);
	default:
		return (s32)(next_random(state) % 64) - 32;
	}
}

static size_t tree_bytes(unsigned int depth)
{
	size_t slots = 1UL << depth;

	return slots * sizeof(struct ml_trees_node) +
	       max_t(size_t, slots, 2) * sizeof(s32);
}

static void fill_tree(void *tree, unsigned int depth, u16 nr_features,
		      u64 *state)
{
	struct ml_trees_node *nodes = tree;
	unsigned int i, slots = 1U << depth;
	s32 *leaves = (s32 *)(nodes + slots);

	for (i = 1; i < slots; i++) {
		nodes[i].threshold = (u32)random_feature(state) ^ BIAS;
		nodes[i].feature = next_random(state) % nr_features;
	}
	for (i = 0; i < slots; i++)
		leaves[i] = (s32)(next_random(state) % 2000001) - 1000000;
}

static void seal(struct built *b)
{
	struct ml_trees_header *h = b->header;

	h->crc = ~crc32_le(~0, (u8 *)&h->schema,
			   h->size - offsetof(struct ml_trees_header, schema));
}

static void build(struct kunit *test, struct built *b,
		  const struct shape *shape, u64 seed)
{
	size_t base = round_up(shape->nr_groups * sizeof(s32), 8);
	size_t size = sizeof(*b->header) + base +
		      shape->nr_runs * sizeof(*b->runs);
	struct ml_trees_header *h;
	u32 nr_trees = 0;
	unsigned int i, j;
	u8 *tree;

	for (i = 0; i < shape->nr_runs; i++) {
		nr_trees += shape->runs[i].nr_trees;
		size += shape->runs[i].nr_trees *
			tree_bytes(shape->runs[i].depth);
	}
	/* Room for a test that makes it larger */
	h = kunit_kzalloc(test, size + 64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	*h = (struct ml_trees_header){
		.magic = ML_TREES_MAGIC,
		.version = ML_TREES_VERSION,
		.header_size = sizeof(*h),
		.size = size,
		.schema = SCHEMA,
		.nr_features = shape->nr_features,
		.nr_actions = shape->nr_actions,
		.nr_groups = shape->nr_groups,
		.nr_runs = shape->nr_runs,
		.nr_trees = nr_trees,
		.rule = shape->rule,
		.fraction = shape->fraction,
		.name = "test",
	};
	b->test = test;
	b->header = h;
	b->base = (s32 *)(h + 1);
	b->runs = (struct ml_trees_run *)((u8 *)b->base + base);
	b->trees = (u8 *)(b->runs + shape->nr_runs);
	b->fit.schema = SCHEMA;
	b->fit.nr_features = shape->nr_features;
	b->fit.nr_actions = shape->nr_actions;
	for (i = 0; i < shape->nr_groups; i++)
		b->base[i] = (s32)(next_random(&seed) % 2001) - 1000;
	tree = b->trees;
	for (i = 0; i < shape->nr_runs; i++) {
		b->runs[i] = shape->runs[i];
		for (j = 0; j < b->runs[i].nr_trees; j++) {
			fill_tree(tree, b->runs[i].depth, shape->nr_features,
				  &seed);
			tree += tree_bytes(b->runs[i].depth);
		}
	}
	seal(b);
}

static enum ml_trees_fault verify(struct built *b, u64 *offset)
{
	return ml_trees_verify(&b->verified, b->header, b->header->size,
			       &b->fit, offset);
}

static void expect_good(struct built *b)
{
	u64 offset = 1;

	seal(b);
	KUNIT_EXPECT_EQ(b->test, verify(b, &offset), ML_TREES_OK);
	KUNIT_EXPECT_EQ(b->test, offset, 0);
	KUNIT_EXPECT_PTR_EQ(b->test, b->verified.header,
			    (const struct ml_trees_header *)b->header);
}

/* Refused with @fault at @at, and nothing is left to be evaluated */
static void expect_fault(struct built *b, enum ml_trees_fault fault,
			 const void *at)
{
	u64 offset = U64_MAX;

	KUNIT_EXPECT_STREQ(b->test, ml_trees_fault_name(verify(b, &offset)),
			   ml_trees_fault_name(fault));
	KUNIT_EXPECT_EQ(b->test, offset, (const u8 *)at - (u8 *)b->header);
	KUNIT_EXPECT_NULL(b->test, b->verified.header);
}

static void expect_sealed_fault(struct built *b, enum ml_trees_fault fault,
				const void *at)
{
	seal(b);
	expect_fault(b, fault, at);
}

static struct built build_small(struct kunit *test)
{
	struct built b;

	build(test, &b, &small, 1);
	return b;
}

/* Put @value in @field of a fresh small table and expect @fault there */
#define EXPECT_FIELD(test, field, value, fault)				\
do {									\
	struct built b_ = build_small(test);				\
	__auto_type at_ = &b_.field;					\
									\
	*at_ = (value);							\
	expect_sealed_fault(&b_, fault, at_);				\
} while (0)

static void test_good(struct kunit *test)
{
	static const struct shape *const shapes[] = { &small, &single, &large };
	struct built b;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		build(test, &b, shapes[i], i + 1);
		expect_good(&b);
		KUNIT_EXPECT_EQ(test, ml_trees_verify(&b.verified, b.header,
						      b.header->size, &b.fit,
						      NULL), ML_TREES_OK);
	}
}

static void test_no_trees(struct kunit *test)
{
	struct shape shape = single;
	s32 feature = 0;
	struct built b;

	shape.nr_runs = 0;
	build(test, &b, &shape, 1);
	b.base[0] = 3 << shape.fraction;
	expect_good(&b);
	KUNIT_EXPECT_EQ(test, ml_trees_action(&b.verified, &feature), 3);
}

static void test_size(struct kunit *test)
{
	struct ml_trees trees;
	struct built b;
	u64 offset;
	u32 size;

	/* Cut anywhere: the first bytes, the header, behind it */
	build(test, &b, &small, 1);
	for (size = 0; size < b.header->size; size++)
		KUNIT_EXPECT_EQ(test, ml_trees_verify(&trees, b.header, size,
						      &b.fit, &offset),
				ML_TREES_BAD_SIZE);
	KUNIT_EXPECT_EQ(test, ml_trees_verify(&trees, b.header, size + 8,
					      &b.fit, &offset),
			ML_TREES_BAD_SIZE);
	KUNIT_EXPECT_EQ(test, ml_trees_verify(&trees, b.header, U64_MAX,
					      &b.fit, &offset),
			ML_TREES_BAD_SIZE);

	/* Cut and honest about it: less than the runs announce, and more */
	b.header->size -= 8;
	expect_sealed_fault(&b, ML_TREES_BAD_SIZE, &b.header->size);
	b.header->size += 16;
	expect_sealed_fault(&b, ML_TREES_BAD_SIZE, &b.header->size);
	/* No room for base and runs */
	b.header->size = sizeof(*b.header);
	expect_sealed_fault(&b, ML_TREES_BAD_SIZE, &b.header->size);
	b.header->size = sizeof(*b.header) + 24;
	b.header->nr_runs = ML_TREES_MAX_RUNS;
	expect_sealed_fault(&b, ML_TREES_BAD_SIZE, &b.header->size);
	/* No multiple of 8; too large, which is seen before it is read */
	build(test, &b, &small, 1);
	b.header->size += 4;
	expect_sealed_fault(&b, ML_TREES_BAD_SIZE, &b.header->size);
	b.header->size = ML_TREES_MAX_SIZE + 8;
	expect_fault(&b, ML_TREES_BAD_SIZE, &b.header->size);
}

static void test_alignment(struct kunit *test)
{
	struct ml_trees trees;
	struct built b;

	build(test, &b, &small, 1);
	memmove((u8 *)b.header + 4, b.header, b.header->size);
	KUNIT_EXPECT_EQ(test, ml_trees_verify(&trees, (u8 *)b.header + 4,
					      b.header->size, &b.fit, NULL),
			ML_TREES_BAD_SIZE);
}

static void test_magic(struct kunit *test)
{
	EXPECT_FIELD(test, header->magic, ML_TREES_MAGIC + 1,
		     ML_TREES_BAD_MAGIC);
	EXPECT_FIELD(test, header->magic, swab32(ML_TREES_MAGIC),
		     ML_TREES_BAD_MAGIC);
}

static void test_version(struct kunit *test)
{
	EXPECT_FIELD(test, header->version, ML_TREES_VERSION + 1,
		     ML_TREES_BAD_VERSION);
	EXPECT_FIELD(test, header->version, 0, ML_TREES_BAD_VERSION);
	EXPECT_FIELD(test, header->header_size,
		     sizeof(struct ml_trees_header) + 8, ML_TREES_BAD_VERSION);
}

/* Every bit that the checksum covers, and the checksum's own */
static void test_crc(struct kunit *test)
{
	struct built b;
	u32 bit;

	build(test, &b, &small, 1);
	for (bit = 8 * offsetof(struct ml_trees_header, crc);
	     bit < 8 * b.header->size; bit++) {
		((u8 *)b.header)[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_EQ(test, verify(&b, NULL), ML_TREES_BAD_CRC);
		((u8 *)b.header)[bit / 8] ^= 1 << bit % 8;
	}
	expect_good(&b);
}

static void test_schema(struct kunit *test)
{
	struct built b;

	EXPECT_FIELD(test, header->schema, SCHEMA + 1, ML_TREES_BAD_SCHEMA);
	build(test, &b, &small, 1);
	b.fit.schema = 0;
	expect_fault(&b, ML_TREES_BAD_SCHEMA, &b.header->schema);
}

static void test_count(struct kunit *test)
{
	struct shape many = single;
	struct built b;

	EXPECT_FIELD(test, header->nr_features, 0, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, header->nr_features, 4, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, header->nr_actions, 0, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, header->nr_actions, 3, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, header->nr_groups, 0, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, header->nr_groups, ML_TREES_MAX_GROUPS + 1,
		     ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, header->nr_runs, ML_TREES_MAX_RUNS + 1,
		     ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, header->nr_trees, ML_TREES_MAX_TREES + 1,
		     ML_TREES_BAD_COUNT);
	/* More than the runs have; what the last run has too many; none */
	EXPECT_FIELD(test, header->nr_trees, 5, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, runs[2].nr_trees, 2, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, runs[2].nr_trees, U32_MAX, ML_TREES_BAD_COUNT);
	EXPECT_FIELD(test, runs[1].nr_trees, 0, ML_TREES_BAD_COUNT);

	/* One tree too many, and all of them are there */
	many.runs[0].nr_trees = ML_TREES_MAX_TREES;
	build(test, &b, &many, 1);
	expect_good(&b);
	many.runs[0].nr_trees++;
	build(test, &b, &many, 1);
	expect_fault(&b, ML_TREES_BAD_COUNT, &b.header->nr_trees);

	/* A proxy may have more than a table can */
	build(test, &b, &small, 1);
	b.fit.nr_features = ML_TREES_MAX_FEATURES + 1;
	b.header->nr_features = b.fit.nr_features;
	expect_sealed_fault(&b, ML_TREES_BAD_COUNT, &b.header->nr_features);
}

static void test_rule(struct kunit *test)
{
	struct built b;

	EXPECT_FIELD(test, header->rule, ML_TREES_NR_RULES, ML_TREES_BAD_RULE);
	/* Two groups, but rules that need one */
	EXPECT_FIELD(test, header->rule, ML_TREES_SIGN, ML_TREES_BAD_RULE);
	EXPECT_FIELD(test, header->rule, ML_TREES_ROUND, ML_TREES_BAD_RULE);

	/* One group, five actions: no largest of five, no sign */
	build(test, &b, &single, 1);
	b.header->rule = ML_TREES_NR_RULES;
	expect_sealed_fault(&b, ML_TREES_BAD_RULE, &b.header->rule);
	b.header->rule = ML_TREES_ARGMAX;
	expect_sealed_fault(&b, ML_TREES_BAD_RULE, &b.header->rule);
	b.header->rule = ML_TREES_SIGN;
	expect_sealed_fault(&b, ML_TREES_BAD_RULE, &b.header->rule);
	b.header->nr_actions = 2;
	b.fit.nr_actions = 2;
	expect_good(&b);
}

static void test_fraction(struct kunit *test)
{
	EXPECT_FIELD(test, header->fraction, ML_TREES_MAX_FRACTION + 1,
		     ML_TREES_BAD_FRACTION);
}

static void test_group(struct kunit *test)
{
	struct built b;

	/* Out of range, and out of order */
	EXPECT_FIELD(test, runs[2].group, 2, ML_TREES_BAD_GROUP);
	EXPECT_FIELD(test, runs[2].group, U16_MAX, ML_TREES_BAD_GROUP);
	build(test, &b, &small, 1);
	b.runs[0].group = 1;
	expect_sealed_fault(&b, ML_TREES_BAD_GROUP, &b.runs[1].group);
}

static void test_depth(struct kunit *test)
{
	struct built b;

	EXPECT_FIELD(test, runs[2].depth, ML_TREES_MAX_DEPTH + 1,
		     ML_TREES_BAD_DEPTH);
	EXPECT_FIELD(test, runs[2].depth, U16_MAX, ML_TREES_BAD_DEPTH);
	/* Twice the same in a group, and out of order */
	EXPECT_FIELD(test, runs[1].depth, 0, ML_TREES_BAD_DEPTH);
	build(test, &b, &small, 1);
	b.runs[0].depth = 3;
	expect_sealed_fault(&b, ML_TREES_BAD_DEPTH, &b.runs[1].depth);
}

/* Each node of each tree is looked at */
static void test_feature(struct kunit *test)
{
	unsigned int i, j, run = 0, left;
	struct ml_trees_node *nodes;
	struct built b;
	u8 *tree;

	build(test, &b, &small, 1);
	tree = b.trees;
	left = b.runs[0].nr_trees;
	for (i = 0; i < b.header->nr_trees; i++) {
		nodes = (struct ml_trees_node *)tree;
		for (j = 1; j < 1U << b.runs[run].depth; j++) {
			u32 feature = nodes[j].feature;

			nodes[j].feature = small.nr_features;
			expect_sealed_fault(&b, ML_TREES_BAD_FEATURE,
					    &nodes[j].feature);
			nodes[j].feature = U32_MAX;
			expect_sealed_fault(&b, ML_TREES_BAD_FEATURE,
					    &nodes[j].feature);
			nodes[j].feature = feature;
		}
		tree += tree_bytes(b.runs[run].depth);
		if (!--left && ++run < small.nr_runs)
			left = b.runs[run].nr_trees;
	}
	expect_good(&b);
}

static void test_sum(struct kunit *test)
{
	const s32 feature = 0;
	struct built b;
	s32 *leaf, sum;

	build(test, &b, &single, 1);
	leaf = (s32 *)(b.trees + sizeof(struct ml_trees_node));
	b.base[0] = S32_MIN;
	*leaf = 0;
	expect_sealed_fault(&b, ML_TREES_BAD_SUM, &b.base[0]);
	b.base[0] = 0;
	*leaf = S32_MIN;
	expect_sealed_fault(&b, ML_TREES_BAD_SUM, leaf);
	/* Signs do not help: another leaf may be the one that is reached */
	b.base[0] = -1;
	*leaf = S32_MAX;
	expect_sealed_fault(&b, ML_TREES_BAD_SUM, leaf);
	/* Exactly as much as there is room for */
	b.base[0] = -1;
	*leaf = -(S32_MAX - 1);
	expect_good(&b);
	ml_trees_sums(&b.verified, &feature, &sum);
	KUNIT_EXPECT_EQ(test, sum, -S32_MAX);

	/* A group's room is its own; within a group, all trees count */
	build(test, &b, &small, 1);
	memset(b.trees, 0, (u8 *)b.header + b.header->size - b.trees);
	b.base[0] = S32_MAX;
	b.base[1] = -S32_MAX;
	expect_good(&b);
	leaf = (s32 *)(b.trees + tree_bytes(0) + 2 * tree_bytes(2)) - 1;
	*leaf = 1;
	expect_sealed_fault(&b, ML_TREES_BAD_SUM, leaf);
}

static void test_cost(struct kunit *test)
{
	/* 2048 trees of depth 4 are 8192 steps: one more step is too many */
	const struct shape most = {
		.rule = ML_TREES_SIGN,
		.nr_features = 1,
		.nr_actions = 2,
		.nr_groups = 1,
		.nr_runs = 1,
		.runs = { { 0, 4, ML_TREES_MAX_TREES } },
	};
	struct shape more = most;
	struct built b;

	build(test, &b, &most, 1);
	expect_good(&b);
	more.nr_runs = 2;
	more.runs[0].nr_trees--;
	more.runs[1] = (struct ml_trees_run){ 0, 5, 1 };
	build(test, &b, &more, 1);
	expect_fault(&b, ML_TREES_BAD_COST, &b.runs[1].nr_trees);
}

static void test_padding(struct kunit *test)
{
	struct ml_trees_node *nodes;
	struct built b;
	s32 *leaves;

	EXPECT_FIELD(test, header->reserved, 1, ML_TREES_BAD_PADDING);
	/* Slot 0 of the last tree */
	build(test, &b, &small, 1);
	nodes = (void *)((u8 *)b.header + b.header->size - tree_bytes(1));
	nodes[0].threshold = 1;
	expect_sealed_fault(&b, ML_TREES_BAD_PADDING, nodes);
	nodes[0].threshold = 0;
	nodes[0].feature = 1;
	expect_sealed_fault(&b, ML_TREES_BAD_PADDING, nodes);
	/* Behind an odd number of base values, and behind a single leaf */
	build(test, &b, &single, 1);
	b.base[1] = 1;
	expect_sealed_fault(&b, ML_TREES_BAD_PADDING, &b.base[1]);
	b.base[1] = 0;
	leaves = (s32 *)(b.trees + sizeof(struct ml_trees_node));
	leaves[1] = -1;
	expect_sealed_fault(&b, ML_TREES_BAD_PADDING, &leaves[1]);
}

static void test_name(struct kunit *test)
{
	struct built b;
	char *name;

	EXPECT_FIELD(test, header->name[2], '\n', ML_TREES_BAD_NAME);
	EXPECT_FIELD(test, header->name[0], '\x1b', ML_TREES_BAD_NAME);
	EXPECT_FIELD(test, header->name[1], '\xe4', ML_TREES_BAD_NAME);
	/* Behind the end of the name */
	EXPECT_FIELD(test, header->name[5], 'x', ML_TREES_BAD_NAME);
	build(test, &b, &small, 1);
	name = b.header->name;
	memset(name, 'x', sizeof(b.header->name));
	expect_sealed_fault(&b, ML_TREES_BAD_NAME, name);
	name[sizeof(b.header->name) - 1] = '\0';
	expect_good(&b);
	memset(name, 0, sizeof(b.header->name));
	expect_good(&b);
}

static void test_fault_names(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < ML_TREES_NR_FAULTS; i++) {
		KUNIT_ASSERT_NOT_NULL(test, ml_trees_fault_name(i));
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, ml_trees_fault_name(i),
					    ml_trees_fault_name(j));
	}
	KUNIT_EXPECT_STREQ(test, ml_trees_fault_name(ML_TREES_NR_FAULTS),
			   "unknown");
	KUNIT_EXPECT_STREQ(test, ml_trees_fault_name(-1), "unknown");
}

/* As the format is described, one tree after the other, in signed numbers */
static void naive_sums(const struct built *b, const s32 *features, s32 *sums)
{
	const struct ml_trees_header *h = b->header;
	const struct ml_trees_node *nodes;
	const u8 *tree = b->trees;
	unsigned int i, slot;
	u32 j;

	memcpy(sums, b->base, h->nr_groups * sizeof(*sums));
	for (i = 0; i < h->nr_runs; i++) {
		const unsigned int slots = 1U << b->runs[i].depth;

		for (j = 0; j < b->runs[i].nr_trees; j++) {
			nodes = (const void *)tree;
			for (slot = 1; slot < slots;) {
				s32 threshold = nodes[slot].threshold ^ BIAS;

				if (features[nodes[slot].feature] < threshold)
					slot = 2 * slot + 1;
				else
					slot = 2 * slot;
			}
			sums[b->runs[i].group] +=
				((const s32 *)(nodes + slots))[slot - slots];
			tree += tree_bytes(b->runs[i].depth);
		}
	}
}

static void test_sums(struct kunit *test)
{
	static const struct shape *const shapes[] = { &small, &single, &large };
	s32 features[ML_TREES_MAX_FEATURES];
	s32 expected[3], sums[3];
	unsigned int i, j, round;
	struct built b;
	u64 seed = 7;

	for (round = 0; round < 12; round++) {
		build(test, &b, shapes[round % ARRAY_SIZE(shapes)], round + 1);
		KUNIT_ASSERT_EQ(test, verify(&b, NULL), ML_TREES_OK);
		for (i = 0; i < 500; i++) {
			for (j = 0; j < b.header->nr_features; j++)
				features[j] = random_feature(&seed);
			naive_sums(&b, features, expected);
			ml_trees_sums(&b.verified, features, sums);
			KUNIT_ASSERT_MEMEQ(test, sums, expected,
					   b.header->nr_groups * sizeof(*sums));
		}
	}
}

/* One tree of one node: both sides of thresholds, up to the ends of s32 */
static void test_extremes(struct kunit *test)
{
	static const s32 thresholds[] = {
		S32_MIN, S32_MIN + 1, -(1 << 24) - 1, -1, 0,
		1,	 1 << 24,     S32_MAX - 1,    S32_MAX,
	};
	const struct shape stump = {
		.rule = ML_TREES_SIGN,
		.nr_features = 1,
		.nr_actions = 2,
		.nr_groups = 1,
		.nr_runs = 1,
		.runs = { { 0, 1, 1 } },
	};
	struct ml_trees_node *nodes;
	unsigned int i, j;
	struct built b;
	s32 *leaves;

	build(test, &b, &stump, 1);
	nodes = (struct ml_trees_node *)b.trees;
	leaves = (s32 *)(nodes + 2);
	b.base[0] = 0;
	leaves[0] = -1;
	leaves[1] = 1;
	for (i = 0; i < ARRAY_SIZE(thresholds); i++) {
		nodes[1].threshold = (u32)thresholds[i] ^ BIAS;
		expect_good(&b);
		for (j = 0; j < ARRAY_SIZE(thresholds); j++)
			KUNIT_EXPECT_EQ(test,
					ml_trees_action(&b.verified,
							&thresholds[j]),
					thresholds[j] < thresholds[i]);
	}
}

/* A table without trees whose bases are @sums; their action */
static u32 action_of(struct kunit *test, enum ml_trees_rule rule, u8 fraction,
		     u16 nr_actions, u16 nr_sums, const s32 *sums)
{
	const struct shape shape = {
		.rule = rule,
		.fraction = fraction,
		.nr_features = 1,
		.nr_actions = nr_actions,
		.nr_groups = nr_sums,
	};
	s32 feature = 0;
	struct built b;

	build(test, &b, &shape, 1);
	memcpy(b.base, sums, nr_sums * sizeof(*sums));
	seal(&b);
	KUNIT_EXPECT_EQ(test, verify(&b, NULL), ML_TREES_OK);
	return ml_trees_action(&b.verified, &feature);
}

static void test_argmax(struct kunit *test)
{
	static const struct {
		s32 sums[4];
		u32 action;
	} cases[] = {
		{ { 0, 0, 0, 0 }, 0 },
		{ { 1, 2, 3, 4 }, 3 },
		{ { 4, 3, 2, 1 }, 0 },
		{ { -1, 5, 5, 0 }, 1 },
		{ { -5, -4, -4, -4 }, 1 },
		{ { -S32_MAX, S32_MAX, -S32_MAX, S32_MAX }, 1 },
		{ { -S32_MAX, -S32_MAX, -S32_MAX, -S32_MAX }, 0 },
	};
	unsigned int i;
	s32 one = -7;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, action_of(test, ML_TREES_ARGMAX, 16, 4, 4,
						cases[i].sums),
				cases[i].action);
	KUNIT_EXPECT_EQ(test, action_of(test, ML_TREES_ARGMAX, 16, 1, 1, &one),
			0);
}

static void test_sign(struct kunit *test)
{
	static const s32 sums[] = { -S32_MAX, -1, 0, 1, S32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sums); i++)
		KUNIT_EXPECT_EQ(test, action_of(test, ML_TREES_SIGN, 24, 2, 1,
						&sums[i]),
				sums[i] > 0);
}

static void test_round(struct kunit *test)
{
	static const struct {
		u8 fraction;
		s32 sum;
		u32 action;
	} cases[] = {
		{ 0, -1, 0 },	     { 0, 0, 0 },	  { 0, 1, 1 },
		{ 0, 3, 3 },	     { 0, 4, 3 },	  { 0, S32_MAX, 3 },
		{ 0, -S32_MAX, 0 },  { 1, -3, 0 },	  { 1, -1, 0 },
		{ 1, 1, 1 },	     { 1, 3, 2 },	  { 4, 7, 0 },
		{ 4, 8, 1 },	     { 4, -8, 0 },	  { 4, 23, 1 },
		{ 4, 24, 2 },	     { 4, 39, 2 },	  { 4, 40, 3 },
		{ 24, S32_MAX, 3 },  { 24, -S32_MAX, 0 }, { 24, 1 << 23, 1 },
		{ 24, (1 << 23) - 1, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    action_of(test, ML_TREES_ROUND,
					      cases[i].fraction, 4, 1,
					      &cases[i].sum),
				    cases[i].action, "%d / 2^%u",
				    cases[i].sum, cases[i].fraction);
}

static struct kunit_case trees_test_cases[] = {
	KUNIT_CASE(test_good),
	KUNIT_CASE(test_no_trees),
	KUNIT_CASE(test_size),
	KUNIT_CASE(test_alignment),
	KUNIT_CASE(test_magic),
	KUNIT_CASE(test_version),
	KUNIT_CASE(test_crc),
	KUNIT_CASE(test_schema),
	KUNIT_CASE(test_count),
	KUNIT_CASE(test_rule),
	KUNIT_CASE(test_fraction),
	KUNIT_CASE(test_group),
	KUNIT_CASE(test_depth),
	KUNIT_CASE(test_feature),
	KUNIT_CASE(test_sum),
	KUNIT_CASE(test_cost),
	KUNIT_CASE(test_padding),
	KUNIT_CASE(test_name),
	KUNIT_CASE(test_fault_names),
	KUNIT_CASE(test_sums),
	KUNIT_CASE(test_extremes),
	KUNIT_CASE(test_argmax),
	KUNIT_CASE(test_sign),
	KUNIT_CASE(test_round),
	{}
};

static struct kunit_suite trees_test_suite = {
	.name = "ml_lib_trees",
	.test_cases = trees_test_cases,
};

kunit_test_suite(trees_test_suite);

MODULE_DESCRIPTION("KUnit tests of ML_LIB's tree tables");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
