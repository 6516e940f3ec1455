// SPDX-License-Identifier: GPL-2.0-only
/* Which decision answers for which page */
#include <kunit/test.h>

#include "../account.h"

#define KEY	0x123456789abcdefULL

/* The last window that was closed, and how many were */
static struct {
	unsigned int count;
	unsigned int window;
	struct ra_window w;
} closed;

static void on_close(struct ra_account *a, unsigned int window)
{
	closed.count++;
	closed.window = window;
	closed.w = a->windows[window];
}

static struct ra_account *new_account(struct kunit *test)
{
	struct ra_account *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	ra_account_init(a, on_close);
	memset(&closed, 0, sizeof(closed));
	return a;
}

/* A decision that has fetched its pages, and whose request is over */
static unsigned int decided(struct ra_account *a, u64 page, u32 nr, u64 now)
{
	int window = ra_account_open(a, now);

	ra_account_add(a, window, KEY, page, nr);
	a->windows[window].fetched = nr;
	ra_account_release(a, window);
	return window;
}

static void test_closes_when_read(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	unsigned int i, w = decided(a, 5, 40, 1);

	for (i = 5; i < 45; i++) {
		KUNIT_EXPECT_EQ(test, closed.count, 0);
		KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY, i), w);
		ra_account_read(a, KEY, i, 1, 10);
		/* Again: belongs to nobody */
		ra_account_read(a, KEY, i, 1, 1000);
		KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY, i), -1);
	}
	KUNIT_EXPECT_EQ(test, closed.count, 1);
	KUNIT_EXPECT_EQ(test, closed.window, w);
	KUNIT_EXPECT_EQ(test, closed.w.used, 40);
	KUNIT_EXPECT_EQ(test, closed.w.cost_ns, 400);
	KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY, 4), -1);
	KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY + 1000, 5), -1);
}

/* Two windows meet within a block: each keeps its part */
static void test_neighbours(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	unsigned int first = decided(a, 0, 40, 1), second;

	second = decided(a, 40, 40, 2);
	KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY, 39), first);
	KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY, 40), second);
	ra_account_read(a, KEY, 0, 80, 800);
	KUNIT_EXPECT_EQ(test, closed.count, 2);
	KUNIT_EXPECT_EQ(test, closed.w.used, 40);
	KUNIT_EXPECT_EQ(test, closed.w.cost_ns, 400);
}

/* A newer decision about the same pages takes them over */
static void test_takes_over(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	unsigned int first = decided(a, 0, 32, 1), second;

	ra_account_read(a, KEY, 0, 1, 7);
	second = decided(a, 1, 64, 2);
	KUNIT_EXPECT_EQ(test, closed.count, 1);
	KUNIT_EXPECT_EQ(test, closed.window, first);
	KUNIT_EXPECT_EQ(test, closed.w.used, 1);
	KUNIT_EXPECT_EQ(test, closed.w.fetched, 32);
	KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY, 1), second);
}

/* What a window has not fetched, and is missed, is its fault */
static void test_blame(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	unsigned int first = ra_account_open(a, 1), second;

	ra_account_add(a, first, KEY, 0, 32);
	ra_account_release(a, first);
	a->windows[first].held++;
	second = ra_account_open(a, 2);
	ra_account_add(a, second, KEY, 0, 256);
	KUNIT_EXPECT_EQ(test, closed.count, 0);
	ra_account_blame(a, first, 16, 1000);
	ra_account_release(a, first);
	KUNIT_EXPECT_EQ(test, closed.count, 1);
	KUNIT_EXPECT_EQ(test, closed.window, first);
	KUNIT_EXPECT_EQ(test, closed.w.used, 16);
	KUNIT_EXPECT_EQ(test, closed.w.cost_ns, 1000);
	ra_account_read(a, KEY, 0, 16, 1000);
	KUNIT_EXPECT_EQ(test, a->windows[second].used, 16);
	KUNIT_EXPECT_TRUE(test, a->windows[second].open);
	ra_account_release(a, second);
}

static void test_horizon(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	unsigned int first = decided(a, 0, 32, 0);

	decided(a, 1000, 32, RA_HORIZON_NS - 1);
	KUNIT_EXPECT_EQ(test, closed.count, 0);
	decided(a, 2000, 32, RA_HORIZON_NS);
	KUNIT_EXPECT_EQ(test, closed.count, 1);
	KUNIT_EXPECT_EQ(test, closed.window, first);
	KUNIT_EXPECT_EQ(test, ra_account_find(a, KEY, 0), -1);
	ra_account_flush(a);
	KUNIT_EXPECT_EQ(test, closed.count, 3);
}

/* The oldest goes when there is no room, but not while it is held */
static void test_full(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	unsigned int held = ra_account_open(a, 0), second, i;

	second = decided(a, 0, 1, 1);
	for (i = 2; i < RA_ACCOUNT_WINDOWS; i++)
		decided(a, i * 100, 1, i);
	KUNIT_EXPECT_EQ(test, closed.count, 0);
	decided(a, i * 100, 1, i);
	KUNIT_EXPECT_EQ(test, closed.count, 1);
	KUNIT_EXPECT_EQ(test, closed.window, second);
	KUNIT_EXPECT_TRUE(test, a->windows[held].open);
	ra_account_release(a, held);
	KUNIT_EXPECT_EQ(test, closed.window, held);
}

static void test_all_held(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	unsigned int i;

	for (i = 0; i < RA_ACCOUNT_WINDOWS; i++)
		KUNIT_ASSERT_GE(test, ra_account_open(a, i), 0);
	KUNIT_EXPECT_EQ(test, ra_account_open(a, RA_HORIZON_NS * 2), -1);
}

/* Whatever happens, each unread page is some open window's */
static void test_adds_up(struct kunit *test)
{
	struct ra_account *a = new_account(test);
	u32 x = 1, left, entries;
	unsigned int i, j;
	u64 page, key;

	for (i = 0; i < 20000; i++) {
		x = x * 1664525 + 1013904223;
		page = x >> 12 & 0xfff;
		key = KEY * (1 + (x >> 8 & 3));
		if (x >> 30) {
			ra_account_read(a, key, page, 1 + (x >> 24 & 31), i);
		} else {
			int w = ra_account_open(a, i * 1000000ULL);

			KUNIT_ASSERT_GE(test, w, 0);
			ra_account_add(a, w, key, page, 1 + (x >> 20 & 511));
			ra_account_release(a, w);
		}
	}
	left = 0;
	entries = 0;
	for (i = 0; i < RA_ACCOUNT_WINDOWS; i++)
		left += a->windows[i].open ? a->windows[i].left : 0;
	for (i = 0; i < ARRAY_SIZE(a->blocks); i++)
		for (j = 0; j < RA_ACCOUNT_WAYS; j++)
			entries += hweight16(a->blocks[i][j].unread);
	KUNIT_EXPECT_EQ(test, left, entries);
	KUNIT_EXPECT_GT(test, left, 0);
	ra_account_flush(a);
	for (i = 0; i < ARRAY_SIZE(a->blocks); i++)
		for (j = 0; j < RA_ACCOUNT_WAYS; j++)
			KUNIT_ASSERT_EQ(test, a->blocks[i][j].unread, 0);
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE(test_closes_when_read),
	KUNIT_CASE(test_neighbours),
	KUNIT_CASE(test_takes_over),
	KUNIT_CASE(test_blame),
	KUNIT_CASE(test_horizon),
	KUNIT_CASE(test_full),
	KUNIT_CASE(test_all_held),
	KUNIT_CASE(test_adds_up),
	{}
};

static struct kunit_suite account_suite = {
	.name = "ml_block_account",
	.test_cases = account_cases,
};

kunit_test_suite(account_suite);
