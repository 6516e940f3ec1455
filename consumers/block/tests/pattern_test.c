// SPDX-License-Identifier: GPL-2.0-only
/* Patterns, features, rule and reward of the readahead consumer */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/module.h>

#include "../pattern.h"

#define KB	1024

static void take(struct ra_pattern *p, s64 pos, u32 len)
{
	ra_pattern_read(p, pos, len, false, false);
}

static void test_lg16(struct kunit *test)
{
	u64 x;
	u32 last = 0;

	KUNIT_EXPECT_EQ(test, ra_lg16(0), 0);
	KUNIT_EXPECT_EQ(test, ra_lg16(1), 16);
	KUNIT_EXPECT_EQ(test, ra_lg16(2), 24);
	KUNIT_EXPECT_EQ(test, ra_lg16(3), 32);
	KUNIT_EXPECT_EQ(test, ra_lg16(1023), 160);
	KUNIT_EXPECT_LE(test, ra_lg16(U64_MAX), 1024);
	for (x = 1; x < 1ULL << 62; x = x * 3 / 2 + 1) {
		KUNIT_EXPECT_GE(test, ra_lg16(x), last);
		last = ra_lg16(x);
	}
}

static void test_sequential(struct kunit *test)
{
	struct ra_pattern p = {};
	unsigned int i;

	ra_pattern_reset(&p);
	for (i = 0; i < 100; i++)
		take(&p, i * 64LL * KB, 64 * KB);
	KUNIT_EXPECT_EQ(test, p.sequential, RA_SHARE_ONE);
	KUNIT_EXPECT_EQ(test, p.run, 0);
	KUNIT_EXPECT_EQ(test, p.end, 6400LL * KB);
	KUNIT_EXPECT_FALSE(test, ra_pattern_strided(&p));
}

/* Steps that a stride's pieces are made of, and the distances between them */
static const struct {
	s64 stride;
	u32 len;
	u32 step;
} strides[] = {
	{ 32 * KB, 4 * KB, 4 * KB },
	{ -96 * KB, 16 * KB, 16 * KB },
	{ -32 * KB, 32 * KB, 32 * KB },
	{ 100 * KB, 16 * KB, 4 * KB },
	{ 10000, 100, 100 },
};

static void test_stride(struct kunit *test)
{
	struct ra_pieces ahead;
	struct ra_pattern p;
	unsigned int i, n;
	u32 done;
	s64 pos;

	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		ra_pattern_reset(&p);
		pos = 64 << 20;
		for (n = 0; n < 18; n++, pos += strides[i].stride)
			for (done = 0; done < strides[i].len;
			     done += strides[i].step)
				take(&p, pos + done, strides[i].step);
		KUNIT_EXPECT_TRUE(test, ra_pattern_strided(&p));
		KUNIT_EXPECT_EQ(test, p.stride, strides[i].stride);
		/* The next request's page, before it is taken in */
		KUNIT_ASSERT_TRUE(test, ra_pattern_ahead(&p, pos >> 12, 1, 16,
							 &ahead));
		KUNIT_EXPECT_EQ(test, ahead.pos, pos + strides[i].stride);
		KUNIT_EXPECT_EQ(test, ahead.count, 16);
		KUNIT_EXPECT_GE(test, ahead.len, strides[i].len);
	}
}

static void test_stride_survives_a_stray(struct kunit *test)
{
	struct ra_pattern p;
	unsigned int i;

	ra_pattern_reset(&p);
	for (i = 0; i < 16; i++)
		take(&p, i * 32LL * KB, 4 * KB);
	take(&p, 77 << 20, 4 * KB);
	take(&p, 16 * 32LL * KB, 4 * KB);
	/* It has to come once more */
	KUNIT_EXPECT_FALSE(test, ra_pattern_strided(&p));
	take(&p, 17 * 32LL * KB, 4 * KB);
	KUNIT_EXPECT_TRUE(test, ra_pattern_strided(&p));
	KUNIT_EXPECT_EQ(test, p.stride, 32 * KB);
}

/* @nr steps of @stride from @pos on; how many pieces after each? Ends behind them */
static s64 walk(struct ra_pattern *p, s64 pos, s64 stride, unsigned int nr,
		u32 *ahead)
{
	struct ra_pieces pieces = {};
	unsigned int i;

	for (i = 0; i < nr; i++, pos += stride) {
		ahead[i] = ra_pattern_ahead(p, pos >> 12, 1, 64, &pieces) ?
			   pieces.count : 0;
		take(p, pos, 4 * KB);
	}
	return pos;
}

static void test_stride_is_trusted_as_far_as_it_went(struct kunit *test)
{
	struct ra_pattern p;
	u32 ahead[100];
	s64 pos = 0;
	unsigned int i;

	ra_pattern_reset(&p);
	pos = walk(&p, pos, 32 * KB, 40, ahead);
	KUNIT_EXPECT_EQ(test, ahead[3], 0);
	for (i = 4; i < 40; i++)
		KUNIT_EXPECT_EQ(test, ahead[i], i - 1);
	/* Another one: what breaks the first is no part of it */
	for (i = 0; i < 100; i++) {
		pos = walk(&p, pos + 1024 * KB, (40 + i % 9 * 4) * KB, 40,
			   ahead);
		KUNIT_EXPECT_EQ(test, ahead[0], 0);
	}
	/* By now it is known how long they go on */
	KUNIT_EXPECT_GE(test, ahead[15], 10);
	KUNIT_EXPECT_LE(test, ahead[15], 30);
	KUNIT_EXPECT_LE(test, ahead[35], 8);
	/* This one goes on and on */
	walk(&p, pos, 32 * KB, 100, ahead);
	KUNIT_EXPECT_GE(test, ahead[99], 50);
}

static void test_random_has_no_stride(struct kunit *test)
{
	struct ra_pattern p;
	u32 x = 1;
	unsigned int i;

	ra_pattern_reset(&p);
	for (i = 0; i < 1000; i++) {
		x = x * 1664525 + 1013904223;
		take(&p, (s64)(x >> 8) << 12, 4 * KB);
		KUNIT_ASSERT_FALSE(test, ra_pattern_strided(&p));
	}
	KUNIT_EXPECT_LT(test, p.sequential, 64);
}

static void test_faults_around(struct kunit *test)
{
	struct ra_pattern p;
	unsigned int i;

	ra_pattern_reset(&p);
	for (i = 0; i < 50; i++)
		ra_pattern_read(&p, i * 64LL * KB, 4 * KB, true, false);
	KUNIT_EXPECT_EQ(test, p.sequential, RA_SHARE_ONE);
	KUNIT_EXPECT_FALSE(test, ra_pattern_strided(&p));
}

static void test_faulted_from(struct kunit *test)
{
	struct ra_pattern p;

	ra_pattern_reset(&p);
	KUNIT_EXPECT_EQ(test, ra_pattern_faulted_from(&p, 64 * KB), 64 * KB);
	ra_pattern_read(&p, 0, 4 * KB, true, false);
	/* Mapped around the first: gone through without a fault */
	KUNIT_EXPECT_EQ(test, ra_pattern_faulted_from(&p, 64 * KB), 4 * KB);
	KUNIT_EXPECT_EQ(test, ra_pattern_faulted_from(&p, 512 * KB), 512 * KB);
	KUNIT_EXPECT_EQ(test, ra_pattern_faulted_from(&p, 0), 0);
}

static void test_run_length(struct kunit *test)
{
	struct ra_pattern p;
	unsigned int i, n;

	ra_pattern_reset(&p);
	for (n = 0; n < 50; n++)
		for (i = 0; i < 16; i++)
			take(&p, ((n * n * 77) % 1000) * 1024LL * KB +
			     i * 4LL * KB, 4 * KB);
	KUNIT_EXPECT_EQ(test, p.run_lg, ra_lg16(16));
}

static void test_unlg16(struct kunit *test)
{
	u64 x;

	for (x = 0; x < 4096; x++) {
		u64 y = ra_unlg16(ra_lg16(x));

		KUNIT_ASSERT_LE(test, y, x);
		KUNIT_ASSERT_GE(test, y + y / 15 + 1, x);
		KUNIT_ASSERT_EQ(test, ra_lg16(y), ra_lg16(x));
	}
	/* A page is a page */
	KUNIT_EXPECT_EQ(test, ra_unlg16(ra_lg16(1)), 1);
	KUNIT_EXPECT_EQ(test, ra_unlg16(ra_lg16(U64_MAX)), (1ULL << 60) - 1);
	KUNIT_EXPECT_EQ(test, ra_unlg16(U32_MAX), (1ULL << 60) - 1);
}

/* What happened meanwhile is no jump, no run and no pace */
static void test_resume(struct kunit *test)
{
	struct ra_pattern p, was;
	unsigned int i;

	ra_pattern_reset(&p);
	for (i = 0; i < 20; i++) {
		ra_pattern_asked(&p, (i + 1) << 20);
		take(&p, i * 32LL * KB, 4 * KB);
	}
	KUNIT_ASSERT_TRUE(test, ra_pattern_strided(&p));
	was = p;
	ra_pattern_resume(&p, 5);
	ra_pattern_asked(&p, 1ULL << 40);
	take(&p, 77777LL * KB, 4 * KB);
	KUNIT_EXPECT_EQ(test, p.misses, was.misses + 5);
	KUNIT_EXPECT_EQ(test, p.think_lg, was.think_lg);
	KUNIT_EXPECT_EQ(test, p.jump_lg, was.jump_lg);
	KUNIT_EXPECT_EQ(test, p.run_lg, was.run_lg);
	KUNIT_EXPECT_EQ(test, p.sequential, was.sequential);
	KUNIT_EXPECT_EQ(test, p.stride, was.stride);
	KUNIT_EXPECT_EQ(test, p.confidence, was.confidence);
	/* And the stride goes on from there */
	take(&p, 77777LL * KB + 32 * KB, 4 * KB);
	KUNIT_EXPECT_GT(test, p.confidence, was.confidence - 1);
	KUNIT_EXPECT_EQ(test, p.stride, was.stride);
}

/* Hits have no clock: the time between two misses is shared out */
static void test_think(struct kunit *test)
{
	struct ra_pattern p;
	unsigned int n, i;
	u64 now = 1 << 20;

	ra_pattern_reset(&p);
	for (n = 0; n < 100; n++) {
		ra_pattern_asked(&p, now);
		for (i = 0; i < 8; i++)
			take(&p, (n * 8 + i) * 4LL * KB, 4 * KB);
		now += 8 * 512 * 1024;
	}
	KUNIT_EXPECT_GE(test, p.think_lg, ra_lg16(512) - 1);
	KUNIT_EXPECT_LE(test, p.think_lg, ra_lg16(512) + 1);
	/* Another CPU's clock is behind, or nothing was read: says nothing */
	i = p.think_lg;
	ra_pattern_asked(&p, now);
	ra_pattern_asked(&p, now + (1ULL << 40));
	take(&p, 0, 4 * KB);
	ra_pattern_asked(&p, 0);
	KUNIT_EXPECT_LE(test, p.think_lg, ra_lg16(512) + 1);
	KUNIT_EXPECT_GE(test, p.think_lg, i - 1);
}

static bool all_bounded(const s32 *f)
{
	unsigned int i;

	for (i = 0; i < RA_NR_FEATURES; i++)
		if (f[i] > 1 << 24 || f[i] < -(1 << 24))
			return false;
	return true;
}

static void test_features_are_bounded(struct kunit *test)
{
	struct ra_state s = {
		.fault = true, .sync = true, .async = true, .marker = true,
		.index = U64_MAX >> RA_PAGE_SHIFT, .request = U32_MAX,
		.stock = U32_MAX, .file = U64_MAX,
		.used = RA_SHARE_ONE, .room = U64_MAX,
		.refault = RA_SHARE_ONE, .latency_us = U32_MAX,
		.bandwidth = U32_MAX, .load = U32_MAX, .others = U32_MAX,
	};
	s32 f[RA_NR_FEATURES];
	struct ra_pattern p;

	ra_pattern_reset(&p);
	ra_features_fill(f, &p, &(struct ra_state){});
	KUNIT_EXPECT_TRUE(test, all_bounded(f));
	KUNIT_EXPECT_LT(test, ra_rule(f), RA_NR_ACTIONS);
	ra_pattern_read(&p, 0, 1, false, true);
	ra_pattern_read(&p, S64_MAX - U32_MAX, U32_MAX, false, true);
	ra_pattern_read(&p, 0, U32_MAX, true, true);
	ra_features_fill(f, &p, &s);
	KUNIT_EXPECT_TRUE(test, all_bounded(f));
	KUNIT_EXPECT_LT(test, ra_rule(f), RA_NR_ACTIONS);
}

/* What must not be gained by fetching everything, see "The reward" */
static void test_reward(struct kunit *test)
{
	const u32 miss_us = 1000, copy_ns = 1500;
	u64 miss_ns = miss_us * 1000;
	s32 stock, window, in_vain;

	/* A random page: a miss a page */
	stock = ra_reward(miss_ns, 1, 0, 4000, miss_us);
	KUNIT_EXPECT_EQ(test, stock, -1000);
	/* A window that is used is worth it, one that is not is not */
	window = ra_reward(miss_ns + 255 * copy_ns, 256, 0, 4000, miss_us);
	KUNIT_EXPECT_GT(test, window, stock / 100);
	in_vain = ra_reward(miss_ns, 1, 255, 4000, miss_us);
	KUNIT_EXPECT_LT(test, in_vain, 2 * stock);
	/* One that is used by a quarter is, as long as there is room */
	window = ra_reward(miss_ns, 64, 192, 4000, miss_us);
	KUNIT_EXPECT_GT(test, window, stock);
	window = ra_reward(miss_ns, 64, 192, 4000 + miss_ns * 3 / 4, miss_us);
	KUNIT_EXPECT_LT(test, window, stock);
	/* Bounds */
	KUNIT_EXPECT_EQ(test, ra_reward(0, 0, 0, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, ra_reward(U64_MAX, 0, U32_MAX, U32_MAX, 0),
			-20000);
}

static struct kunit_case pattern_cases[] = {
	KUNIT_CASE(test_lg16),
	KUNIT_CASE(test_sequential),
	KUNIT_CASE(test_stride),
	KUNIT_CASE(test_stride_survives_a_stray),
	KUNIT_CASE(test_stride_is_trusted_as_far_as_it_went),
	KUNIT_CASE(test_random_has_no_stride),
	KUNIT_CASE(test_faults_around),
	KUNIT_CASE(test_faulted_from),
	KUNIT_CASE(test_run_length),
	KUNIT_CASE(test_unlg16),
	KUNIT_CASE(test_resume),
	KUNIT_CASE(test_think),
	KUNIT_CASE(test_features_are_bounded),
	KUNIT_CASE(test_reward),
	{}
};

static struct kunit_suite pattern_suite = {
	.name = "ml_block_pattern",
	.test_cases = pattern_cases,
};

kunit_test_suite(pattern_suite);

MODULE_DESCRIPTION("KUnit tests of the readahead consumer");
MODULE_LICENSE("GPL");
