// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the simulated disk's service-time model.
 */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "../disk_model.h"

#define SECTORS		2097152ULL	/* 1 GiB */
#define BLOCK		8		/* sectors of 4 KiB */

/* A flat device: 100 us, no jitter, 1000 MB/s: 4 KiB take 4096 ns */
static const struct rig_disk_params flat = {
	.channels = 4,
	.read_ns = 100000,
	.write_ns = 50000,
	.read_mbps = 1000,
	.write_mbps = 500,
	.flush_ns = 700000,
	.age_ms = 500,
	.queue_depth = 32,
	.max_kb = 1280,
	.max_segments = 128,
};

static struct rig_disk_params hdd(void)
{
	return rig_disk_find_profile("hdd")->params;
}

/* Give @m a request at @now; @req is the caller's */
static void add(struct rig_disk_model *m, struct rig_disk_req *req,
		enum rig_disk_op op, u64 sector, u32 nr_sectors, u64 now)
{
	req->op = op;
	req->sector = sector;
	req->nr_sectors = nr_sectors;
	rig_disk_model_add(m, req, now);
}

/* Sleep until the next completion, as the driver does */
static struct rig_disk_req *next(struct kunit *test, struct rig_disk_model *m)
{
	u64 when = rig_disk_model_next(m);
	struct rig_disk_req *req;

	KUNIT_ASSERT_NE(test, when, U64_MAX);
	KUNIT_EXPECT_NULL(test, rig_disk_model_run(m, when - 1));
	req = rig_disk_model_run(m, when);
	KUNIT_ASSERT_NOT_NULL(test, req);
	KUNIT_EXPECT_EQ(test, req->when, when);
	return req;
}

/* Latency of a request that is alone in the device */
static u64 alone(struct kunit *test, struct rig_disk_model *m,
		 enum rig_disk_op op, u64 sector, u32 nr_sectors, u64 now)
{
	struct rig_disk_req req;

	add(m, &req, op, sector, nr_sectors, now);
	KUNIT_ASSERT_PTR_EQ(test, next(test, m), &req);
	KUNIT_EXPECT_EQ(test, rig_disk_model_next(m), U64_MAX);
	return req.when - now;
}

/*
 * Keep @depth requests in the device from time 0 on; the time at which the
 * last of @count is done. Random sectors, or one stream from sector 0.
 */
static u64 closed_loop(struct kunit *test, struct rig_disk_model *m,
		       unsigned int depth, unsigned int count, u32 nr_sectors,
		       bool random)
{
	struct rig_disk_req *reqs, *req;
	u64 now = 0, state = 12345;
	unsigned int i;

	reqs = kunit_kcalloc(test, depth, sizeof(*reqs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reqs);
	for (i = 0; i < depth + count; i++) {
		u64 sector = (u64)i * nr_sectors;

		if (random) {
			state = state * 6364136223846793005ULL + 1;
			sector = (state >> 33) % (SECTORS - nr_sectors);
		}
		if (i < depth) {
			req = &reqs[i];
		} else {
			req = next(test, m);
			KUNIT_ASSERT_GE(test, req->when, now);
			now = req->when;
		}
		if (i < count)
			add(m, req, RIG_DISK_READ, sector, nr_sectors, now);
	}
	return now;
}

static void disk_profiles_valid(struct kunit *test)
{
	static const char * const names[] = { "hdd", "ssd", "nvme", "cloud" };
	char why[80] = "";
	unsigned int i;

	KUNIT_EXPECT_EQ(test, rig_disk_nr_profiles, ARRAY_SIZE(names));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const struct rig_disk_profile *p = rig_disk_find_profile(names[i]);

		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_STREQ(test, p->name, names[i]);
		KUNIT_EXPECT_EQ_MSG(test, 0,
				    rig_disk_params_check(&p->params, why,
							  sizeof(why)),
				    "%s: %s", p->name, why);
	}
	KUNIT_EXPECT_NULL(test, rig_disk_find_profile("floppy"));
	KUNIT_EXPECT_NULL(test, rig_disk_find_profile(""));
}

static void disk_ranges(struct kunit *test)
{
	char why[80];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, rig_disk_params_check(&flat, why, sizeof(why)));
	for (i = 0; i < RIG_DISK_NR_PARAMS; i++) {
		const struct rig_disk_range *r = &rig_disk_ranges[i];
		struct rig_disk_params p = flat;
		s32 *value = (s32 *)&p;

		value[i] = r->min - 1;
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    rig_disk_params_check(&p, why, sizeof(why)),
				    "%s below its range", r->name);
		KUNIT_EXPECT_EQ(test, 0,
				strncmp(why, r->name, strlen(r->name)));
		value[i] = r->max + 1;
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    rig_disk_params_check(&p, why, sizeof(why)),
				    "%s above its range", r->name);
		KUNIT_EXPECT_EQ(test, 0,
				strncmp(why, r->name, strlen(r->name)));
	}
}

/* The table of ranges and the structure must name the same things */
static void disk_ranges_order(struct kunit *test)
{
	static const struct rig_disk_params p = {
		.channels = 1, .flush_ns = 2, .revolution_ns = 3,
		.age_ms = 4, .queue_depth = 5, .max_segments = 6,
	};
	static const char * const names[] = {
		"channels", "flush_ns", "revolution_ns", "age_ms",
		"queue_depth", "max_segments",
	};
	const s32 *value = (const s32 *)&p;
	unsigned int i;

	for (i = 0; i < RIG_DISK_NR_PARAMS; i++)
		if (value[i])
			KUNIT_EXPECT_STREQ(test, rig_disk_ranges[i].name,
					   names[value[i] - 1]);
}

static void disk_inconsistent(struct kunit *test)
{
	struct rig_disk_params p;
	char why[80];

	p = flat;
	p.seek_full_ns = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, rig_disk_params_check(&p, why, sizeof(why)));
	p = hdd();
	p.channels = 2;
	KUNIT_EXPECT_EQ(test, -EINVAL, rig_disk_params_check(&p, why, sizeof(why)));
	p = hdd();
	p.revolution_ns = 999999;
	KUNIT_EXPECT_EQ(test, -EINVAL, rig_disk_params_check(&p, why, sizeof(why)));
	p = hdd();
	p.seek_full_ns = p.seek_track_ns - 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, rig_disk_params_check(&p, why, sizeof(why)));
}

static void disk_latency_alone(struct kunit *test)
{
	struct rig_disk_model m;

	rig_disk_model_init(&m, &flat, 1, SECTORS);
	KUNIT_EXPECT_EQ(test, rig_disk_model_next(&m), U64_MAX);
	KUNIT_EXPECT_NULL(test, rig_disk_model_run(&m, NSEC_PER_SEC));
	KUNIT_EXPECT_EQ(test, 104096,
			alone(test, &m, RIG_DISK_READ, 0, BLOCK, 1000));
	KUNIT_EXPECT_EQ(test, 58192,
			alone(test, &m, RIG_DISK_WRITE, 999, BLOCK, 300000));
}

static void disk_boundaries(struct kunit *test)
{
	struct rig_disk_params p = hdd();
	struct rig_disk_model m;
	u64 limit, now = 0;
	unsigned int i;
	static const struct { u64 sector; u32 nr; } reqs[] = {
		{ 0, 1 }, { SECTORS - 1, 1 }, { SECTORS - 65535, 65535 },
		{ 0, 65535 }, { 1, 2048 }, { SECTORS - 8, 8 }, { 0, 8 },
	};

	rig_disk_model_init(&m, &flat, 1, SECTORS);
	/* 512 B and 32 MiB - 512 B at 1000 MB/s */
	KUNIT_EXPECT_EQ(test, 100512,
			alone(test, &m, RIG_DISK_READ, 0, 1, 0));
	KUNIT_EXPECT_EQ(test, 100000 + 65535 * 512,
			alone(test, &m, RIG_DISK_READ, SECTORS - 65535, 65535,
			      NSEC_PER_SEC));

	/*
	 * On a disk that rotates: never less than the transfer, never more
	 * than a full stroke and a revolution on top.
	 */
	rig_disk_model_init(&m, &p, 1, SECTORS);
	limit = p.seek_full_ns + p.revolution_ns;
	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		u64 bus = rig_disk_model_transfer(&m, RIG_DISK_READ, reqs[i].nr);
		u64 took = alone(test, &m, RIG_DISK_READ, reqs[i].sector,
				 reqs[i].nr, now);

		KUNIT_EXPECT_GE(test, took, bus);
		KUNIT_EXPECT_LE(test, took, bus + limit);
		now += took + 12345;
	}

	/* A disk of a single sector has one track and can only rotate */
	rig_disk_model_init(&m, &p, 1, 1);
	KUNIT_EXPECT_EQ(test, m.tracks, 1);
	KUNIT_EXPECT_EQ(test, rig_disk_model_seek(&m, 0, 1), 0);
}

static void disk_bandwidth(struct kunit *test)
{
	struct rig_disk_model m;
	u64 ns;

	/* 256 reads of 1 MiB at 1000 MB/s, and the first one's latency */
	rig_disk_model_init(&m, &flat, 1, SECTORS);
	ns = closed_loop(test, &m, 4, 256, 2048, false);
	KUNIT_EXPECT_EQ(test, ns, 100000 + 256 * 1048576ULL);
}

static void disk_iops(struct kunit *test)
{
	struct rig_disk_params p = flat;
	struct rig_disk_model m;
	u64 ns;

	/*
	 * 4 channels could do 4 in 100 us; the limit is lower than that and
	 * than the bandwidth's 244,140 a second.
	 */
	p.read_iops = 10000;
	rig_disk_model_init(&m, &p, 1, SECTORS);
	ns = closed_loop(test, &m, 8, 1000, BLOCK, true);
	KUNIT_EXPECT_EQ(test, ns, 100000 + 1000 * 100000ULL);

	/* Requests large enough are held by the bandwidth instead */
	rig_disk_model_init(&m, &p, 1, SECTORS);
	ns = closed_loop(test, &m, 8, 256, 2048, true);
	KUNIT_EXPECT_EQ(test, ns, 100000 + 256 * 1048576ULL);
}

static void disk_channels_overlap(struct kunit *test)
{
	unsigned int depth;

	/* 104.096 us each: depth requests side by side up to 4, no more */
	for (depth = 1; depth <= 32; depth *= 2) {
		unsigned int lanes = min(depth, 4U);
		struct rig_disk_model m;
		u64 ns, want;

		rig_disk_model_init(&m, &flat, 1, SECTORS);
		ns = closed_loop(test, &m, depth, 1024, BLOCK, true);
		want = 1024 / lanes * 104096ULL;
		KUNIT_EXPECT_GE(test, ns, want);
		/* Only the first few stand in line for the bus */
		KUNIT_EXPECT_LE(test, ns, want + lanes * 4096);
	}
}

/* A request that is ready sooner gets the bus, though it came later */
static void disk_bus_order(struct kunit *test)
{
	struct rig_disk_req slow, fast;
	struct rig_disk_model m;

	rig_disk_model_init(&m, &flat, 1, SECTORS);
	add(&m, &slow, RIG_DISK_READ, 0, BLOCK, 0);
	KUNIT_EXPECT_EQ(test, rig_disk_model_next(&m), 104096);
	add(&m, &fast, RIG_DISK_WRITE, 0, BLOCK, 45000);
	KUNIT_EXPECT_PTR_EQ(test, next(test, &m), &fast);
	KUNIT_EXPECT_EQ(test, fast.when, 95000 + 8192);
	/* The bus was busy from 95,000 to 103,192 */
	KUNIT_EXPECT_PTR_EQ(test, next(test, &m), &slow);
	KUNIT_EXPECT_EQ(test, slow.when, 103192 + 4096);
}

/* However late the driver looks, everything happened at its own time */
static void disk_late_caller(struct kunit *test)
{
	struct rig_disk_params p = flat;
	struct rig_disk_req reqs[8], *req;
	struct rig_disk_model m;
	unsigned int i;

	p.channels = 1;
	rig_disk_model_init(&m, &p, 1, SECTORS);
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		add(&m, &reqs[i], RIG_DISK_READ, i * 1000, BLOCK, 0);
	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		req = rig_disk_model_run(&m, NSEC_PER_SEC);
		KUNIT_ASSERT_PTR_EQ(test, req, &reqs[i]);
		KUNIT_EXPECT_EQ(test, req->when, (i + 1) * 104096ULL);
	}
	KUNIT_EXPECT_NULL(test, rig_disk_model_run(&m, NSEC_PER_SEC));
	/* A caller whose clock is behind does not start in the past */
	add(&m, &reqs[0], RIG_DISK_READ, 0, BLOCK, 5);
	KUNIT_EXPECT_EQ(test, rig_disk_model_next(&m), 9 * 104096ULL);
}

static void disk_seek_monotone(struct kunit *test)
{
	struct rig_disk_params p = hdd();
	struct rig_disk_model m;
	u64 last = 0, t, track;

	rig_disk_model_init(&m, &p, 1, SECTORS);
	KUNIT_ASSERT_GT(test, m.tracks, 100);
	KUNIT_EXPECT_EQ(test, rig_disk_model_seek(&m, 5, 5), 0);
	KUNIT_EXPECT_EQ(test, rig_disk_model_seek(&m, 0, m.track_sectors - 1), 0);
	KUNIT_EXPECT_EQ(test, rig_disk_model_seek(&m, 0, m.track_sectors),
			p.seek_track_ns);
	for (track = 1; track < m.tracks; track++) {
		t = rig_disk_model_seek(&m, 0, track * m.track_sectors);
		KUNIT_EXPECT_GE(test, t, last);
		KUNIT_EXPECT_EQ(test, t, rig_disk_model_seek(&m,
							     track * m.track_sectors, 0));
		last = t;
	}
	KUNIT_EXPECT_EQ(test, last, p.seek_full_ns);
	/* Half the square root at a quarter of the stroke, 1 % for rounding */
	t = rig_disk_model_seek(&m, 0, m.tracks / 4 * m.track_sectors);
	KUNIT_EXPECT_GE(test, t, (p.seek_track_ns + p.seek_full_ns) / 200 * 99);
	KUNIT_EXPECT_LE(test, t, (p.seek_track_ns + p.seek_full_ns) / 200 * 101);
}

/* The profile's comment derives the full stroke from the average seek */
static void disk_seek_average(struct kunit *test)
{
	struct rig_disk_params p = hdd();
	struct rig_disk_model m;
	u64 a, b, sum = 0, pairs = 0;

	rig_disk_model_init(&m, &p, 1, SECTORS);
	for (a = 0; a < m.tracks; a += 7)
		for (b = 0; b < m.tracks; b += 7, pairs++)
			sum += rig_disk_model_seek(&m, a * m.track_sectors,
						   b * m.track_sectors);
	sum = div64_u64(sum, pairs);
	KUNIT_EXPECT_GE(test, sum, 7200000);
	KUNIT_EXPECT_LE(test, sum, 7600000);
}

static void disk_sequential_and_skip(struct kunit *test)
{
	struct rig_disk_params p = hdd();
	struct rig_disk_model m;
	u64 bus, now, gap, took;

	rig_disk_model_init(&m, &p, 1, SECTORS);
	bus = rig_disk_model_transfer(&m, RIG_DISK_READ, 256);
	now = alone(test, &m, RIG_DISK_READ, 500000, 256, 0);
	/* Where the head is: the transfer alone, whenever it comes */
	KUNIT_EXPECT_EQ(test, bus,
			alone(test, &m, RIG_DISK_READ, 500256, 256, now + 777));
	now += 100000000;
	/* The gap's media time: within 1 us of the same bytes transferred */
	gap = p.skip_kb * 2;
	took = alone(test, &m, RIG_DISK_READ, 500512 + gap, 256, now);
	KUNIT_EXPECT_GE(test, took + 1000, bus +
			rig_disk_model_transfer(&m, RIG_DISK_READ, gap));
	KUNIT_EXPECT_LE(test, took, 1000 + bus +
			rig_disk_model_transfer(&m, RIG_DISK_READ, gap));
	/* What has just passed under the head comes again a revolution later */
	now += NSEC_PER_SEC;
	now += alone(test, &m, RIG_DISK_READ, 1000, 256, now);
	took = alone(test, &m, RIG_DISK_READ, 1000, 256, now);
	KUNIT_EXPECT_GE(test, took + 1000, p.revolution_ns);
	KUNIT_EXPECT_LE(test, took, p.revolution_ns + 1000);
}

/* Average rotational latency is half a revolution */
static void disk_rotation_average(struct kunit *test)
{
	struct rig_disk_params p = hdd();
	u64 sum = 0, now = 0, took, bus;
	struct rig_disk_model m;
	unsigned int i;

	p.seek_track_ns = 0;
	p.seek_full_ns = 0;
	p.skip_kb = 0;
	rig_disk_model_init(&m, &p, 1, SECTORS);
	bus = rig_disk_model_transfer(&m, RIG_DISK_READ, BLOCK);
	for (i = 0; i < 1000; i++) {
		took = alone(test, &m, RIG_DISK_READ, (i * 7919ULL) % SECTORS,
			     BLOCK, now);
		KUNIT_EXPECT_LT(test, took, p.revolution_ns + bus);
		sum += took - bus;
		now += took + (i * 104729) % 8333333;
	}
	sum = div_u64(sum, 1000);
	KUNIT_EXPECT_GE(test, sum, p.revolution_ns / 100 * 45);
	KUNIT_EXPECT_LE(test, sum, p.revolution_ns / 100 * 55);
}

static void disk_ncq_picks_nearest(struct kunit *test)
{
	struct rig_disk_params p = hdd();
	struct rig_disk_req busy, far, near;
	struct rig_disk_model m;

	rig_disk_model_init(&m, &p, 1, SECTORS);
	add(&m, &busy, RIG_DISK_READ, 1000, BLOCK, 0);
	add(&m, &far, RIG_DISK_READ, SECTORS - BLOCK, BLOCK, 0);
	add(&m, &near, RIG_DISK_READ, 1000 + BLOCK, BLOCK, 0);
	KUNIT_EXPECT_PTR_EQ(test, next(test, &m), &busy);
	KUNIT_EXPECT_PTR_EQ(test, next(test, &m), &near);
	KUNIT_EXPECT_PTR_EQ(test, next(test, &m), &far);

	/* A deeper queue gives a better choice: more requests a second */
	rig_disk_model_init(&m, &p, 1, SECTORS);
	far.when = closed_loop(test, &m, 1, 500, BLOCK, true);
	rig_disk_model_init(&m, &p, 1, SECTORS);
	near.when = closed_loop(test, &m, 32, 500, BLOCK, true);
	KUNIT_EXPECT_LT(test, near.when * 3, far.when * 2);
}

static void disk_ncq_starves_none(struct kunit *test)
{
	struct rig_disk_params p = hdd();
	struct rig_disk_req stream[2], far, *req;
	struct rig_disk_model m;
	u64 sector = 0;

	/* A stream that always has a request where the head is */
	rig_disk_model_init(&m, &p, 1, SECTORS);
	add(&m, &stream[0], RIG_DISK_READ, sector, 256, 0);
	add(&m, &stream[1], RIG_DISK_READ, sector += 256, 256, 0);
	add(&m, &far, RIG_DISK_READ, SECTORS - BLOCK, BLOCK, 0);
	while ((req = next(test, &m)) != &far) {
		KUNIT_ASSERT_LT(test, req->when, 2 * NSEC_PER_SEC);
		add(&m, req, RIG_DISK_READ, sector += 256, 256, req->when);
	}
	/* It waited for its age, and not for much more */
	KUNIT_EXPECT_GT(test, far.when, p.age_ms * (u64)NSEC_PER_MSEC);
	KUNIT_EXPECT_LT(test, far.when, (p.age_ms + 50) * (u64)NSEC_PER_MSEC);
}

static void disk_jitter(struct kunit *test)
{
	struct rig_disk_model m, same, other;
	struct rig_disk_params p = flat;
	u64 now = 0, sum = 0, differ = 0, least = U64_MAX, most = 0;
	unsigned int i;

	p.jitter_ns = 10000;
	rig_disk_model_init(&m, &p, 7, SECTORS);
	rig_disk_model_init(&same, &p, 7, SECTORS);
	rig_disk_model_init(&other, &p, 8, SECTORS);
	for (i = 0; i < 4000; i++, now += NSEC_PER_MSEC) {
		u64 t = alone(test, &m, RIG_DISK_READ, 0, BLOCK, now) - 104096;

		KUNIT_EXPECT_EQ(test, t + 104096,
				alone(test, &same, RIG_DISK_READ, 0, BLOCK, now));
		differ += t + 104096 !=
			  alone(test, &other, RIG_DISK_READ, 0, BLOCK, now);
		sum += t;
		least = min(least, t);
		most = max(most, t);
	}
	KUNIT_EXPECT_LE(test, most, 10000);
	/* Of 4000 draws the ends are near the range's, the mean at its half */
	KUNIT_EXPECT_GT(test, most, 9900);
	KUNIT_EXPECT_LT(test, least, 100);
	KUNIT_EXPECT_GE(test, sum, 4000 * 4800ULL);
	KUNIT_EXPECT_LE(test, sum, 4000 * 5200ULL);
	KUNIT_EXPECT_GT(test, differ, 3900);
}

/* Seeds 0 and U64_MAX must work as any other */
static void disk_seed_extremes(struct kunit *test)
{
	static const u64 seeds[] = { 0, 1, U64_MAX };
	struct rig_disk_params p = flat;
	unsigned int i, j;

	p.jitter_ns = 1000000;
	for (i = 0; i < ARRAY_SIZE(seeds); i++) {
		struct rig_disk_model m;
		u64 first, same = 0;

		rig_disk_model_init(&m, &p, seeds[i], SECTORS);
		first = alone(test, &m, RIG_DISK_READ, 0, BLOCK, 0);
		for (j = 1; j < 50; j++)
			same += alone(test, &m, RIG_DISK_READ, 0, BLOCK,
				      j * (u64)NSEC_PER_SEC) == first;
		KUNIT_EXPECT_LT(test, same, 3);
	}
}

static void disk_flush(struct kunit *test)
{
	struct rig_disk_req flush, write;
	struct rig_disk_params p = hdd();
	struct rig_disk_model m;
	u64 now;

	rig_disk_model_init(&m, &flat, 1, SECTORS);
	KUNIT_EXPECT_EQ(test, 700000, alone(test, &m, RIG_DISK_FLUSH, 0, 0, 0));
	/* It takes a channel and lets the others work */
	add(&m, &flush, RIG_DISK_FLUSH, 0, 0, NSEC_PER_SEC);
	add(&m, &write, RIG_DISK_WRITE, 0, BLOCK, NSEC_PER_SEC);
	KUNIT_EXPECT_PTR_EQ(test, next(test, &m), &write);
	KUNIT_EXPECT_EQ(test, write.when, NSEC_PER_SEC + 58192);
	KUNIT_EXPECT_PTR_EQ(test, next(test, &m), &flush);
	KUNIT_EXPECT_EQ(test, flush.when, NSEC_PER_SEC + 700000);

	/* It does not move the head */
	rig_disk_model_init(&m, &p, 1, SECTORS);
	now = alone(test, &m, RIG_DISK_WRITE, 1000, BLOCK, 0);
	now += alone(test, &m, RIG_DISK_FLUSH, 0, 0, now);
	KUNIT_EXPECT_EQ(test,
			rig_disk_model_transfer(&m, RIG_DISK_WRITE, BLOCK),
			alone(test, &m, RIG_DISK_WRITE, 1000 + BLOCK, BLOCK, now));
}

/* The figures the profiles' comments promise */
static void disk_profile_figures(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 read_ns;	/* mean latency of 4 KiB alone */
		u64 iops;	/* 4 KiB reads a second, queue full */
	} want[] = {
		{ "ssd", 76900, 98000 },
		{ "nvme", 85000, 490000 },
		{ "cloud", 1000000, 16000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		const struct rig_disk_params *p =
			&rig_disk_find_profile(want[i].name)->params;
		struct rig_disk_model m;
		u64 ns;

		rig_disk_model_init(&m, p, 1, SECTORS);
		ns = div_u64(closed_loop(test, &m, 1, 2000, BLOCK, true), 2000);
		KUNIT_EXPECT_GE_MSG(test, ns, want[i].read_ns / 100 * 98,
				    "%s latency", want[i].name);
		KUNIT_EXPECT_LE_MSG(test, ns, want[i].read_ns / 100 * 102,
				    "%s latency", want[i].name);

		rig_disk_model_init(&m, p, 1, SECTORS);
		ns = closed_loop(test, &m, p->queue_depth, 20000, BLOCK, true);
		ns = div64_u64(20000ULL * NSEC_PER_SEC, ns);
		KUNIT_EXPECT_GE_MSG(test, ns, want[i].iops / 100 * 98,
				    "%s IOPS", want[i].name);
		KUNIT_EXPECT_LE_MSG(test, ns, want[i].iops / 100 * 102,
				    "%s IOPS", want[i].name);
	}
}

static struct kunit_case disk_model_cases[] = {
	KUNIT_CASE(disk_profiles_valid),
	KUNIT_CASE(disk_ranges),
	KUNIT_CASE(disk_ranges_order),
	KUNIT_CASE(disk_inconsistent),
	KUNIT_CASE(disk_latency_alone),
	KUNIT_CASE(disk_boundaries),
	KUNIT_CASE(disk_bandwidth),
	KUNIT_CASE(disk_iops),
	KUNIT_CASE(disk_channels_overlap),
	KUNIT_CASE(disk_bus_order),
	KUNIT_CASE(disk_late_caller),
	KUNIT_CASE(disk_seek_monotone),
	KUNIT_CASE(disk_seek_average),
	KUNIT_CASE(disk_sequential_and_skip),
	KUNIT_CASE(disk_rotation_average),
	KUNIT_CASE(disk_ncq_picks_nearest),
	KUNIT_CASE(disk_ncq_starves_none),
	KUNIT_CASE(disk_jitter),
	KUNIT_CASE(disk_seed_extremes),
	KUNIT_CASE(disk_flush),
	KUNIT_CASE(disk_profile_figures),
	{}
};

static struct kunit_suite disk_model_suite = {
	.name = "rig_disk_model",
	.test_cases = disk_model_cases,
};

kunit_test_suite(disk_model_suite);

MODULE_DESCRIPTION("KUnit tests of the simulated disk's model");
MODULE_LICENSE("GPL");
