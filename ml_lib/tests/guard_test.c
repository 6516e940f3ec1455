// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the mode machine: every transition, the arithmetic at its
 * limits, and simulations of models that are good, useless, harmful, or change
 * from one to the other. guard_test.null_models=N simulates N useless models
 * for every distribution of the reward instead of a few.
 */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "../guard.h"

#define NOW		1000000000000ULL
#define PERIOD		1000000000ULL

/* Batches of an effect that is clipped to 4 until the mode moves */
#define STRONG		3

static unsigned int null_models = 1280;
module_param(null_models, uint, 0400);
MODULE_PARM_DESC(null_models, "useless models for each distribution");

/* A guard with a model at learning */
static void setup(struct ml_guard *guard)
{
	memset(guard, 0, sizeof(*guard));
	ml_guard_init(guard, NOW);
	ml_guard_ready(guard, true, NOW);
}

/*
 * Judge a batch of 32 rewards an arm, @base and @base + 2 by turns, @diff more
 * in treatment.
 */
static void judge_batch(struct kunit *test, struct ml_guard *guard, s32 base,
			s32 diff)
{
	struct ml_batch batch = { .trial = guard->trial, .pivot = base };
	bool ripe = false;
	int i;

	for (i = 0; i < ML_BATCH_MIN; i++) {
		KUNIT_ASSERT_FALSE(test, ripe);
		ml_batch_add(&batch, ML_ARM_CONTROL, base + 2 * (i & 1));
		ripe = ml_batch_add(&batch, ML_ARM_TREATMENT,
				    base + diff + 2 * (i & 1));
	}
	KUNIT_ASSERT_TRUE(test, ripe);
	ml_guard_judge(guard, &batch, NOW);
	KUNIT_ASSERT_EQ(test, batch.trial, guard->trial);
	KUNIT_ASSERT_EQ(test, batch.n[0] + batch.n[1], 0);
}

/* Judge equal batches until the trial is over; how many it took */
static u32 judge_trial(struct kunit *test, struct ml_guard *guard, s32 diff)
{
	u32 trial = guard->trial, batches = 0;

	while (guard->trial == trial) {
		KUNIT_ASSERT_LT(test, batches, ML_TRIAL_MAX);
		judge_batch(test, guard, 100, diff);
		batches++;
	}
	return batches;
}

static void expect_mode(struct kunit *test, const struct ml_guard *guard,
			enum ml_mode mode, enum ml_reason reason)
{
	KUNIT_EXPECT_EQ(test, guard->mode, mode);
	KUNIT_EXPECT_EQ(test, guard->reason, reason);
}

static void guard_begin(struct kunit *test)
{
	struct ml_guard guard = {};
	u32 trial;

	ml_guard_init(&guard, NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_START);
	KUNIT_EXPECT_EQ(test, guard.cap, ML_MODE_RECOMMENDATION);
	KUNIT_EXPECT_EQ(test, guard.pin, -1);
	KUNIT_EXPECT_NE(test, guard.trial, 0);

	/* Without a model nothing happens, however long it takes */
	ml_guard_tick(&guard, PERIOD, NOW + 1000 * PERIOD);
	ml_guard_new_model(&guard, NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_START);

	ml_guard_ready(&guard, true, NOW + 5);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_READY);
	KUNIT_EXPECT_EQ(test, guard.since, NOW + 5);
	KUNIT_EXPECT_EQ(test, guard.promotions, 1);
	trial = guard.trial;
	ml_guard_ready(&guard, true, NOW + 6);
	KUNIT_EXPECT_EQ(test, guard.trial, trial);

	ml_guard_ready(&guard, false, NOW + 7);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_NO_MODEL);
	KUNIT_EXPECT_EQ(test, guard.hold_until, 0);
	KUNIT_EXPECT_NE(test, guard.trial, trial);

	/* From the beginning again, but under another trial number */
	trial = guard.trial;
	ml_guard_init(&guard, NOW);
	KUNIT_EXPECT_NE(test, guard.trial, trial);
	KUNIT_EXPECT_EQ(test, guard.promotions, 0);
}

static void guard_shares(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ml_mode_share[ML_MODE_EMERGENCY], 0);
	KUNIT_EXPECT_EQ(test, ml_mode_share[ML_MODE_LEARNING], 1);
	KUNIT_EXPECT_EQ(test, ml_mode_share[ML_MODE_COLLABORATION], 8);
	KUNIT_EXPECT_EQ(test, ml_mode_share[ML_MODE_RECOMMENDATION], 15);
}

/* Up with the first batches that count, and no further than the top */
static void guard_benefit(struct kunit *test)
{
	struct ml_guard guard;
	u32 trial;

	setup(&guard);
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 100),
			ML_TRIAL_WARMUP + STRONG);
	expect_mode(test, &guard, ML_MODE_COLLABORATION, ML_REASON_BENEFIT);
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 100),
			ML_TRIAL_WARMUP + STRONG);
	expect_mode(test, &guard, ML_MODE_RECOMMENDATION, ML_REASON_BENEFIT);
	KUNIT_EXPECT_EQ(test, guard.promotions, 3);

	/* At the top benefit begins a new trial */
	trial = guard.trial;
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 100),
			ML_TRIAL_WARMUP + STRONG);
	expect_mode(test, &guard, ML_MODE_RECOMMENDATION, ML_REASON_BENEFIT);
	KUNIT_EXPECT_NE(test, guard.trial, trial);
	KUNIT_EXPECT_EQ(test, guard.promotions, 3);
	KUNIT_EXPECT_EQ(test, guard.demotions, 0);
}

/* Down by one each time, without a warm-up */
static void guard_harm(struct kunit *test)
{
	struct ml_guard guard;

	setup(&guard);
	guard.mode = ML_MODE_RECOMMENDATION;
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, -100), STRONG);
	expect_mode(test, &guard, ML_MODE_COLLABORATION, ML_REASON_HARM);
	KUNIT_EXPECT_EQ(test, guard.hold_until, 0);
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, -100), STRONG);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_HARM);
	KUNIT_EXPECT_EQ(test, guard.hold_until, 0);
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, -100), STRONG);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_HARM);
	KUNIT_EXPECT_EQ(test, guard.hold_until, NOW + ML_HOLD_NS);
	KUNIT_EXPECT_EQ(test, guard.demotions, 3);
	KUNIT_EXPECT_EQ(test, guard.emergencies, 1);
}

/* A good past does not cover a bad present */
static void guard_harm_after_benefit(struct kunit *test)
{
	struct ml_guard guard;
	u32 batches = 0;

	setup(&guard);
	guard.mode = ML_MODE_RECOMMENDATION;
	/* A benefit that is not enough for a new trial */
	while (batches++ < ML_TRIAL_WARMUP + STRONG - 1)
		judge_batch(test, &guard, 0, 100);
	KUNIT_EXPECT_GT(test, ml_evidence_mbits(guard.benefit), 8000);
	for (batches = 0; guard.mode == ML_MODE_RECOMMENDATION; batches++) {
		KUNIT_ASSERT_LT(test, batches, 100);
		judge_batch(test, &guard, 0, -100);
	}
	KUNIT_EXPECT_EQ(test, guard.reason, ML_REASON_HARM);
	/* The jump looks like noise to the second estimate, for a while */
	KUNIT_EXPECT_LE(test, batches, 20);
}

static void guard_lapse(struct kunit *test)
{
	struct ml_guard guard;
	u32 trial;

	setup(&guard);
	guard.mode = ML_MODE_RECOMMENDATION;
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 0), ML_TRIAL_MAX);
	expect_mode(test, &guard, ML_MODE_COLLABORATION, ML_REASON_LAPSED);
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 0), ML_TRIAL_MAX);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_LAPSED);
	/* Learning goes on, trial after trial */
	trial = guard.trial;
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 0), ML_TRIAL_MAX);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_LAPSED);
	KUNIT_EXPECT_NE(test, guard.trial, trial);
	KUNIT_EXPECT_EQ(test, guard.demotions, 2);
	KUNIT_EXPECT_EQ(test, guard.emergencies, 0);
}

static void guard_hold_off(struct kunit *test)
{
	static const u64 seconds[] = { 1, 2, 4, 8, 16, 32, 64, 64, 64 };
	struct ml_guard guard;
	unsigned int i;
	u64 now = NOW;

	setup(&guard);
	for (i = 0; i < ARRAY_SIZE(seconds); i++) {
		ml_guard_emergency(&guard, ML_REASON_ALARM, now);
		expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_ALARM);
		now += seconds[i] * ML_HOLD_NS;
		KUNIT_EXPECT_EQ(test, guard.hold_until, now);
		ml_guard_tick(&guard, 0, now - 1);
		expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_ALARM);
		ml_guard_tick(&guard, 0, now);
		expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_READY);
		KUNIT_EXPECT_EQ(test, guard.hold_until, 0);
	}
	KUNIT_EXPECT_EQ(test, guard.emergencies, ARRAY_SIZE(seconds));

	/* Learning alone does not shorten it, collaboration does */
	judge_trial(test, &guard, 100);
	KUNIT_ASSERT_EQ(test, guard.mode, ML_MODE_COLLABORATION);
	ml_guard_emergency(&guard, ML_REASON_ALARM, now);
	KUNIT_EXPECT_EQ(test, guard.hold_until, now + ML_HOLD_NS);

	/* An alarm in an emergency lengthens it and is what is remembered */
	setup(&guard);
	ml_guard_emergency(&guard, ML_REASON_STALE, NOW);
	ml_guard_emergency(&guard, ML_REASON_ALARM, NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_ALARM);
	KUNIT_EXPECT_EQ(test, guard.hold_until, NOW + 2 * ML_HOLD_NS);
	KUNIT_EXPECT_EQ(test, guard.emergencies, 1);
}

/* A model that goes and comes back does not escape the hold-off */
static void guard_hold_off_outlives_model(struct kunit *test)
{
	struct ml_guard guard;

	setup(&guard);
	ml_guard_emergency(&guard, ML_REASON_ALARM, NOW);
	ml_guard_ready(&guard, false, NOW + 1);
	ml_guard_ready(&guard, true, NOW + 2);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_EMERGENCY);
	ml_guard_new_model(&guard, NOW + 3);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_EMERGENCY);
	/* Not even one whose proxy was stopped and started meanwhile */
	guard.reason = ML_REASON_STOP;
	ml_guard_new_model(&guard, NOW + 4);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_EMERGENCY);
	ml_guard_tick(&guard, PERIOD, NOW + ML_HOLD_NS);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
}

static void guard_new_model(struct kunit *test)
{
	static const struct {
		enum ml_reason reason;
		bool lifted;
	} cases[] = {
		{ ML_REASON_HARM, true },
		{ ML_REASON_STALE, true },
		{ ML_REASON_ATTRITION, true },
		{ ML_REASON_ALARM, false },
		{ ML_REASON_INVALID, false },
	};
	struct ml_guard guard;
	unsigned int i;

	/* What the old one had earned is not the new one's */
	setup(&guard);
	judge_trial(test, &guard, 100);
	judge_trial(test, &guard, 100);
	ml_guard_new_model(&guard, NOW + 9);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_NEW_MODEL);
	KUNIT_EXPECT_EQ(test, guard.alive, NOW + 9);

	/* In learning neither is the evidence */
	judge_batch(test, &guard, 0, -100);
	KUNIT_EXPECT_GT(test, ml_evidence_mbits(guard.harm), 0);
	ml_guard_new_model(&guard, NOW);
	KUNIT_EXPECT_EQ(test, ml_evidence_mbits(guard.harm), 0);

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(&guard);
		ml_guard_emergency(&guard, cases[i].reason, NOW);
		ml_guard_new_model(&guard, NOW + 1);
		if (cases[i].lifted) {
			KUNIT_EXPECT_EQ(test, guard.hold_until, 0);
			expect_mode(test, &guard, ML_MODE_LEARNING,
				    ML_REASON_NEW_MODEL);
		} else {
			KUNIT_EXPECT_EQ(test, guard.hold_until,
					NOW + ML_HOLD_NS);
			expect_mode(test, &guard, ML_MODE_EMERGENCY,
				    cases[i].reason);
		}
	}

	/* An agent that says so all the time stays in learning */
	setup(&guard);
	for (i = 0; i < 100; i++) {
		judge_batch(test, &guard, 0, 100);
		ml_guard_new_model(&guard, NOW);
		KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	}
}

static void guard_cap(struct kunit *test)
{
	struct ml_guard guard;
	u32 trial;

	setup(&guard);
	judge_trial(test, &guard, 100);
	judge_trial(test, &guard, 100);
	KUNIT_ASSERT_EQ(test, guard.mode, ML_MODE_RECOMMENDATION);
	ml_guard_limit(&guard, ML_MODE_COLLABORATION, -1, NOW);
	expect_mode(test, &guard, ML_MODE_COLLABORATION, ML_REASON_USER);
	/* Evidence at the cap begins a new trial */
	trial = guard.trial;
	KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 100),
			ML_TRIAL_WARMUP + STRONG);
	expect_mode(test, &guard, ML_MODE_COLLABORATION, ML_REASON_USER);
	KUNIT_EXPECT_NE(test, guard.trial, trial);

	/* A higher cap is no promotion, but allows one */
	ml_guard_limit(&guard, ML_MODE_RECOMMENDATION, -1, NOW);
	expect_mode(test, &guard, ML_MODE_COLLABORATION, ML_REASON_USER);
	judge_trial(test, &guard, 100);
	expect_mode(test, &guard, ML_MODE_RECOMMENDATION, ML_REASON_BENEFIT);

	/* Capped to nothing: an emergency without a hold-off */
	ml_guard_limit(&guard, ML_MODE_EMERGENCY, -1, NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_USER);
	ml_guard_tick(&guard, 0, NOW + PERIOD);
	ml_guard_new_model(&guard, NOW + PERIOD);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_EMERGENCY);
	ml_guard_limit(&guard, ML_MODE_LEARNING, -1, NOW);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_READY);
	judge_trial(test, &guard, 100);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
}

static void guard_pin(struct kunit *test)
{
	struct ml_guard guard;
	int pin;

	for (pin = ML_MODE_EMERGENCY; pin < ML_NR_MODES; pin++) {
		setup(&guard);
		ml_guard_limit(&guard, ML_MODE_RECOMMENDATION, pin, NOW);
		KUNIT_EXPECT_EQ(test, guard.mode, pin);
		if (pin == ML_MODE_EMERGENCY)
			continue;
		/* Evidence of any sort begins a new trial and that is all */
		KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 100),
				ML_TRIAL_WARMUP + STRONG);
		KUNIT_EXPECT_EQ(test, guard.mode, pin);
		KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, -100), STRONG);
		KUNIT_EXPECT_EQ(test, guard.mode, pin);
		KUNIT_EXPECT_EQ(test, judge_trial(test, &guard, 0),
				ML_TRIAL_MAX);
		KUNIT_EXPECT_EQ(test, guard.mode, pin);
		ml_guard_new_model(&guard, NOW);
		KUNIT_EXPECT_EQ(test, guard.mode, pin);

		/* An emergency is stronger; then the pin holds again */
		ml_guard_emergency(&guard, ML_REASON_ALARM, NOW);
		expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_ALARM);
		ml_guard_limit(&guard, ML_MODE_RECOMMENDATION, pin, NOW);
		ml_guard_new_model(&guard, NOW);
		expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_ALARM);
		ml_guard_tick(&guard, 0, guard.hold_until);
		expect_mode(test, &guard, pin, ML_REASON_READY);

		/* What was given is not kept */
		ml_guard_limit(&guard, ML_MODE_RECOMMENDATION, -1, NOW);
		KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	}

	/* The cap is above the pin, and both wait for a model */
	setup(&guard);
	ml_guard_limit(&guard, ML_MODE_LEARNING, ML_MODE_RECOMMENDATION, NOW);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	ml_guard_init(&guard, NOW);
	ml_guard_limit(&guard, ML_MODE_RECOMMENDATION, ML_MODE_COLLABORATION,
		       NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_START);
	ml_guard_ready(&guard, true, NOW);
	expect_mode(test, &guard, ML_MODE_COLLABORATION, ML_REASON_READY);
	ml_guard_limit(&guard, ML_MODE_RECOMMENDATION, ML_MODE_RECOMMENDATION,
		       NOW);
	expect_mode(test, &guard, ML_MODE_RECOMMENDATION, ML_REASON_USER);
}

static void guard_watchdog(struct kunit *test)
{
	struct ml_guard guard;
	u64 now = NOW;

	setup(&guard);
	ml_guard_tick(&guard, PERIOD, now + PERIOD);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_READY);
	now += PERIOD + 1;
	ml_guard_tick(&guard, PERIOD, now);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_STALE);
	KUNIT_EXPECT_EQ(test, guard.hold_until, now + ML_HOLD_NS);

	/* As long as it is silent the end of the hold-off changes nothing */
	now += 100 * PERIOD;
	ml_guard_tick(&guard, PERIOD, now);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_STALE);
	guard.alive = now;
	ml_guard_tick(&guard, PERIOD, now + 1);
	expect_mode(test, &guard, ML_MODE_LEARNING, ML_REASON_READY);
	KUNIT_EXPECT_EQ(test, guard.emergencies, 1);

	/* A life sign within the hold-off does not shorten it */
	guard.alive = NOW;
	ml_guard_tick(&guard, PERIOD, now);
	guard.alive = now + 1;
	ml_guard_tick(&guard, PERIOD, now + 2 * ML_HOLD_NS - 1);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_EMERGENCY);

	/* No watchdog for a model in the kernel */
	setup(&guard);
	ml_guard_tick(&guard, 0, NOW + 1000 * PERIOD);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
}

static void guard_invalid_flood(struct kunit *test)
{
	struct ml_guard guard;

	setup(&guard);
	ml_guard_invalid(&guard, ML_INVALID_MAX, PERIOD, NOW);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	ml_guard_invalid(&guard, 1, PERIOD, NOW + PERIOD);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_INVALID);
	KUNIT_EXPECT_EQ(test, guard.hold_until, NOW + PERIOD + ML_HOLD_NS);

	/* In an emergency a flood does not begin another one */
	ml_guard_invalid(&guard, U32_MAX, PERIOD, NOW + PERIOD);
	ml_guard_invalid(&guard, U32_MAX, PERIOD, NOW + PERIOD);
	KUNIT_EXPECT_EQ(test, guard.emergencies, 1);
	KUNIT_EXPECT_EQ(test, guard.hold_until, NOW + PERIOD + ML_HOLD_NS);
	KUNIT_EXPECT_EQ(test, guard.invalid, U32_MAX);

	/* The count begins anew with every period */
	setup(&guard);
	ml_guard_invalid(&guard, ML_INVALID_MAX, PERIOD, NOW);
	ml_guard_invalid(&guard, ML_INVALID_MAX, PERIOD, NOW + PERIOD + 1);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	ml_guard_invalid(&guard, ML_INVALID_MAX, PERIOD, NOW + 3 * PERIOD);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	ml_guard_invalid(&guard, ML_INVALID_MAX, PERIOD, NOW + 4 * PERIOD);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_INVALID);

	/* As many as a number can say do not wrap */
	setup(&guard);
	ml_guard_invalid(&guard, 1, PERIOD, NOW);
	ml_guard_invalid(&guard, U32_MAX, PERIOD, NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_INVALID);
}

static void fill(struct ml_batch *batch, unsigned int arm, u32 n, s32 reward)
{
	while (n--)
		ml_batch_add(batch, arm, reward);
}

/* An arm of which nothing is heard, though as much as enough was decided */
static void guard_attrition(struct kunit *test)
{
	struct ml_guard guard;
	struct ml_tally tally;
	unsigned int arm;

	for (arm = 0; arm < ML_NR_ARMS; arm++) {
		setup(&guard);
		tally = (struct ml_tally) {};
		tally.asked[arm] = ML_ATTRITION_ASKED - 1;
		tally.asked[!arm] = ML_ATTRITION_TOLD;
		tally.told[!arm] = ML_ATTRITION_TOLD;
		/* Too few were asked to say so, or too few of the others told */
		ml_guard_attrition(&guard, &tally, NOW);
		tally.asked[arm]++;
		tally.told[!arm]--;
		ml_guard_attrition(&guard, &tally, NOW);
		KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
		tally.told[!arm]++;
		ml_guard_attrition(&guard, &tally, NOW);
		expect_mode(test, &guard, ML_MODE_EMERGENCY,
			    ML_REASON_ATTRITION);
		KUNIT_EXPECT_EQ(test, guard.hold_until, NOW + ML_HOLD_NS);
		/* Once is enough: the hold-off does not grow in an emergency */
		ml_guard_attrition(&guard, &tally, NOW + 1);
		KUNIT_EXPECT_EQ(test, guard.hold_until, NOW + ML_HOLD_NS);
	}

	/* 16 times as seldom is allowed, more is not; counts may be huge */
	setup(&guard);
	tally = (struct ml_tally) {
		.asked = { 1ULL << 14, 1ULL << 14 },
		.told = { 1ULL << 14, 1ULL << 10 },
	};
	ml_guard_attrition(&guard, &tally, NOW);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	tally.told[ML_ARM_TREATMENT]--;
	ml_guard_attrition(&guard, &tally, NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_ATTRITION);
	setup(&guard);
	tally = (struct ml_tally) {
		.asked = { U64_MAX, U64_MAX },
		.told = { U64_MAX, U64_MAX },
	};
	ml_guard_attrition(&guard, &tally, NOW);
	KUNIT_EXPECT_EQ(test, guard.mode, ML_MODE_LEARNING);
	tally.told[ML_ARM_CONTROL] = 0;
	ml_guard_attrition(&guard, &tally, NOW);
	expect_mode(test, &guard, ML_MODE_EMERGENCY, ML_REASON_ATTRITION);
}

/* A batch that is not ripe yet is left alone, one of another trial emptied */
static void guard_stale_batch(struct kunit *test)
{
	struct ml_batch batch = {}, copy;
	struct ml_guard guard, before;

	setup(&guard);
	batch.trial = guard.trial;
	fill(&batch, ML_ARM_CONTROL, ML_BATCH_MIN, 7);
	fill(&batch, ML_ARM_TREATMENT, ML_BATCH_MIN - 1, 7);
	copy = batch;
	before = guard;
	ml_guard_judge(&guard, &batch, NOW);
	KUNIT_EXPECT_MEMEQ(test, &batch, &copy, sizeof(batch));
	KUNIT_EXPECT_MEMEQ(test, &guard, &before, sizeof(guard));

	fill(&batch, ML_ARM_TREATMENT, ML_BATCH_MIN, 1000);
	batch.trial = guard.trial - 1;
	ml_guard_judge(&guard, &batch, NOW);
	KUNIT_EXPECT_MEMEQ(test, &guard, &before, sizeof(guard));
	KUNIT_EXPECT_EQ(test, batch.trial, guard.trial);
	KUNIT_EXPECT_EQ(test, batch.n[0] + batch.n[1], 0);
	KUNIT_EXPECT_EQ(test, batch.sum[0] + batch.sum[1], 0);

	/* In an emergency there is nothing to judge */
	ml_guard_emergency(&guard, ML_REASON_ALARM, NOW);
	batch.trial = guard.trial;
	fill(&batch, ML_ARM_CONTROL, ML_BATCH_MIN, 7);
	fill(&batch, ML_ARM_TREATMENT, ML_BATCH_MIN, 1000);
	before = guard;
	ml_guard_judge(&guard, &batch, NOW);
	KUNIT_EXPECT_MEMEQ(test, &guard, &before, sizeof(guard));
	KUNIT_EXPECT_EQ(test, batch.n[0] + batch.n[1], 0);
}

static void guard_trial_never_0(struct kunit *test)
{
	struct ml_guard guard;

	setup(&guard);
	guard.trial = U32_MAX;
	ml_guard_new_model(&guard, NOW);
	KUNIT_EXPECT_EQ(test, guard.trial, 1);
	guard.trial = U32_MAX;
	ml_guard_init(&guard, NOW);
	KUNIT_EXPECT_EQ(test, guard.trial, 1);
}

static void guard_batch_add(struct kunit *test)
{
	struct ml_batch batch = { .pivot = -ML_REWARD_LIMIT };
	u32 i;

	for (i = 0; i < 2 * ML_BATCH_MAX; i++)
		KUNIT_ASSERT_FALSE(test,
				   ml_batch_add(&batch, 1, ML_REWARD_LIMIT));
	KUNIT_EXPECT_EQ(test, batch.n[1], ML_BATCH_MAX);
	KUNIT_EXPECT_EQ(test, batch.sum[1], 1LL << (13 + 21));
	KUNIT_EXPECT_EQ(test, batch.sumsq[1], 1ULL << (13 + 42));
	/* Ripe as soon as the other arm has its minimum, not before */
	for (i = 0; i < ML_BATCH_MIN; i++)
		KUNIT_ASSERT_EQ(test, i + 1 == ML_BATCH_MIN,
				ml_batch_add(&batch, 0, -ML_REWARD_LIMIT));
}

/* Judge @n rewards an arm, each of one value; the slope-1 evidence of harm */
static s64 judge_constant(struct ml_guard *guard, s32 pivot, u32 n,
			  s32 control, s32 treatment)
{
	struct ml_batch batch = { .pivot = pivot };

	setup(guard);
	batch.trial = guard->trial;
	fill(&batch, ML_ARM_CONTROL, n, control);
	fill(&batch, ML_ARM_TREATMENT, n, treatment);
	ml_guard_judge(guard, &batch, NOW);
	return guard->harm[0];
}

/*
 * Rewards and pivots at the limits of their range, batches as small and as
 * large as can be: what is far worse must be seen as far worse.
 */
static void guard_extreme_rewards(struct kunit *test)
{
	static const s32 limits[] = { -ML_REWARD_LIMIT, 0, ML_REWARD_LIMIT };
	static const u32 sizes[] = { ML_BATCH_MIN, 1000, ML_BATCH_MAX };
	/* x is -4 for certain: 4 - 1/2 */
	const s64 most = 7 << 15;
	unsigned int p, n, d;
	struct ml_guard guard;

	for (p = 0; p < ARRAY_SIZE(limits); p++) {
		for (n = 0; n < ARRAY_SIZE(sizes); n++) {
			for (d = 0; d <= 20; d++) {
				s32 high = ML_REWARD_LIMIT;
				s32 low = high - (1 << d);

				KUNIT_EXPECT_EQ_MSG(test, most,
						    judge_constant(&guard,
								   limits[p],
								   sizes[n],
								   high, low),
						    "pivot %d, n %u, 2^%u",
						    limits[p], sizes[n], d);
				KUNIT_EXPECT_EQ(test, 0,
						judge_constant(&guard,
							       limits[p],
							       sizes[n],
							       low, high));
				KUNIT_EXPECT_EQ(test, most,
						judge_constant(&guard,
							       limits[p],
							       sizes[n],
							       -low, -high));
			}
			/* Treatment cannot be worse, control not better */
			KUNIT_EXPECT_EQ(test, most,
					judge_constant(&guard, limits[p],
						       sizes[n],
						       ML_REWARD_LIMIT,
						       -ML_REWARD_LIMIT));
			KUNIT_EXPECT_EQ(test, guard.diff,
					-2 * 256LL * ML_REWARD_LIMIT);
		}
	}
}

/* From one extreme to the other, batch by batch: the steps' squares fit too */
static void guard_extreme_steps(struct kunit *test)
{
	struct ml_batch batch;
	struct ml_guard guard;
	unsigned int i;

	setup(&guard);
	for (i = 0; i < ML_TRIAL_MAX - 1; i++) {
		s32 reward = i & 1 ? ML_REWARD_LIMIT : -ML_REWARD_LIMIT;

		batch = (struct ml_batch) {
			.trial = guard.trial,
			.pivot = reward,
		};
		fill(&batch, ML_ARM_CONTROL, ML_BATCH_MIN, reward);
		fill(&batch, ML_ARM_TREATMENT, ML_BATCH_MIN, -reward);
		ml_guard_judge(&guard, &batch, NOW);
		/* Half the square of 2^22 rewards, 16 fraction bits */
		if (i)
			KUNIT_ASSERT_EQ(test, guard.drift_var, 1ULL << 59);
		KUNIT_ASSERT_EQ(test, guard.mode, ML_MODE_LEARNING);
	}
	KUNIT_EXPECT_EQ(test, guard.batches, ML_TRIAL_MAX - 1);
	/* What scales the evidence is the larger of the two estimates */
	KUNIT_EXPECT_EQ(test, guard.noise, int_sqrt64(1ULL << 59));
}

/* Without any variance there is nothing to divide by, and nothing to see */
static void guard_constant_rewards(struct kunit *test)
{
	static const s32 rewards[] = { 0, 1, -1, ML_REWARD_LIMIT,
				       -ML_REWARD_LIMIT };
	struct ml_guard guard;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rewards); i++) {
		KUNIT_EXPECT_EQ(test, 0,
				judge_constant(&guard, 0, ML_BATCH_MIN,
					       rewards[i], rewards[i]));
		KUNIT_EXPECT_EQ(test, guard.diff, 0);
		KUNIT_EXPECT_EQ(test, guard.batches, 1);
	}
}

/* The evidence does not depend on where zero is, nor on the pivot */
static void guard_offset(struct kunit *test)
{
	static const s32 offsets[] = { 0, 1, 1000, ML_REWARD_LIMIT - 16,
				       -ML_REWARD_LIMIT };
	static const s32 pivots[] = { 0, ML_REWARD_LIMIT, -ML_REWARD_LIMIT };
	struct ml_guard guard, first;
	unsigned int o, p, i, n;

	for (o = 0; o < ARRAY_SIZE(offsets); o++) {
		for (p = 0; p < ARRAY_SIZE(pivots); p++) {
			setup(&guard);
			for (n = 0; n < 20; n++) {
				struct ml_batch batch = {
					.trial = guard.trial,
					.pivot = pivots[p],
				};

				for (i = 0; i < ML_BATCH_MIN; i++) {
					s32 x = offsets[o] + (i * 7 + n) % 15;

					ml_batch_add(&batch, 0, x + (i & 1));
					ml_batch_add(&batch, 1, x);
				}
				ml_guard_judge(&guard, &batch, NOW);
			}
			KUNIT_ASSERT_EQ(test, guard.batches, 20);
			if (!o && !p)
				first = guard;
			/* The last bit of x may differ, once a batch */
			KUNIT_EXPECT_LE(test, abs(guard.harm[3] - first.harm[3]),
					20 * 32);
		}
	}
	KUNIT_EXPECT_GT(test, first.harm[3], 20000);
}

static void guard_evidence_mbits(struct kunit *test)
{
	s64 evidence[ML_GUARD_LINES] = { 0, -5, ML_EVIDENCE_LIMIT, 7 };

	KUNIT_EXPECT_EQ(test, ml_evidence_mbits(evidence), 12000);
	evidence[2] = -45426;
	KUNIT_EXPECT_EQ(test, ml_evidence_mbits(evidence), 0);
	evidence[0] = -45426;
	evidence[1] = -45426;
	evidence[3] = -2 * 45426;
	KUNIT_EXPECT_EQ(test, ml_evidence_mbits(evidence), -1000);
	evidence[0] = 1LL << 40;
	KUNIT_EXPECT_EQ(test, ml_evidence_mbits(evidence), 1000000);
}

/*
 * Simulations. A decision is made as decide.c makes it: the arm from the upper
 * bits of a hash of its number, with the mode's share; the reward from the
 * lower ones, the model's effect more in treatment.
 */

enum dist {
	UNIFORM,
	SUM_OF_4,	/* of uniforms, nearly normal */
	SKEWED,		/* nearly exponential */
	SKEWED_DOWN,
	RARE,		/* something else than 0 once in 64 decisions */
	TWO_VALUED,
	PHASES,		/* levels that hold for 200 to 1200 decisions */
	CLUSTERS,	/* slots of 8 decisions with one arm and one level */
	NR_DISTS
};

/* Standard deviations in the unit of the rewards, for effects */
static const struct {
	const char *name;
	s32 deviation;
} dists[NR_DISTS] = {
	[UNIFORM] = { "uniform", 1182 },
	[SUM_OF_4] = { "sum of 4", 591 },
	[SKEWED] = { "skewed up", 1478 },
	[SKEWED_DOWN] = { "skewed down", 1478 },
	[RARE] = { "rare events", 508 },
	[TWO_VALUED] = { "two-valued", 1000 },
	[PHASES] = { "phases", 4738 },
	[CLUSTERS] = { "clusters of 8", 1219 },
};

struct sim {
	struct ml_guard guard;
	struct ml_batch batch;
	enum dist dist;
	s32 effect;
	u64 seed;
	u64 id;		/* of the last decision */
	u64 count;	/* of the decisions */
	s32 level;	/* of the phase or cluster */
	u32 left;	/* decisions that it goes on */
	unsigned int arm;	/* of the cluster */
	u64 slot;	/* number of the phase or cluster */
};

/* As in decide.c: the arms */
static u64 mix_arm(u64 x)
{
	x *= 0xbf58476d1ce4e5b9ULL;
	return (x ^ (x >> 32)) * 0x94d049bb133111ebULL;
}

/* Another one, splitmix64's, for the rewards */
static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The mean is of no interest */
static s32 draw_reward(struct sim *sim, u64 draw)
{
	u32 r = draw, k;

	switch (sim->dist) {
	case UNIFORM:
		return r & 0xfff;
	case SUM_OF_4:
		return (draw & 0x3ff) + (draw >> 10 & 0x3ff) +
		       (draw >> 20 & 0x3ff) + (draw >> 30 & 0x3ff);
	case SKEWED:
	case SKEWED_DOWN:
		/* -log2 of a fraction, linear between the powers of 2 */
		r |= 1;
		k = __builtin_clz(r);
		k = (k << 10) + 2048 - ((r << k) >> 21);
		return sim->dist == SKEWED ? k : -(s32)k;
	case RARE:
		return draw & 63 ? 0 : 4096;
	case TWO_VALUED:
		return draw & 1 ? 2000 : 0;
	case PHASES:
	case CLUSTERS:
		return sim->level + (s32)(draw & 0x3ff);
	default:
		return 0;
	}
}

static void next_stretch(struct sim *sim)
{
	u64 draw = mix(~sim->seed ^ sim->id);

	sim->slot++;
	if (sim->dist == PHASES) {
		sim->left = 199 + (draw & 1023);
		sim->level = draw >> 20 & 0x3fff;
	} else {
		sim->left = 7;
		sim->level = draw >> 20 & 0xfff;
		sim->arm = mix_arm(~sim->seed + sim->id) >> 60 <
			   ml_mode_share[sim->guard.mode];
	}
}

static void sim_start(struct sim *sim, enum dist dist, u64 seed)
{
	memset(sim, 0, sizeof(*sim));
	sim->dist = dist;
	sim->seed = mix(seed);
	setup(&sim->guard);
}

static __always_inline void sim_step(struct sim *sim)
{
	struct ml_batch *batch = &sim->batch;
	unsigned int arm;
	s32 reward;
	bool ripe;
	u64 draw;

	sim->id += 1 << 16;
	sim->count++;
	draw = mix(sim->seed ^ sim->id);
	arm = mix_arm(sim->seed + sim->id) >> 60 <
	      ml_mode_share[sim->guard.mode];
	if (sim->dist >= PHASES && !sim->left--)
		next_stretch(sim);
	if (sim->dist == CLUSTERS)
		arm = sim->arm;
	reward = draw_reward(sim, draw) + (arm ? sim->effect : 0);
	if (batch->trial != sim->guard.trial)
		*batch = (struct ml_batch) {
			.trial = sim->guard.trial,
			.pivot = reward,
		};
	if (sim->dist == CLUSTERS)
		ripe = ml_batch_add_slot(batch, sim->slot, arm, reward);
	else
		ripe = ml_batch_add(batch, arm, reward);
	if (ripe)
		ml_guard_judge(&sim->guard, batch, NOW);
}

/* Decide until the mode is another one; false if @most were not enough */
static bool sim_run(struct sim *sim, u64 most)
{
	enum ml_mode mode = sim->guard.mode;
	u64 end = sim->count + most;

	while (sim->guard.mode == mode && sim->count < end)
		sim_step(sim);
	cond_resched();
	return sim->guard.mode != mode;
}

/* In percent of a standard deviation */
static s32 effect_of(enum dist dist, int percent)
{
	return dists[dist].deviation * percent / 100;
}

#define NR_RUNS		41

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void tell(struct kunit *test, const char *what, enum dist dist,
		 int percent, u64 *runs)
{
	sort(runs, NR_RUNS, sizeof(*runs), compare, NULL);
	kunit_info(test,
		   "%s, %s, effect %d/100 sd: decisions: least %llu, median %llu, most %llu",
		   what, dists[dist].name, percent, runs[0],
		   runs[NR_RUNS / 2], runs[NR_RUNS - 1]);
}

/* From learning to recommendation, and never down on the way */
static void climb(struct kunit *test, enum dist dist, int percent, u64 most)
{
	u64 runs[NR_RUNS];
	struct sim sim;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, dist, 1000 + i);
		sim.effect = effect_of(dist, percent);
		while (sim.guard.mode < ML_MODE_RECOMMENDATION &&
		       sim.guard.mode > ML_MODE_EMERGENCY && sim.count < most)
			sim_run(&sim, most - sim.count);
		KUNIT_ASSERT_EQ_MSG(test, sim.guard.mode,
				    ML_MODE_RECOMMENDATION, "run %d", i);
		runs[i] = sim.count;
	}
	tell(test, "to recommendation", dist, percent, runs);
}

static void guard_sim_good(struct kunit *test)
{
	climb(test, UNIFORM, 10, 150000);
	climb(test, UNIFORM, 25, 40000);
	climb(test, UNIFORM, 100, 12000);
	climb(test, SKEWED, 25, 40000);
	climb(test, RARE, 25, 40000);
	climb(test, TWO_VALUED, 25, 40000);
	climb(test, CLUSTERS, 25, 300000);
}

/* From @mode to emergency */
static void fall(struct kunit *test, enum ml_mode mode, enum dist dist,
		 int percent, u64 most)
{
	u64 runs[NR_RUNS];
	struct sim sim;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, dist, 2000 + i);
		sim.guard.mode = mode;
		sim.effect = effect_of(dist, percent);
		while (sim.guard.mode > ML_MODE_EMERGENCY && sim.count < most)
			sim_run(&sim, most - sim.count);
		KUNIT_EXPECT_EQ_MSG(test, sim.guard.mode, ML_MODE_EMERGENCY,
				    "run %d", i);
		KUNIT_EXPECT_EQ(test, sim.guard.reason, ML_REASON_HARM);
		runs[i] = sim.count;
	}
	tell(test, mode == ML_MODE_LEARNING ? "out from learning" :
	     "out from recommendation", dist, percent, runs);
}

static void guard_sim_harmful(struct kunit *test)
{
	fall(test, ML_MODE_LEARNING, UNIFORM, -25, 15000);
	fall(test, ML_MODE_LEARNING, UNIFORM, -100, 2500);
	fall(test, ML_MODE_LEARNING, UNIFORM, -400, 2500);
	fall(test, ML_MODE_RECOMMENDATION, UNIFORM, -25, 30000);
	fall(test, ML_MODE_RECOMMENDATION, UNIFORM, -100, 5000);
	fall(test, ML_MODE_RECOMMENDATION, UNIFORM, -400, 5000);
	fall(test, ML_MODE_RECOMMENDATION, SKEWED, -100, 5000);
	fall(test, ML_MODE_RECOMMENDATION, RARE, -100, 5000);
}

/*
 * The least k for which more than k of @n trials, each successful with
 * probability 1/1024, are less probable than 1e-6: 9 of 1280 (1.25 are
 * expected), 28 of 10000 (9.8 are expected). 60 fraction bits.
 */
static u32 binomial_limit(u32 n)
{
	u64 p = 1ULL << 60, below;
	u32 k;

	for (k = 0; k < n; k++)
		p -= p >> 10;
	below = p;
	for (k = 0; k < n && (1ULL << 60) - below > (1ULL << 60) / 1000000;) {
		k++;
		p = div64_u64(p, 1023ULL * k) * (n - k + 1);
		below += p;
	}
	return k;
}

static void guard_sim_limit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, binomial_limit(1280), 9);
	KUNIT_EXPECT_EQ(test, binomial_limit(10000), 28);
}

/*
 * Models whose actions make no difference, one whole trial each: those that
 * rise must not be more than the promised 1/1024. In learning, where the arms
 * differ most in size; with clusters, which take 8 times as many decisions, in
 * collaboration.
 */
static void guard_sim_useless(struct kunit *test)
{
	enum dist dist = *(const enum dist *)test->param_value;
	enum ml_mode mode = dist == CLUSTERS ? ML_MODE_COLLABORATION :
					       ML_MODE_LEARNING;
	u32 limit, judged = 0, up = 0, harm = 0, i;
	u64 count = 0, batches = 0;
	struct sim *sim;

	sim = kunit_kzalloc(test, sizeof(*sim), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sim);
	null_models = clamp(null_models, 100U, 20000U);
	limit = binomial_limit(null_models);
	for (i = 0; i < null_models; i++) {
		u32 trial;

		sim_start(sim, dist, (u64)dist << 32 | i);
		sim->guard.mode = mode;
		trial = sim->guard.trial;
		while (sim->guard.trial == trial) {
			judged = sim->guard.batches;
			sim_step(sim);
		}
		batches += judged + 1;
		up += sim->guard.mode > mode;
		harm += sim->guard.reason == ML_REASON_HARM;
		count += sim->count;
		KUNIT_EXPECT_NE(test, sim->guard.reason, ML_REASON_ATTRITION);
		cond_resched();
	}
	kunit_info(test,
		   "%s: %u of %u useless models promoted, %u allowed; %u in %llu batches taken for harmful; %llu decisions",
		   dists[dist].name, up, null_models, limit, harm, batches,
		   count);
	KUNIT_EXPECT_LE(test, up, limit);
	/* One in 1024 batches, and as far off as chance can be: 5 sigma */
	KUNIT_EXPECT_LE(test, harm, div_u64(batches, 1024) +
			5 * int_sqrt64(div_u64(batches, 1024)));
	/* A test that cannot promote anybody would pass as well */
	KUNIT_EXPECT_GT(test, count, (u64)null_models * 10000);
}

static const enum dist dist_params[NR_DISTS] = {
	UNIFORM, SUM_OF_4, SKEWED, SKEWED_DOWN, RARE, TWO_VALUED, PHASES,
	CLUSTERS,
};

static void dist_name(const enum dist *dist, char *name)
{
	strscpy(name, dists[*dist].name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(dist, dist_params, dist_name);

/* Climb as far as it goes; the decisions it took */
static u64 to_the_top(struct kunit *test, struct sim *sim)
{
	u64 from = sim->count;

	while (sim->guard.mode < ML_MODE_RECOMMENDATION)
		KUNIT_ASSERT_TRUE(test, sim_run(sim, 100000));
	return sim->count - from;
}

/* A good model turns bad, is thrown out, and its successor climbs again */
static void guard_sim_drift(struct kunit *test)
{
	u64 up[NR_RUNS], down[NR_RUNS], again[NR_RUNS];
	struct sim sim;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, SUM_OF_4, 3000 + i);
		sim.effect = effect_of(SUM_OF_4, 50);
		up[i] = to_the_top(test, &sim);
		/* It has done well for a while */
		while (sim.guard.batches < 100 &&
		       sim.guard.mode == ML_MODE_RECOMMENDATION &&
		       sim.count < up[i] + 20000)
			sim_step(&sim);
		KUNIT_ASSERT_EQ(test, sim.guard.mode, ML_MODE_RECOMMENDATION);

		down[i] = sim.count;
		sim.effect = effect_of(SUM_OF_4, -50);
		while (sim.guard.mode != ML_MODE_EMERGENCY) {
			KUNIT_ASSERT_TRUE(test, sim_run(&sim, 50000));
			KUNIT_EXPECT_EQ(test, sim.guard.reason,
					ML_REASON_HARM);
		}
		down[i] = sim.count - down[i];

		sim.effect = effect_of(SUM_OF_4, 50);
		ml_guard_new_model(&sim.guard, NOW);
		KUNIT_ASSERT_EQ(test, sim.guard.mode, ML_MODE_LEARNING);
		again[i] = to_the_top(test, &sim);
	}
	tell(test, "up at first", SUM_OF_4, 50, up);
	tell(test, "turned bad, out", SUM_OF_4, -50, down);
	tell(test, "its successor up", SUM_OF_4, 50, again);
}

/* A good model turns useless: it lapses to learning and stays there */
static void guard_sim_fade(struct kunit *test)
{
	u64 runs[NR_RUNS];
	struct sim sim;
	u32 harm = 0;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, UNIFORM, 4000 + i);
		sim.effect = effect_of(UNIFORM, 50);
		to_the_top(test, &sim);
		runs[i] = sim.count;
		sim.effect = 0;
		while (sim.guard.mode > ML_MODE_LEARNING) {
			KUNIT_ASSERT_TRUE(test, sim_run(&sim, 2000000));
			if (sim.guard.reason == ML_REASON_HARM)
				harm++;
			else
				KUNIT_EXPECT_EQ(test, sim.guard.reason,
						ML_REASON_LAPSED);
		}
		runs[i] = sim.count - runs[i];
	}
	tell(test, "turned useless, at learning", UNIFORM, 0, runs);
	/* Two times 512 batches a run, of which one in 1024 may look like harm */
	kunit_info(test, "%u of %u steps down were for harm", harm,
		   2 * NR_RUNS);
	KUNIT_EXPECT_LE(test, harm, NR_RUNS);
}

/*
 * Rewards that come late, or seldom, in both arms alike are no attrition. The
 * delay is a number of decisions; one in @one_in gets a reward at all.
 */
#define DELAY		30000

static void late(struct kunit *test, struct sim *sim, u8 *arms, u32 one_in)
{
	u32 i, told = 0, tallied = 0;
	struct ml_tally tally = {};

	for (i = 0; i < 40 * DELAY; i++) {
		u64 draw = mix(sim->seed ^ i);
		unsigned int arm = draw >> 60 <
				   ml_mode_share[sim->guard.mode];
		unsigned int old = arms[i % DELAY];

		if (sim->batch.trial != sim->guard.trial)
			sim->batch = (struct ml_batch) {
				.trial = sim->guard.trial,
			};
		if (tallied != sim->guard.trial) {
			tallied = sim->guard.trial;
			tally = (struct ml_tally) {};
		}
		tally.asked[arm]++;
		arms[i % DELAY] = arm;
		if (i < DELAY || (draw & 0xffff) % one_in)
			continue;
		told++;
		tally.told[old]++;
		ml_guard_attrition(&sim->guard, &tally, NOW);
		if (ml_batch_add(&sim->batch, old, draw >> 20 & 0xff))
			ml_guard_judge(&sim->guard, &sim->batch, NOW);
	}
	KUNIT_EXPECT_GT(test, told, 39 * DELAY / one_in / 2);
	KUNIT_EXPECT_EQ(test, sim->guard.emergencies, 0);
}

static void guard_sim_late(struct kunit *test)
{
	static const u32 one_in[] = { 1, 16, 100, 1000 };
	unsigned int i, mode;
	struct sim sim;
	u8 *arms;

	arms = kunit_kmalloc(test, DELAY, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, arms);
	for (mode = ML_MODE_LEARNING; mode < ML_NR_MODES; mode++) {
		for (i = 0; i < ARRAY_SIZE(one_in); i++) {
			sim_start(&sim, UNIFORM, 5000 + i);
			ml_guard_limit(&sim.guard, mode, mode, NOW);
			late(test, &sim, arms, one_in[i]);
		}
	}
}

/* Of the treated decisions nothing is heard any more: out */
static void guard_sim_attrition(struct kunit *test)
{
	unsigned int mode;

	for (mode = ML_MODE_LEARNING; mode < ML_NR_MODES; mode++) {
		struct ml_tally tally = {};
		struct sim sim;
		u32 i;

		sim_start(&sim, UNIFORM, 6000 + mode);
		sim.guard.mode = mode;
		sim.batch.trial = sim.guard.trial;
		for (i = 0; i < 200000 && sim.guard.mode == mode; i++) {
			u64 draw = mix(sim.seed ^ i);
			unsigned int arm = draw >> 60 < ml_mode_share[mode];

			tally.asked[arm]++;
			tally.told[arm] += arm == ML_ARM_CONTROL;
			ml_guard_attrition(&sim.guard, &tally, NOW);
		}
		expect_mode(test, &sim.guard, ML_MODE_EMERGENCY,
			    ML_REASON_ATTRITION);
		kunit_info(test,
			   "nothing heard of treatment in mode %u: out after %u decisions",
			   mode, i);
	}
}

static struct kunit_case guard_cases[] = {
	KUNIT_CASE(guard_begin),
	KUNIT_CASE(guard_shares),
	KUNIT_CASE(guard_benefit),
	KUNIT_CASE(guard_harm),
	KUNIT_CASE(guard_harm_after_benefit),
	KUNIT_CASE(guard_lapse),
	KUNIT_CASE(guard_hold_off),
	KUNIT_CASE(guard_hold_off_outlives_model),
	KUNIT_CASE(guard_new_model),
	KUNIT_CASE(guard_cap),
	KUNIT_CASE(guard_pin),
	KUNIT_CASE(guard_watchdog),
	KUNIT_CASE(guard_invalid_flood),
	KUNIT_CASE(guard_attrition),
	KUNIT_CASE(guard_stale_batch),
	KUNIT_CASE(guard_trial_never_0),
	KUNIT_CASE(guard_batch_add),
	KUNIT_CASE(guard_extreme_rewards),
	KUNIT_CASE(guard_extreme_steps),
	KUNIT_CASE(guard_constant_rewards),
	KUNIT_CASE(guard_offset),
	KUNIT_CASE(guard_evidence_mbits),
	KUNIT_CASE(guard_sim_good),
	KUNIT_CASE(guard_sim_harmful),
	KUNIT_CASE(guard_sim_limit),
	KUNIT_CASE_PARAM_ATTR(guard_sim_useless, dist_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(guard_sim_drift),
	KUNIT_CASE(guard_sim_fade),
	KUNIT_CASE(guard_sim_late),
	KUNIT_CASE(guard_sim_attrition),
	{}
};

static struct kunit_suite guard_suite = {
	.name = "ml_lib_guard",
	.test_cases = guard_cases,
};

kunit_test_suite(guard_suite);

MODULE_DESCRIPTION("KUnit tests of ML_LIB's mode machine");
MODULE_LICENSE("GPL");
