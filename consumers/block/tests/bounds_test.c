// SPDX-License-Identifier: GPL-2.0-only
/* What a window may take, whatever the model says */
#include <kunit/test.h>
#include <linux/sizes.h>

#include "../bounds.h"
#include "../pattern.h"

#define MANY	50

/* A disk that is nobody else's, with much memory and a small file */
static const struct ra_surroundings ample = {
	.single = true,
	.file = SZ_1G >> RA_PAGE_SHIFT,
	.stock = 1,
	.default_window = 32,
	.room = SZ_2G >> RA_PAGE_SHIFT,
	.pipe = 256,
	.aside = 8,
	.latency_us = 8000,
};

/* MANY runs of @len bytes, one beginning @step(i) bytes after the other */
static struct ra_pattern reader(u32 len, s64 (*step)(unsigned int i))
{
	struct ra_pattern p;
	s64 pos = SZ_1G;
	unsigned int i;

	ra_pattern_reset(&p);
	for (i = 0; i < MANY; i++) {
		ra_pattern_read(&p, pos, len, false, true);
		pos += step(i);
	}
	/* He goes on at times, or a run would be no more than a request */
	p.sequential = RA_SHARE_ONE / 4;
	return p;
}

static s64 far(unsigned int i)
{
	return SZ_8M + (i * i % 7) * SZ_64K;
}

static s64 back(unsigned int i)
{
	return -far(i);
}

static s64 near(unsigned int i)
{
	return SZ_64K + (i * i % 7) * SZ_4K;
}

static s64 about(unsigned int i)
{
	return i & 1 ? -far(i) : far(i);
}

static void test_memory(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_4K, about);

	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);
	/* Never less than stock: who is bounded does as well as without */
	s.file = 50;
	s.room = 64;
	s.stock = 32;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 32);
}

static void test_file_larger_than_memory(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_16K, about);

	s.room = s.file / 2;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 4);
	/* Others drive out what is fetched */
	s.room = ample.room;
	s.refaults = RA_SHARE_ONE / 4;
	s.crowded = true;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 4);
	/* Not where nobody else is */
	s.crowded = false;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);
}

static void test_never_goes_on(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_16K, about);

	p.sequential = RA_SHARE_ONE / 16;
	s.room = s.file / 2;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 1);
}

static void test_others_wait(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p;

	/* A stream gets what stock would give it, or what others do not feel */
	ra_pattern_reset(&p);
	s.single = false;
	s.others = true;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.default_window);
	s.aside = 100;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 100);
}

static void test_beside_a_stream(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_16K, about);

	s.crowded = true;
	s.beside_stream = true;
	/* So little is worth no I/O of its own: the run */
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 4);
	s.aside = 24;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 24);
	/* What stock takes for a stream, is not */
	s.aside = 8;
	s.stock = 32;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 4);
	s.beside_stream = false;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 32);
}

static void test_pauses(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_16K, about);

	p.think_lg = ra_lg16(s.latency_us * 7 / 4);
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 4);
	p.think_lg = ra_lg16(s.latency_us);
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);
}

static void test_skips(struct kunit *test)
{
	static const struct {
		const char *about;
		s64 (*step)(unsigned int i);
		u64 pipe;
		bool skips;
	} who[] = {
		{ "forward, far", far, 256, true },
		/* Between the two, the window is what counts */
		{ "farther than a window, not than a pipe", far, 8192, true },
		{ "forward, near", near, 256, false },
		{ "forward, near, a quick device", near, 4, true },
		{ "backward", back, 256, false },
		{ "to and fro", about, 256, false },
	};
	struct ra_surroundings s = ample;
	unsigned int i;

	s.file = SZ_1T >> RA_PAGE_SHIFT;
	s.room = 2 * s.file;
	for (i = 0; i < ARRAY_SIZE(who); i++) {
		struct ra_pattern p = reader(SZ_16K, who[i].step);

		s.pipe = who[i].pipe;
		KUNIT_EXPECT_EQ_MSG(test, ra_leaves_out(&p, &s), who[i].skips, "%s",
				    who[i].about);
		KUNIT_EXPECT_EQ_MSG(test, ra_window_limit(&p, &s),
				    who[i].skips ? 4 : s.room / 32, "%s",
				    who[i].about);
	}
}

static void test_skips_no_more(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_16K, far);

	/* All of the file could have been read in the time of his misses */
	s.file = MANY * s.pipe;
	KUNIT_EXPECT_FALSE(test, ra_leaves_out(&p, &s));
	s.file++;
	KUNIT_EXPECT_TRUE(test, ra_leaves_out(&p, &s));
}

static void test_skips_in_runs(struct kunit *test)
{
	struct ra_surroundings s = ample;
	/* 63 pages are a length that is kept to the page, see ra_lg16() */
	struct ra_pattern p = reader(SZ_256K - SZ_4K, far);
	u64 first = p.run >> RA_PAGE_SHIFT;

	s.file = MANY * s.pipe + 1;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 63);
	s.single = false;
	/* To where his runs end; there, what stock would read */
	s.start = first + 23;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 40);
	s.start = first + 63;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.stock);
	/* This one goes on */
	s.start = first + 163;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 100);
	/* Another one */
	s.start = first + 2000;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 63);
	s.start = first - 1;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 63);
}

static void test_waste(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_256K - SZ_4K, about);
	const u32 longest = SZ_2M >> RA_PAGE_SHIFT;

	/* What is on its way is no waste, nor is a little */
	KUNIT_EXPECT_FALSE(test, ra_wastes(0, 0));
	KUNIT_EXPECT_FALSE(test, ra_wastes(2 * longest, 0));
	KUNIT_EXPECT_TRUE(test, ra_wastes(4 * longest, 0));
	KUNIT_EXPECT_FALSE(test, ra_wastes(400 * longest, 300 * longest));
	KUNIT_EXPECT_TRUE(test, ra_wastes(400 * longest, 297 * longest));
	KUNIT_EXPECT_FALSE(test, ra_wastes(1, 2));

	/* Who goes through a file gets no more than his runs */
	p.sequential = RA_SHARE_ONE / 2;
	s.file = MANY * s.pipe + 1;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);
	s.wasted = true;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 63);
	/* Who jumps may come back */
	p.sequential = RA_SHARE_ONE / 2 - 1;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);
	/* Nobody has read anything of this file: twice as much each time */
	ra_pattern_reset(&p);
	s.single = false;
	s.stock = 32;
	s.start = 0;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 32);
	s.start = 200;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 200);
}

static void test_does_not_fit(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_16K, about);

	/* What looks like a stream to stock is what he was given before */
	s.single = false;
	s.stock = 32;
	s.room = s.file;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 4);
	p.sequential = RA_SHARE_ONE / 2;
	s.room = 64;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 32);
}

static void test_runs_do_not_fit(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_256K - SZ_4K, about), stream;
	u64 first = p.run >> RA_PAGE_SHIFT, most;

	p.sequential = RA_SHARE_ONE * 7 / 8;
	s.single = false;
	s.unread = true;
	s.room = s.file / 2;
	most = s.room / 32;
	s.start = first + 23;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 40);
	s.start = first + 163;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 100);
	/* He has not jumped for long */
	stream = p;
	stream.sequential = RA_SHARE_ONE;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&stream, &s), most);
	/* He has hardly jumped at all, as who begins anew at the end */
	stream = p;
	stream.jumps = 3;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&stream, &s), most);
	/* He comes back, as who merges sorted runs of one file */
	s.unread = false;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), most);
	/* What he leaves out now, he may find later */
	s.unread = true;
	s.room = 2 * s.file;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);
}

static void test_unread(struct kunit *test)
{
	const u32 longest = SZ_2M >> RA_PAGE_SHIFT;

	/* Half, and more than may be on its way */
	KUNIT_EXPECT_FALSE(test, ra_stays_unread(false, 0, 0));
	KUNIT_EXPECT_FALSE(test, ra_stays_unread(false, 16 * longest, 0));
	KUNIT_EXPECT_TRUE(test, ra_stays_unread(false, 16 * longest + 2, 0));
	KUNIT_EXPECT_FALSE(test, ra_stays_unread(false, 40 * longest,
						 12 * longest));
	KUNIT_EXPECT_TRUE(test, ra_stays_unread(false, 40 * longest,
						12 * longest - 1));
	/* Until nearly all is */
	KUNIT_EXPECT_TRUE(test, ra_stays_unread(true, 800, 699));
	KUNIT_EXPECT_FALSE(test, ra_stays_unread(true, 800, 700));
	KUNIT_EXPECT_FALSE(test, ra_stays_unread(true, 1, 2));
}

static void test_enough(struct kunit *test)
{
	struct ra_surroundings s = ample;
	struct ra_pattern p = reader(SZ_16K, near);

	p.sequential = RA_SHARE_ONE;
	s.single = false;
	s.enough = 128;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);
	s.not_alone = true;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 128);
	/* Nothing is known of the stream */
	s.enough = 0;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.default_window);
	/* Stock's own windows stay, and who jumps has bounds of his own */
	s.stock = 64;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), 64);
	p.sequential = RA_SHARE_ONE / 4;
	KUNIT_EXPECT_EQ(test, ra_window_limit(&p, &s), s.room / 32);

	/* A quarter of the time is not too much */
	KUNIT_EXPECT_EQ(test, ra_enough(32, 250, 1000), 32);
	KUNIT_EXPECT_EQ(test, ra_enough(32, 251, 1000), 128);
	KUNIT_EXPECT_EQ(test, ra_enough(256, 1000, 1000), 512);
	KUNIT_EXPECT_EQ(test, ra_enough(512, U64_MAX, U64_MAX), 512);
	KUNIT_EXPECT_EQ(test, ra_enough(32, 0, 0), 32);
}

/* Each reason alone is one, and without any there is none */
static void test_less_than_stock(struct kunit *test)
{
	struct ra_surroundings s = ample;

	KUNIT_EXPECT_TRUE(test, ra_may_be_less(&s));
	s.goes_on = true;
	KUNIT_EXPECT_FALSE(test, ra_may_be_less(&s));
	s.refaults = RA_SHARE_ONE / 8;
	KUNIT_EXPECT_FALSE(test, ra_may_be_less(&s));
	s.refaults++;
	KUNIT_EXPECT_TRUE(test, ra_may_be_less(&s));
	s.refaults = 0;
	s.others = true;
	KUNIT_EXPECT_FALSE(test, ra_may_be_less(&s));
	s.kept = true;
	KUNIT_EXPECT_TRUE(test, ra_may_be_less(&s));
	/* Nobody is there to wait */
	s.others = false;
	KUNIT_EXPECT_FALSE(test, ra_may_be_less(&s));
	s.beside_stream = true;
	KUNIT_EXPECT_TRUE(test, ra_may_be_less(&s));
	s.beside_stream = false;
	s.vain = true;
	KUNIT_EXPECT_TRUE(test, ra_may_be_less(&s));
}

static void test_in_vain(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, ra_in_vain(0, 0));
	KUNIT_EXPECT_FALSE(test, ra_in_vain(800, 700));
	KUNIT_EXPECT_TRUE(test, ra_in_vain(800, 699));
	/* Found without having been fetched by us */
	KUNIT_EXPECT_FALSE(test, ra_in_vain(1, 2));
}

static void test_aside(struct kunit *test)
{
	/* 10 ms at 100000 pages/s are 1000 pages */
	KUNIT_EXPECT_EQ(test, ra_aside(10000, 100000, 0), 250);
	/* A sixteenth of them at 5 us a page are 125 */
	KUNIT_EXPECT_EQ(test, ra_aside(10000, 100000, 5000), 125);
	KUNIT_EXPECT_EQ(test, ra_aside(10000, 100000, 1), 250);
	/* Nobody has waited yet */
	KUNIT_EXPECT_EQ(test, ra_aside(0, 100000, 5000), 0);
	KUNIT_EXPECT_EQ(test, ra_aside(U32_MAX, U32_MAX, 0),
			div_u64((u64)U32_MAX * U32_MAX, USEC_PER_SEC) / 4);
}

static struct kunit_case bounds_cases[] = {
	KUNIT_CASE(test_memory),
	KUNIT_CASE(test_file_larger_than_memory),
	KUNIT_CASE(test_never_goes_on),
	KUNIT_CASE(test_others_wait),
	KUNIT_CASE(test_beside_a_stream),
	KUNIT_CASE(test_pauses),
	KUNIT_CASE(test_skips),
	KUNIT_CASE(test_skips_no_more),
	KUNIT_CASE(test_skips_in_runs),
	KUNIT_CASE(test_waste),
	KUNIT_CASE(test_does_not_fit),
	KUNIT_CASE(test_runs_do_not_fit),
	KUNIT_CASE(test_unread),
	KUNIT_CASE(test_enough),
	KUNIT_CASE(test_less_than_stock),
	KUNIT_CASE(test_in_vain),
	KUNIT_CASE(test_aside),
	{}
};

static struct kunit_suite bounds_suite = {
	.name = "ml_block_bounds",
	.test_cases = bounds_cases,
};

kunit_test_suite(bounds_suite);
