// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the ring: records come out in order and whole, what found no
 * room is counted and told exactly, wake-ups come when the level is passed.
 */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "../ring.h"

#define SIZE		4096U
#define CPU		3

/* A record whose contents follow from its number */
struct numbered {
	struct ml_record head;
	u64 number;
	u64 fill[];
};

/* A ring and what was asked of it, so that every answer can be foretold */
struct ring_ctx {
	struct kunit *test;
	struct ml_ring ring;
	u64 asked;		/* records, lost ones included */
	u64 written;
	u64 lost;
	u8 *buf;		/* read into this, SIZE bytes and a guard */
};

static void setup_at(struct kunit *test, struct ring_ctx *ctx, u32 start)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->test = test;
	ctx->ring.data = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx->ring.data);
	ctx->buf = kunit_kzalloc(test, SIZE + 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx->buf);
	ctx->ring.mask = SIZE - 1;
	ctx->ring.wake = SIZE;
	ctx->ring.head = start;
	ctx->ring.tail = start;
}

/*
 * Write a record as the hot path does, or count it as lost; the number of an
 * outcome is odd. Returns what ml_ring_commit() said.
 */
static bool add(struct ring_ctx *ctx, u32 size, bool *taken)
{
	struct ml_ring *ring = &ctx->ring;
	u64 number = ctx->asked++;
	struct numbered *record;
	unsigned int i;
	u32 head;

	record = ml_ring_reserve(ring, size, &head);
	if (taken)
		*taken = record;
	if (!record) {
		ctx->lost++;
		if (number & 1)
			ring->lost_outcomes++;
		else
			ring->lost_samples++;
		return false;
	}
	KUNIT_ASSERT_TRUE(ctx->test, (u8 *)record >= ring->data);
	KUNIT_ASSERT_TRUE(ctx->test, (u8 *)record + size <= ring->data + SIZE);
	ctx->written++;
	record->head.type = number & 1 ? ML_RECORD_OUTCOME : ML_RECORD_SAMPLE;
	record->head.size = size;
	record->head.cpu = CPU;
	record->number = number;
	for (i = 0; i < (size - sizeof(*record)) / 8; i++)
		record->fill[i] = number * 31 + i;
	return ml_ring_commit(ring, head);
}

static ssize_t read_ring(struct ring_ctx *ctx, size_t len)
{
	struct kvec kvec = { .iov_base = ctx->buf, .iov_len = len };
	struct iov_iter iter;
	ssize_t done;

	KUNIT_ASSERT_LE(ctx->test, len, SIZE);
	memset(ctx->buf, 0xa5, SIZE + 8);
	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, len);
	done = ml_ring_read(&ctx->ring, CPU, &iter);
	if (done >= 0) {
		KUNIT_ASSERT_LE(ctx->test, done, (ssize_t)len);
		KUNIT_EXPECT_EQ(ctx->test, iov_iter_count(&iter), len - done);
		/* Nothing behind what it says it wrote */
		KUNIT_EXPECT_EQ(ctx->test, ctx->buf[done], 0xa5);
	}
	return done;
}

/* What a read brought */
struct got {
	u64 records;
	u64 lost_samples;
	u64 lost_outcomes;
	u64 first;		/* number of the first record */
	u64 last;
};

static struct got parse(struct ring_ctx *ctx, ssize_t len)
{
	struct kunit *test = ctx->test;
	struct got got = {};
	ssize_t at = 0;

	while (at < len) {
		const struct numbered *record = (void *)(ctx->buf + at);
		const struct ml_lost *lost = (void *)record;
		unsigned int i;

		KUNIT_ASSERT_GE(test, len - at, (ssize_t)sizeof(record->head));
		KUNIT_ASSERT_EQ(test, record->head.cpu, CPU);
		KUNIT_ASSERT_EQ(test, record->head.size % 8, 0);
		KUNIT_ASSERT_LE(test, at + record->head.size, len);
		at += record->head.size;
		if (record->head.type == ML_RECORD_LOST) {
			KUNIT_ASSERT_EQ(test, lost->head.size, sizeof(*lost));
			KUNIT_EXPECT_GT(test, lost->samples + lost->outcomes,
					0);
			got.lost_samples += lost->samples;
			got.lost_outcomes += lost->outcomes;
			continue;
		}
		KUNIT_ASSERT_EQ(test, record->head.type,
				record->number & 1 ? ML_RECORD_OUTCOME :
						     ML_RECORD_SAMPLE);
		for (i = 0; i < (record->head.size - sizeof(*record)) / 8; i++)
			KUNIT_ASSERT_EQ(test, record->fill[i],
					record->number * 31 + i);
		if (!got.records++)
			got.first = record->number;
		else
			KUNIT_ASSERT_GT(test, record->number, got.last);
		got.last = record->number;
	}
	return got;
}

static void ring_empty(struct kunit *test)
{
	struct ring_ctx ctx;

	setup_at(test, &ctx, 0);
	KUNIT_EXPECT_FALSE(test, ml_ring_readable(&ctx.ring));
	KUNIT_EXPECT_EQ(test, read_ring(&ctx, SIZE), 0);

	/* Before an agent has attached there is no memory at all */
	memset(&ctx.ring, 0, sizeof(ctx.ring));
	KUNIT_EXPECT_FALSE(test, ml_ring_readable(&ctx.ring));
	KUNIT_EXPECT_EQ(test, read_ring(&ctx, SIZE), 0);
	ml_ring_reset(&ctx.ring);
	KUNIT_EXPECT_FALSE(test, ml_ring_readable(&ctx.ring));
}

static void ring_no_memory_no_room(struct kunit *test)
{
	struct ring_ctx ctx;
	u32 head;

	setup_at(test, &ctx, 0);
	memset(&ctx.ring, 0, sizeof(ctx.ring));
	KUNIT_EXPECT_NULL(test, ml_ring_reserve(&ctx.ring, 32, &head));
}

static void ring_in_order(struct kunit *test)
{
	struct ring_ctx ctx;
	struct got got;
	int i;

	setup_at(test, &ctx, 0);
	for (i = 0; i < 10; i++)
		add(&ctx, 16 + 8 * i, NULL);
	KUNIT_EXPECT_TRUE(test, ml_ring_readable(&ctx.ring));
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.records, 10);
	KUNIT_EXPECT_EQ(test, got.first, 0);
	KUNIT_EXPECT_EQ(test, got.last, 9);
	KUNIT_EXPECT_FALSE(test, ml_ring_readable(&ctx.ring));
	KUNIT_EXPECT_EQ(test, read_ring(&ctx, SIZE), 0);
}

/* A reserved record that is not committed yet is nobody's business */
static void ring_uncommitted(struct kunit *test)
{
	struct ring_ctx ctx;
	u32 head;

	setup_at(test, &ctx, 0);
	KUNIT_ASSERT_NOT_NULL(test, ml_ring_reserve(&ctx.ring, 64, &head));
	KUNIT_EXPECT_FALSE(test, ml_ring_readable(&ctx.ring));
	KUNIT_EXPECT_EQ(test, read_ring(&ctx, SIZE), 0);
}

/* The space left at the end gets a filler, whatever its size, unless it fits */
static void ring_filler(struct kunit *test)
{
	struct ring_ctx ctx;
	struct got got;
	u32 left;

	for (left = 8; left <= 128; left += 8) {
		setup_at(test, &ctx, SIZE - left);
		add(&ctx, 64, NULL);
		KUNIT_EXPECT_EQ(test, ctx.ring.head,
				SIZE - left + 64 + (left < 64 ? left : 0));
		add(&ctx, 64, NULL);
		add(&ctx, 16, NULL);
		got = parse(&ctx, read_ring(&ctx, SIZE));
		KUNIT_EXPECT_EQ(test, got.records, 3);
		KUNIT_EXPECT_EQ(test, got.last, 2);
		KUNIT_EXPECT_EQ(test, ctx.ring.tail, ctx.ring.head);
	}
}

/* A reader without room gets past the filler, but no further, and no record */
static void ring_filler_short_read(struct kunit *test)
{
	struct ring_ctx ctx;
	struct got got;

	setup_at(test, &ctx, SIZE - 40);
	add(&ctx, 64, NULL);
	KUNIT_EXPECT_EQ(test, read_ring(&ctx, 63), -EINVAL);
	KUNIT_EXPECT_TRUE(test, ml_ring_readable(&ctx.ring));
	got = parse(&ctx, read_ring(&ctx, 64));
	KUNIT_EXPECT_EQ(test, got.records, 1);
}

static void ring_full(struct kunit *test)
{
	const struct ml_lost *lost;
	struct ring_ctx ctx;
	struct got got;
	bool taken;
	int i;

	setup_at(test, &ctx, 0);
	for (i = 0; i < SIZE / 32; i++) {
		add(&ctx, 32, &taken);
		KUNIT_ASSERT_TRUE(test, taken);
	}
	/* Full to the last byte: three samples and two outcomes are lost */
	for (i = 0; i < 5; i++) {
		add(&ctx, 16, &taken);
		KUNIT_EXPECT_FALSE(test, taken);
	}
	KUNIT_EXPECT_EQ(test, ctx.ring.lost_samples, 3);
	KUNIT_EXPECT_EQ(test, ctx.ring.lost_outcomes, 2);

	/* The loss is told first and only once */
	KUNIT_ASSERT_EQ(test, read_ring(&ctx, sizeof(*lost)),
			(ssize_t)sizeof(*lost));
	lost = (const void *)ctx.buf;
	KUNIT_EXPECT_EQ(test, lost->head.type, ML_RECORD_LOST);
	KUNIT_EXPECT_EQ(test, lost->head.size, sizeof(*lost));
	KUNIT_EXPECT_EQ(test, lost->head.cpu, CPU);
	KUNIT_EXPECT_EQ(test, lost->samples, 3);
	KUNIT_EXPECT_EQ(test, lost->outcomes, 2);
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.records, SIZE / 32);
	KUNIT_EXPECT_EQ(test, got.lost_samples + got.lost_outcomes, 0);

	/* There is room again, and the next loss counts from zero */
	add(&ctx, 32, &taken);
	KUNIT_EXPECT_TRUE(test, taken);
	while (taken)
		add(&ctx, 32, &taken);
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.lost_samples + got.lost_outcomes, 1);
}

/* No room for filler and record is no room: nothing is written over */
static void ring_full_at_wrap(struct kunit *test)
{
	struct ring_ctx ctx;
	struct got got;
	bool taken;

	setup_at(test, &ctx, 0);
	while (ctx.ring.head < SIZE - 24)
		add(&ctx, 24, NULL);
	/* 16 bytes are left at the end; make 24 at the beginning */
	KUNIT_ASSERT_EQ(test, SIZE - ctx.ring.head, 16);
	got = parse(&ctx, read_ring(&ctx, 24));
	KUNIT_EXPECT_EQ(test, got.records, 1);
	add(&ctx, 32, &taken);
	KUNIT_EXPECT_FALSE(test, taken);
	add(&ctx, 24, &taken);
	KUNIT_EXPECT_TRUE(test, taken);
	KUNIT_EXPECT_EQ(test, ctx.ring.head - ctx.ring.tail, SIZE);
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.lost_samples + got.lost_outcomes, 1);
	/* The loss took 24 bytes of the read: one record had to wait */
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.records, 1);
	KUNIT_EXPECT_EQ(test, got.last, ctx.asked - 1);
	KUNIT_EXPECT_EQ(test, ctx.ring.tail, ctx.ring.head);
}

static void ring_partial_reads(struct kunit *test)
{
	struct ring_ctx ctx;
	struct got got;
	size_t len;

	for (len = 0; len <= 48 + 64 + 16; len += 8) {
		u64 whole = (len >= 48) + (len >= 48 + 64) +
			    (len >= 48 + 64 + 16);

		setup_at(test, &ctx, 0);
		add(&ctx, 48, NULL);
		add(&ctx, 64, NULL);
		add(&ctx, 16, NULL);
		got = parse(&ctx, max(read_ring(&ctx, len), 0));
		KUNIT_EXPECT_EQ_MSG(test, got.records, whole, "length %zu",
				    len);
		KUNIT_EXPECT_EQ(test, ml_ring_readable(&ctx.ring), whole < 3);
		got = parse(&ctx, read_ring(&ctx, SIZE));
		KUNIT_EXPECT_EQ(test, got.records, 3 - whole);
		if (whole < 3)
			KUNIT_EXPECT_EQ(test, got.first, whole);
	}

	/* A loss that does not fit holds up what is behind it: order first */
	setup_at(test, &ctx, 0);
	add(&ctx, 16, NULL);
	ctx.ring.lost_samples = 1;
	KUNIT_EXPECT_EQ(test, read_ring(&ctx, 16), -EINVAL);
	KUNIT_EXPECT_TRUE(test, ml_ring_readable(&ctx.ring));
	got = parse(&ctx, read_ring(&ctx, sizeof(struct ml_lost) + 16));
	KUNIT_EXPECT_EQ(test, got.records, 1);
	KUNIT_EXPECT_EQ(test, got.lost_samples, 1);
}

/* Several segments of user memory, none of which holds a whole record */
static void ring_scattered_read(struct kunit *test)
{
	struct kvec kvec[16];
	struct iov_iter iter;
	struct ring_ctx ctx;
	struct got got;
	int i;

	setup_at(test, &ctx, SIZE - 72);
	for (i = 0; i < 3; i++)
		add(&ctx, 64, NULL);
	for (i = 0; i < 16; i++)
		kvec[i] = (struct kvec) { ctx.buf + 12 * i, 12 };
	iov_iter_kvec(&iter, ITER_DEST, kvec, 16, 192);
	KUNIT_ASSERT_EQ(test, ml_ring_read(&ctx.ring, CPU, &iter), 192);
	got = parse(&ctx, 192);
	KUNIT_EXPECT_EQ(test, got.records, 3);
}

static void ring_wake_once(struct kunit *test)
{
	struct ring_ctx ctx;
	int i;

	setup_at(test, &ctx, 0);
	ctx.ring.wake = 1000;
	for (i = 0; i < 31; i++)
		KUNIT_EXPECT_FALSE(test, add(&ctx, 32, NULL));	/* 992 */
	KUNIT_EXPECT_TRUE(test, add(&ctx, 32, NULL));
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_FALSE(test, add(&ctx, 32, NULL));
	parse(&ctx, read_ring(&ctx, SIZE));

	/* Exactly the level is enough; and it is told again once read below */
	ctx.ring.wake = 64;
	KUNIT_EXPECT_FALSE(test, add(&ctx, 32, NULL));
	KUNIT_EXPECT_TRUE(test, add(&ctx, 32, NULL));
	KUNIT_EXPECT_FALSE(test, add(&ctx, 32, NULL));
	parse(&ctx, read_ring(&ctx, 64));
	KUNIT_EXPECT_TRUE(test, add(&ctx, 32, NULL));

	/* A level of one byte: every record into an empty ring */
	parse(&ctx, read_ring(&ctx, SIZE));
	ctx.ring.wake = 1;
	KUNIT_EXPECT_TRUE(test, add(&ctx, 32, NULL));
	KUNIT_EXPECT_FALSE(test, add(&ctx, 32, NULL));

	/* The filler counts too: it takes room as records do */
	setup_at(test, &ctx, SIZE - 40);
	ctx.ring.wake = 100;
	KUNIT_EXPECT_TRUE(test, add(&ctx, 64, NULL));
}

static void ring_counters_wrap(struct kunit *test)
{
	struct ring_ctx ctx;
	struct got got;
	u64 next = 0;
	bool taken;
	int i;

	/* 2^32 is a multiple of the size, so the place does not jump */
	setup_at(test, &ctx, U32_MAX - 4 * SIZE + 1);
	ctx.ring.wake = 100;
	for (i = 0; i < 1000; i++) {
		add(&ctx, 40, &taken);
		KUNIT_ASSERT_TRUE(test, taken);
		KUNIT_ASSERT_FALSE(test, add(&ctx, 40, &taken));
		KUNIT_ASSERT_TRUE(test, taken);
		got = parse(&ctx, read_ring(&ctx, SIZE));
		KUNIT_ASSERT_EQ(test, got.records, 2);
		KUNIT_ASSERT_EQ(test, got.first, next);
		next += 2;
	}
	KUNIT_EXPECT_LT(test, ctx.ring.head, 1U << 31);

	/* Full across the wrap: exactly the size goes in */
	setup_at(test, &ctx, U32_MAX - SIZE / 2 + 1);
	do
		add(&ctx, 64, &taken);
	while (taken);
	KUNIT_EXPECT_EQ(test, ctx.written, SIZE / 64);
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.lost_samples + got.lost_outcomes, 1);
	/* The loss took 24 bytes of the read: one record had to wait */
	KUNIT_EXPECT_EQ(test, got.records, SIZE / 64 - 1);
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.records, 1);
}

/* A new agent gets nothing of what the last one left, losses included */
static void ring_reset(struct kunit *test)
{
	struct ring_ctx ctx;
	struct got got;
	int i;

	setup_at(test, &ctx, 0);
	for (i = 0; i < 300; i++)
		add(&ctx, 32, NULL);
	KUNIT_ASSERT_GT(test, ctx.lost, 0);
	ml_ring_reset(&ctx.ring);
	KUNIT_EXPECT_FALSE(test, ml_ring_readable(&ctx.ring));
	KUNIT_EXPECT_EQ(test, read_ring(&ctx, SIZE), 0);
	add(&ctx, 32, NULL);
	got = parse(&ctx, read_ring(&ctx, SIZE));
	KUNIT_EXPECT_EQ(test, got.records, 1);
	KUNIT_EXPECT_EQ(test, got.first, 300);
	KUNIT_EXPECT_EQ(test, got.lost_samples + got.lost_outcomes, 0);
}

/*
 * Random sizes and read lengths: the records that are read and the losses that
 * are told make up exactly what was asked, at every moment when all is read.
 */
static void ring_random(struct kunit *test)
{
	u64 records = 0, samples = 0, outcomes = 0, next = 0;
	struct rnd_state rnd;
	struct ring_ctx ctx;
	unsigned int i, n;

	setup_at(test, &ctx, U32_MAX - 100000 * 8 + 1);
	prandom_seed_state(&rnd, 7);
	for (i = 0; i < 20000; i++) {
		struct got got;
		size_t len;

		for (n = prandom_u32_state(&rnd) % 24; n; n--)
			add(&ctx, 16 + 8 * (prandom_u32_state(&rnd) % 40),
			    NULL);
		len = prandom_u32_state(&rnd) % (i & 64 ? SIZE : SIZE / 4);
		if (i == 19999)
			len = SIZE;
		do {
			got = parse(&ctx, max(read_ring(&ctx, len), 0));
			if (got.records) {
				KUNIT_ASSERT_GE(test, got.first, next);
				next = got.last + 1;
			}
			records += got.records;
			samples += got.lost_samples;
			outcomes += got.lost_outcomes;
			/* Now and then to the end, so that the sums are due */
		} while (len == SIZE && ml_ring_readable(&ctx.ring));
	}
	KUNIT_EXPECT_FALSE(test, ml_ring_readable(&ctx.ring));
	KUNIT_EXPECT_EQ(test, records, ctx.written);
	KUNIT_EXPECT_EQ(test, samples, ctx.ring.lost_samples);
	KUNIT_EXPECT_EQ(test, outcomes, ctx.ring.lost_outcomes);
	KUNIT_EXPECT_EQ(test, records + samples + outcomes, ctx.asked);
	/* Both happened often enough to mean something */
	KUNIT_EXPECT_GT(test, ctx.lost, 10000);
	KUNIT_EXPECT_GT(test, ctx.written, 10000);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_empty),
	KUNIT_CASE(ring_no_memory_no_room),
	KUNIT_CASE(ring_in_order),
	KUNIT_CASE(ring_uncommitted),
	KUNIT_CASE(ring_filler),
	KUNIT_CASE(ring_filler_short_read),
	KUNIT_CASE(ring_full),
	KUNIT_CASE(ring_full_at_wrap),
	KUNIT_CASE(ring_partial_reads),
	KUNIT_CASE(ring_scattered_read),
	KUNIT_CASE(ring_wake_once),
	KUNIT_CASE(ring_counters_wrap),
	KUNIT_CASE(ring_reset),
	KUNIT_CASE(ring_random),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "ml_lib_ring",
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);

MODULE_DESCRIPTION("KUnit tests of ML_LIB's ring");
MODULE_LICENSE("GPL");
