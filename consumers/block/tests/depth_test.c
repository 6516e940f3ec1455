// SPDX-License-Identifier: GPL-2.0-only
/* Choice of class, depth and reward of the I/O scheduler ml */
#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "../depth.h"

static struct ml_queue_state loaded(void)
{
	return (struct ml_queue_state) {
		.queued = { 1, 1, 1 },
		.depth = 2,
		.write_depth = 2,
		.demand = true,
	};
}

static void test_demand_first(struct kunit *test)
{
	struct ml_queue_state s = loaded();

	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_DEMAND);
	s.rotational = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_DEMAND);
	s.rotational = false;
	s.queued[ML_DEMAND] = 0;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
	s.queued[ML_SPECULATIVE] = 0;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_WRITE);
	s.queued[ML_WRITE] = 0;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_NR_CLASSES);
}

static void test_depth_bounds(struct kunit *test)
{
	struct ml_queue_state s = loaded();

	s.queued[ML_DEMAND] = 0;
	s.in_flight[ML_SPECULATIVE] = 2;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_WRITE);
	s.in_flight[ML_WRITE] = 2;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_NR_CLASSES);
	s.expired[ML_SPECULATIVE] = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_NR_CLASSES);
	/* Nothing is held without demand */
	s.demand = false;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
	s.queued[ML_SPECULATIVE] = 0;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_WRITE);
}

static void test_expiry(struct kunit *test)
{
	struct ml_queue_state s = loaded();

	s.expired[ML_SPECULATIVE] = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_DEMAND);
	s.passed[ML_SPECULATIVE] = ML_SPECULATIVE_STARVED;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
	s.in_flight[ML_SPECULATIVE] = s.depth;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_DEMAND);
	s.expired[ML_WRITE] = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_WRITE);
}

static void test_writes(struct kunit *test)
{
	struct ml_queue_state s = loaded();

	s.passed[ML_WRITE] = ML_WRITES_STARVED;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_WRITE);
	s.passed[ML_WRITE] = 0;
	s.batch = 1;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_WRITE);
	s.in_flight[ML_WRITE] = s.write_depth;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_DEMAND);
}

static void test_rotational(struct kunit *test)
{
	struct ml_queue_state s = loaded();

	s.rotational = true;
	s.queued[ML_DEMAND] = 0;
	s.in_flight[ML_DEMAND] = 1;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_NR_CLASSES);
	s.expired[ML_SPECULATIVE] = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
	/* The turn: demand waits, speculation goes on */
	s.expired[ML_SPECULATIVE] = false;
	s.in_flight[ML_DEMAND] = 0;
	s.turn = true;
	s.queued[ML_DEMAND] = 1;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
	s.in_flight[ML_SPECULATIVE] = s.depth;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_NR_CLASSES);
	/* The stream may go on, until whoever has begun the turn ends it */
	s.in_flight[ML_SPECULATIVE] = 0;
	s.queued[ML_SPECULATIVE] = 0;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_NR_CLASSES);
	/* But what lies in the way need not wait */
	s.near[ML_DEMAND] = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_DEMAND);
	s.near[ML_DEMAND] = false;
	s.turn = false;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_DEMAND);
}

static void test_rotational_gap(struct kunit *test)
{
	struct ml_queue_state s = loaded();

	/* Demand thinks for a moment: no seek to the stream, and no two */
	s.rotational = true;
	s.queued[ML_DEMAND] = 0;
	s.queued[ML_WRITE] = 0;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_NR_CLASSES);
	s.near[ML_SPECULATIVE] = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
	s.near[ML_SPECULATIVE] = false;
	s.expired[ML_SPECULATIVE] = true;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
	/* It has been away for long */
	s.expired[ML_SPECULATIVE] = false;
	s.demand = false;
	KUNIT_EXPECT_EQ(test, ml_queue_next(&s), ML_SPECULATIVE);
}

/*
 * Every state: the answer has a request, bounds hold beside demand, and where
 * nothing goes something is in flight whose end lets it go, or a turn is on, or
 * only time has to pass: until what is far from a disk's head has expired.
 */
static void test_all_states(struct kunit *test)
{
	struct ml_queue_state s;
	unsigned int i, c, held = 0;
	enum ml_class next;
	bool waits;

	for (i = 0; i < 1U << 16; i++) {
		memset(&s, 0, sizeof(s));
		for (c = 0; c < ML_NR_CLASSES; c++) {
			s.queued[c] = i >> c & 1;
			s.in_flight[c] = i >> (3 + c) & 1;
			s.passed[c] = i >> (6 + c) & 1 ? 100 : 0;
			s.expired[c] = c && i >> (8 + c) & 1;
		}
		s.depth = 1;
		s.write_depth = 1;
		s.rotational = i >> 11 & 1;
		s.turn = s.rotational && i >> 12 & 1;
		s.demand = i >> 13 & 1 || s.queued[0] || s.in_flight[0];
		s.near[ML_DEMAND] = i >> 14 & 1;
		s.near[ML_SPECULATIVE] = i >> 15 & 1;
		next = ml_queue_next(&s);
		if (next == ML_NR_CLASSES) {
			held++;
			waits = s.rotational && s.demand && !s.queued[0] &&
				!s.expired[1] && !s.near[1] && !s.queued[2];
			if (!s.turn && !waits &&
			    (s.queued[0] || s.queued[1] || s.queued[2]))
				KUNIT_EXPECT_TRUE(test, s.in_flight[0] ||
						  s.in_flight[1] ||
						  s.in_flight[2]);
			continue;
		}
		KUNIT_EXPECT_TRUE(test, s.queued[next]);
		if (s.demand && next != ML_DEMAND)
			KUNIT_EXPECT_FALSE(test, s.in_flight[next]);
	}
	KUNIT_EXPECT_GT(test, held, 0);
}

/*
 * A device with a latency and a bus: n requests in flight take the longer of
 * latency + transfer and n * transfer each.
 */
static void run_device(struct ml_depth *d, u64 latency, u64 transfer,
		       unsigned int sectors, unsigned int steps)
{
	u64 now = d->since_ns;
	unsigned int i, j;

	for (i = 0; i < steps; i++) {
		u64 service = max(latency + transfer, d->depth * transfer);

		for (j = 0; j < 8; j++) {
			now += service / d->depth;
			ml_depth_account(d, sectors, service, now);
		}
		d->wanted = true;
		ml_depth_step(d);
	}
}

static void test_depth_finds_knee(struct kunit *test)
{
	static const struct {
		u64 latency, transfer;
		unsigned int sectors, least, most;
	} devices[] = {
		{ 72000, 234000, 256, 2, 2 },		/* ssd, 128 KiB */
		{ 72000, 1229000, 1344, 1, 1 },		/* ssd, 672 KiB */
		{ 83000, 41000, 256, 3, 4 },		/* nvme, 128 KiB */
		{ 940000, 250000, 512, 5, 5 },		/* cloud, 256 KiB */
		{ 0, 514000, 256, 1, 1 },		/* hdd, a stream */
		{ 72000, 58000, 64, 3, 3 },		/* ssd, 32 KiB */
		{ 940000, 1000, 8, ML_DEPTH_MAX, ML_DEPTH_MAX }, /* strides */
	};
	unsigned int i, start;

	for (i = 0; i < ARRAY_SIZE(devices); i++)
		for (start = 1; start <= 32; start *= 2) {
			struct ml_depth d;

			ml_depth_init(&d, start, 0);
			/* What the size takes alone has been seen */
			ml_depth_account(&d, devices[i].sectors,
					 devices[i].latency +
					 devices[i].transfer, 1);
			run_device(&d, devices[i].latency, devices[i].transfer,
				   devices[i].sectors, 200);
			KUNIT_EXPECT_GE_MSG(test, d.depth, devices[i].least,
					    "device %u from %u", i, start);
			KUNIT_EXPECT_LE_MSG(test, d.depth, devices[i].most,
					    "device %u from %u", i, start);
		}
}

static void test_depth_needs_cause(struct kunit *test)
{
	struct ml_depth d;
	unsigned int i;

	ml_depth_init(&d, 2, 0);
	KUNIT_EXPECT_FALSE(test, ml_depth_step(&d));
	for (i = 0; i < 100; i++) {
		unsigned int j;

		for (j = 0; j < ML_DEPTH_ENOUGH; j++)
			ml_depth_account(&d, 8, 1000, i);
		KUNIT_EXPECT_TRUE(test, ml_depth_step(&d));
	}
	/* Nobody wanted more */
	KUNIT_EXPECT_EQ(test, d.depth, 2);
}

static void test_depth_forgets(struct kunit *test)
{
	struct ml_depth d;

	ml_depth_init(&d, 2, 0);
	ml_depth_account(&d, 8, 1000, 1);
	ml_depth_account(&d, 8, 5000, ML_DEPTH_WINDOW_NS);
	KUNIT_EXPECT_EQ(test, d.least[1][3], 1000);
	ml_depth_account(&d, 8, 5000, 2 * ML_DEPTH_WINDOW_NS);
	KUNIT_EXPECT_EQ(test, d.least[0][3], 5000);
	KUNIT_EXPECT_EQ(test, d.least[1][3], 5000);
}

static void test_depth_extremes(struct kunit *test)
{
	struct ml_depth d;
	unsigned int i;

	ml_depth_init(&d, ML_DEPTH_MAX, 0);
	for (i = 0; i < 1000; i++) {
		ml_depth_account(&d, i % 2 ? 0 : U32_MAX,
				 i % 3 ? 0 : 60 * NSEC_PER_SEC, i);
		d.wanted = true;
		ml_depth_step(&d);
		KUNIT_ASSERT_GE(test, d.depth, 1);
		KUNIT_ASSERT_LE(test, d.depth, ML_DEPTH_MAX);
	}
}

static void test_piece(struct kunit *test)
{
	static const struct {
		u64 latency, bytes_per_s;
		unsigned int sectors;
	} devices[] = {
		{ 72, 560000000, 64 },			/* ssd: 32 KiB */
		{ 80, 3200000000, 512 },		/* nvme: 256 KiB */
		{ 900, 1049000000, 2048 },		/* cloud: 1 MiB */
		{ 72, 1000000, ML_PIECE_MIN },		/* a slow reader's */
	};
	unsigned int i, epoch;

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		u64 now = 1000;
		struct ml_piece p;

		ml_piece_init(&p, now);
		for (epoch = 0; epoch < 2000; epoch++) {
			KUNIT_ASSERT_GE(test, p.sectors, ML_PIECE_MIN);
			/* Others take longer, beside a scan */
			ml_piece_demand(&p, (devices[i].latency +
					     (epoch % 100) * 10) * 1000);
			now += 8 * NSEC_PER_MSEC;
			ml_piece_step(&p, div_u64(devices[i].bytes_per_s / 512 *
						  (epoch % 7 ? 4 : 8), 1000),
				      8 * NSEC_PER_MSEC, now);
		}
		KUNIT_EXPECT_EQ_MSG(test, p.sectors, devices[i].sectors,
				    "device %u", i);
	}
}

static void test_piece_extremes(struct kunit *test)
{
	struct ml_piece p;

	ml_piece_init(&p, 0);
	/* Without demand, all lengths */
	ml_piece_step(&p, 1000, NSEC_PER_MSEC, 1);
	KUNIT_EXPECT_EQ(test, p.sectors, ML_PIECE_MAX);
	ml_piece_demand(&p, U64_MAX);
	ml_piece_step(&p, U64_MAX, 0, 2);
	KUNIT_EXPECT_EQ(test, p.sectors, ML_PIECE_MAX);
	ml_piece_init(&p, 0);
	ml_piece_demand(&p, 0);
	ml_piece_step(&p, 0, U64_MAX, 3);
	KUNIT_EXPECT_EQ(test, p.sectors, ML_PIECE_MIN);
	/* What was long ago is forgotten */
	ml_piece_step(&p, 1 << 30, NSEC_PER_MSEC, 4);
	KUNIT_EXPECT_GT(test, p.sectors, ML_PIECE_MIN);
	ml_piece_demand(&p, 0);
	ml_piece_step(&p, 0, 1, ML_PIECE_WINDOW_NS);
	ml_piece_step(&p, 0, 1, 2 * ML_PIECE_WINDOW_NS);
	ml_piece_demand(&p, 0);
	ml_piece_step(&p, 0, 1, 2 * ML_PIECE_WINDOW_NS + 1);
	KUNIT_EXPECT_EQ(test, p.sectors, ML_PIECE_MIN);
}

static void test_reward(struct kunit *test)
{
	/* Twice as fast, either of them, is 16 */
	s32 base = ml_depth_reward(1000, 10, 8000, 1024);

	KUNIT_EXPECT_EQ(test, ml_depth_reward(500, 10, 8000, 1024) - base, 16);
	KUNIT_EXPECT_EQ(test, ml_depth_reward(1000, 10, 4000, 1024) - base, 16);
	/* Holding a lone scan is a loss, holding it completely the greatest */
	KUNIT_EXPECT_LT(test, ml_depth_reward(0, 0, 16000, 1024),
			ml_depth_reward(0, 0, 8000, 1024));
	KUNIT_EXPECT_LT(test, ml_depth_reward(0, 0, 8000, 0),
			ml_depth_reward(0, 0, 8000, 4));
	KUNIT_EXPECT_LE(test, ml_depth_reward(U64_MAX, 1, U64_MAX / 64, 1),
			ml_depth_reward(1000, 1, 1000, 1));
	KUNIT_EXPECT_EQ(test, ml_depth_reward(0, 0, 0, 0), 0);
}

static void test_mean(struct kunit *test)
{
	u32 mean = 0;
	unsigned int i;

	for (i = 0; i < 200; i++)
		mean = ml_mean(mean, 1000);
	KUNIT_EXPECT_GE(test, mean, 990);
	KUNIT_EXPECT_LE(test, mean, 1010);
	for (i = 0; i < 200; i++)
		mean = ml_mean(mean, U64_MAX);
	KUNIT_EXPECT_GT(test, mean, 1U << 24);
	for (i = 0; i < 2000; i++)
		mean = ml_mean(mean, 0);
	KUNIT_EXPECT_GE(test, mean, 1);
	KUNIT_EXPECT_LE(test, mean, 8);
}

static struct kunit_case depth_cases[] = {
	KUNIT_CASE(test_demand_first),
	KUNIT_CASE(test_depth_bounds),
	KUNIT_CASE(test_expiry),
	KUNIT_CASE(test_writes),
	KUNIT_CASE(test_rotational),
	KUNIT_CASE(test_rotational_gap),
	KUNIT_CASE(test_all_states),
	KUNIT_CASE(test_depth_finds_knee),
	KUNIT_CASE(test_depth_needs_cause),
	KUNIT_CASE(test_depth_forgets),
	KUNIT_CASE(test_depth_extremes),
	KUNIT_CASE(test_piece),
	KUNIT_CASE(test_piece_extremes),
	KUNIT_CASE(test_reward),
	KUNIT_CASE(test_mean),
	{}
};

static struct kunit_suite depth_suite = {
	.name = "ml_block_depth",
	.test_cases = depth_cases,
};

kunit_test_suite(depth_suite);
