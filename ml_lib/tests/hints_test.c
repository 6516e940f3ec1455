// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the hint table: which entries are taken, how long a hint
 * holds, whose place a new one takes, and what a reader gets meanwhile.
 */

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../hints.h"

#define US		1000ULL		/* in ns */
#define ACTIONS		64

/* What set_of() multiplies with: contexts that share a set are made with it */
#define FIBONACCI	0x9e3779b97f4a7c15ULL

static void hints_setup(struct kunit *test, struct ml_hints *hints, u32 order)
{
	hints->order = order;
	hints->sets = kunit_kcalloc(test, 1U << order, sizeof(*hints->sets),
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hints->sets);
}

static void put(struct kunit *test, struct ml_hints *hints, u64 context,
		u32 ttl_us, u16 action, u64 now)
{
	const struct ml_hint hint = {
		.context = context,
		.ttl_us = ttl_us,
		.action = action,
	};

	KUNIT_ASSERT_EQ(test, ml_hint_check(&hint, ACTIONS),
			ML_HINT_KIND_HINT);
	ml_hints_put(hints, &hint, now);
}

/* The inverse of FIBONACCI modulo 2^64, by Newton's method */
static u64 fibonacci_inverse(void)
{
	u64 x = FIBONACCI;
	int i;

	for (i = 0; i < 6; i++)
		x *= 2 - FIBONACCI * x;
	return x;
}

/* The context number @n of set number @set in a table of that order */
static u64 context_in(u32 order, u64 set, u64 n)
{
	return ((set << (64 - order)) | n) * fibonacci_inverse();
}

static void hints_check_hint(struct kunit *test)
{
	static const struct {
		struct ml_hint hint;
		u32 nr_actions;
		enum ml_hint_kind kind;
	} cases[] = {
		{ { 7, 1, 0, 0 }, 2, ML_HINT_KIND_HINT },
		{ { 7, 1, 1, 0 }, 2, ML_HINT_KIND_HINT },
		{ { 7, 1, 2, 0 }, 2, ML_HINT_KIND_INVALID },
		{ { 7, 1, U16_MAX, 0 }, 2, ML_HINT_KIND_INVALID },
		{ { 7, 1, 63, 0 }, 64, ML_HINT_KIND_HINT },
		{ { 7, 1, 64, 0 }, 64, ML_HINT_KIND_INVALID },
		{ { 7, 0, 1, 0 }, 2, ML_HINT_KIND_INVALID },
		{ { 7, ML_HINT_TTL_MAX_US, 1, 0 }, 2, ML_HINT_KIND_HINT },
		{ { 7, ML_HINT_TTL_MAX_US + 1, 1, 0 }, 2,
		  ML_HINT_KIND_INVALID },
		{ { 7, U32_MAX, 1, 0 }, 2, ML_HINT_KIND_INVALID },
		{ { 0, 1, 1, 0 }, 2, ML_HINT_KIND_HINT },
		{ { U64_MAX, 1, 1, 0 }, 2, ML_HINT_KIND_HINT },
		{ { 0, 0, 0, 0 }, 2, ML_HINT_KIND_INVALID },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].kind,
				    ml_hint_check(&cases[i].hint,
						  cases[i].nr_actions),
				    "case %u", i);
}

static void hints_check_flags(struct kunit *test)
{
	struct ml_hint hint = {};
	u32 flags;

	for (flags = 1; flags <= U16_MAX; flags++) {
		enum ml_hint_kind kind = ML_HINT_KIND_INVALID;

		if (flags == ML_HINT_ALIVE)
			kind = ML_HINT_KIND_ALIVE;
		if (flags == ML_HINT_NEW_MODEL)
			kind = ML_HINT_KIND_NEW_MODEL;
		hint.flags = flags;
		if (ml_hint_check(&hint, 2) != kind)
			KUNIT_FAIL(test, "flags %#x", flags);
	}

	/* Beside a flag every other field must be zero, whatever it says */
	for (flags = ML_HINT_ALIVE; flags <= ML_HINT_NEW_MODEL; flags++) {
		hint = (struct ml_hint) { .flags = flags, .context = 1 };
		KUNIT_EXPECT_EQ(test, ml_hint_check(&hint, 2),
				ML_HINT_KIND_INVALID);
		hint = (struct ml_hint) { .flags = flags, .ttl_us = 1 };
		KUNIT_EXPECT_EQ(test, ml_hint_check(&hint, 2),
				ML_HINT_KIND_INVALID);
		hint = (struct ml_hint) { .flags = flags, .action = 1 };
		KUNIT_EXPECT_EQ(test, ml_hint_check(&hint, 2),
				ML_HINT_KIND_INVALID);
	}
}

static void hints_layout(struct kunit *test)
{
	/* A look-up touches one cache line */
	KUNIT_EXPECT_EQ(test, sizeof(struct ml_hint_set), 64);
	KUNIT_EXPECT_EQ(test, __alignof__(struct ml_hint_set), 64);
}

static void hints_expire(struct kunit *test)
{
	const u64 now = 5000000000ULL;
	struct ml_hints hints;

	hints_setup(test, &hints, 4);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 42, now), -ENOENT);
	put(test, &hints, 42, 3, 9, now);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 42, now), 9);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 42, now + 3 * US - 1), 9);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 42, now + 3 * US), -ENOENT);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 42, U64_MAX), -ENOENT);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 43, now), -ENOENT);

	put(test, &hints, 42, ML_HINT_TTL_MAX_US, 8, now);
	KUNIT_EXPECT_EQ(test, 8,
			ml_hints_get(&hints, 42,
				     now + ML_HINT_TTL_MAX_US * US - 1));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ml_hints_get(&hints, 42,
				     now + ML_HINT_TTL_MAX_US * US));
}

/* A hint of the same context is replaced, even by one that expires sooner */
static void hints_same_context(struct kunit *test)
{
	struct ml_hints hints;
	unsigned int way, n = 0;

	hints_setup(test, &hints, 0);
	put(test, &hints, 1, 100, 1, 0);
	put(test, &hints, 2, 1, 2, 0);
	put(test, &hints, 1, 5, 3, 0);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 1, 0), 3);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 2, 0), 2);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 1, 5 * US), -ENOENT);
	for (way = 0; way < ML_HINT_WAYS; way++)
		n += hints.sets[0].way[way].expires != 0;
	KUNIT_EXPECT_EQ(test, n, 2);

	/* Also in the last way, after one that would have been a victim */
	put(test, &hints, 3, 50, 4, 0);
	put(test, &hints, 3, 60, 5, 10 * US);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 3, 10 * US), 5);
	n = 0;
	for (way = 0; way < ML_HINT_WAYS; way++)
		n += hints.sets[0].way[way].context == 3;
	KUNIT_EXPECT_EQ(test, n, 1);
}

/* In a full set the hint goes that expires first: dead ones before live ones */
static void hints_replace_order(struct kunit *test)
{
	static const u32 ttl[][ML_HINT_WAYS] = {
		{ 10, 20, 30 }, { 10, 30, 20 }, { 20, 10, 30 },
		{ 30, 10, 20 }, { 20, 30, 10 }, { 30, 20, 10 },
	};
	struct ml_hints hints;
	unsigned int i, way;

	for (i = 0; i < ARRAY_SIZE(ttl); i++) {
		hints_setup(test, &hints, 0);
		for (way = 0; way < ML_HINT_WAYS; way++)
			put(test, &hints, way + 1, ttl[i][way], way, 0);
		put(test, &hints, 100, 40, 7, 0);
		put(test, &hints, 101, 50, 8, 0);
		for (way = 0; way < ML_HINT_WAYS; way++)
			KUNIT_EXPECT_EQ_MSG(test,
					    ml_hints_get(&hints, way + 1, 0),
					    ttl[i][way] == 30 ? (int)way :
								-ENOENT,
					    "order %u, hint %u", i, way);
		KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 100, 0), 7);
		KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 101, 0), 8);
	}

	/* A place that never held one is taken before a live one's */
	hints_setup(test, &hints, 0);
	put(test, &hints, 1, 10, 1, 0);
	put(test, &hints, 2, 20, 2, 0);
	put(test, &hints, 3, 5, 3, 0);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 1, 0), 1);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 2, 0), 2);
	/* And an expired one's before live ones', though it was put last */
	put(test, &hints, 4, 5, 4, 6 * US);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 1, 6 * US), 1);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 2, 6 * US), 2);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 4, 6 * US), 4);
}

static void hints_clear(struct kunit *test)
{
	struct ml_hints hints;
	u64 context;

	hints_setup(test, &hints, 5);
	for (context = 0; context < 200; context++)
		put(test, &hints, context, 1000, context % ACTIONS, 0);
	ml_hints_clear(&hints);
	for (context = 0; context < 200; context++)
		KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, context, 0),
				-ENOENT);
	put(test, &hints, 5, 1000, 6, 0);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 5, 0), 6);
}

static void hints_reader_meets_writer(struct kunit *test)
{
	struct ml_hints hints;
	u32 seq;

	hints_setup(test, &hints, 0);
	put(test, &hints, 1, 1000, 1, 0);
	seq = hints.sets[0].seq;
	KUNIT_EXPECT_EQ(test, seq % 2, 0);
	hints.sets[0].seq = seq + 1;
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 1, 0), -ENOENT);
	hints.sets[0].seq = seq + 2;
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 1, 0), 1);

	/* Every write counts two, so that one that came between is seen */
	seq = hints.sets[0].seq;
	put(test, &hints, 1, 1000, 2, 0);
	KUNIT_EXPECT_EQ(test, hints.sets[0].seq, seq + 2);

	/* The number may wrap */
	hints.sets[0].seq = U32_MAX - 1;
	put(test, &hints, 1, 1000, 3, 0);
	KUNIT_EXPECT_EQ(test, hints.sets[0].seq, 0);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, 1, 0), 3);

	/* Only that set is closed meanwhile */
	hints_setup(test, &hints, 1);
	put(test, &hints, context_in(1, 0, 1), 1000, 4, 0);
	put(test, &hints, context_in(1, 1, 1), 1000, 5, 0);
	hints.sets[0].seq++;
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, context_in(1, 0, 1), 0),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, context_in(1, 1, 1), 0), 5);
}

/* Context 0 is what an empty place holds: that must not make it a hint */
static void hints_extreme_contexts(struct kunit *test)
{
	static const u64 contexts[] = {
		0, 1, U32_MAX, 1ULL << 32, 1ULL << 63, U64_MAX - 1, U64_MAX,
	};
	struct ml_hints hints;
	unsigned int i;
	u32 order;

	for (order = 0; order <= 14; order += 7) {
		hints_setup(test, &hints, order);
		for (i = 0; i < ARRAY_SIZE(contexts); i++) {
			KUNIT_EXPECT_EQ(test, -ENOENT,
					ml_hints_get(&hints, contexts[i], 0));
			put(test, &hints, contexts[i], 9, i + 1, 0);
			KUNIT_EXPECT_EQ(test, (int)i + 1,
					ml_hints_get(&hints, contexts[i], 0));
			KUNIT_EXPECT_EQ(test, -ENOENT,
					ml_hints_get(&hints, contexts[i],
						     9 * US));
		}
	}
}

/* Every set takes three hints, no more, and no set takes another's place */
static void hints_full_table(struct kunit *test)
{
	const u32 order = 6;
	struct ml_hints hints;
	u64 set, n;

	hints_setup(test, &hints, order);
	for (n = 0; n < ML_HINT_WAYS; n++)
		for (set = 0; set < 1 << order; set++)
			put(test, &hints, context_in(order, set, n),
			    100 + n, (set + n) % ACTIONS, 0);
	for (n = 0; n < ML_HINT_WAYS; n++)
		for (set = 0; set < 1 << order; set++)
			KUNIT_EXPECT_EQ(test, (int)((set + n) % ACTIONS),
					ml_hints_get(&hints,
						     context_in(order, set, n),
						     0));
	/* One more each: the first, which expires first, has to go */
	for (set = 0; set < 1 << order; set++)
		put(test, &hints, context_in(order, set, 99), 200, 5, 0);
	for (set = 0; set < 1 << order; set++) {
		KUNIT_EXPECT_EQ(test, -ENOENT,
				ml_hints_get(&hints, context_in(order, set, 0),
					     0));
		for (n = 1; n < ML_HINT_WAYS; n++)
			KUNIT_EXPECT_EQ(test, (int)((set + n) % ACTIONS),
					ml_hints_get(&hints,
						     context_in(order, set, n),
						     0));
		KUNIT_EXPECT_EQ(test, 5,
				ml_hints_get(&hints, context_in(order, set, 99),
					     0));
	}
}

static void hints_one_set(struct kunit *test)
{
	struct ml_hints hints;
	unsigned int i;
	u64 state = 1;

	/* Order 0: every context, of all 64 bits, belongs to the one set */
	hints_setup(test, &hints, 0);
	for (i = 0; i < 1000; i++) {
		state = state * 6364136223846793005ULL + 1;
		put(test, &hints, state, i + 1, i % ACTIONS, 0);
		KUNIT_EXPECT_EQ(test, ml_hints_get(&hints, state, 0),
				(int)(i % ACTIONS));
	}
}

/*
 * Random hints against a model that remembers the last one of every context:
 * the table may forget, but it never answers anything else, and it never
 * forgets the hint that has just been put.
 */
#define MODEL_CONTEXTS	32

static void hints_random(struct kunit *test)
{
	struct {
		u64 expires;
		u16 action;
	} last[MODEL_CONTEXTS] = {};
	unsigned int i, hits = 0;
	struct rnd_state rnd;
	struct ml_hints hints;
	u64 now = 1;

	hints_setup(test, &hints, 2);
	prandom_seed_state(&rnd, 42);
	for (i = 0; i < 100000; i++) {
		u32 r = prandom_u32_state(&rnd);
		u32 context = r % MODEL_CONTEXTS;
		int action;

		now += prandom_u32_state(&rnd) % 2000;
		action = ml_hints_get(&hints, context, now);
		if (action != -ENOENT) {
			hits++;
			if (now >= last[context].expires ||
			    action != last[context].action)
				KUNIT_FAIL(test, "step %u: a wrong hint", i);
		}
		if (r & BIT(20))
			continue;
		last[context].action = prandom_u32_state(&rnd) % ACTIONS;
		r = 1 + prandom_u32_state(&rnd) % 40;
		last[context].expires = now + r * US;
		put(test, &hints, context, r, last[context].action, now);
		if (ml_hints_get(&hints, context, now) != last[context].action)
			KUNIT_FAIL(test, "step %u: a hint is not there", i);
	}
	KUNIT_EXPECT_GT(test, hits, 10000);
}

static struct kunit_case hints_cases[] = {
	KUNIT_CASE(hints_check_hint),
	KUNIT_CASE(hints_check_flags),
	KUNIT_CASE(hints_layout),
	KUNIT_CASE(hints_expire),
	KUNIT_CASE(hints_same_context),
	KUNIT_CASE(hints_replace_order),
	KUNIT_CASE(hints_clear),
	KUNIT_CASE(hints_reader_meets_writer),
	KUNIT_CASE(hints_extreme_contexts),
	KUNIT_CASE(hints_full_table),
	KUNIT_CASE(hints_one_set),
	KUNIT_CASE(hints_random),
	{}
};

static struct kunit_suite hints_suite = {
	.name = "ml_lib_hints",
	.test_cases = hints_cases,
};

kunit_test_suite(hints_suite);

MODULE_DESCRIPTION("KUnit tests of ML_LIB's hint table");
MODULE_LICENSE("GPL");
