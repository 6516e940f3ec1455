// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the mode machine: every transition, and the arithmetic at its
 * limits.
 */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "guard_test.h"

#define PERIOD		1000000000ULL

/* Batches of an effect that is clipped to 4 until the mode moves */
#define STRONG		3

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

/* A slot is one reward an arm: the mean of its units */
static void guard_batch_add_slot(struct kunit *test)
{
	struct ml_batch batch = {};

	ml_batch_add_slot(&batch, 1, 0, 100, 1);
	ml_batch_add_slot(&batch, 1, 0, -100, 3);
	ml_batch_add_slot(&batch, 1, 1, 7, ML_UNITS_MAX);
	KUNIT_EXPECT_EQ(test, batch.n[0] + batch.n[1], 0);
	ml_batch_add_slot(&batch, 2, 1, 9, 1);
	KUNIT_EXPECT_EQ(test, batch.n[0], 1);
	KUNIT_EXPECT_EQ(test, batch.n[1], 1);
	KUNIT_EXPECT_EQ(test, batch.sum[0], -50);
	KUNIT_EXPECT_EQ(test, batch.sum[1], 7);
	/* An arm that has nothing in a slot gets nothing of it */
	ml_batch_add_slot(&batch, 3, 1, 11, 2);
	KUNIT_EXPECT_EQ(test, batch.n[0], 1);
	KUNIT_EXPECT_EQ(test, batch.n[1], 2);
	KUNIT_EXPECT_EQ(test, batch.sum[1], 7 + 9);
}

/* More units than can be added up are not: the mean stays one */
static void guard_slot_limits(struct kunit *test)
{
	static const s32 limits[] = { -ML_REWARD_LIMIT, ML_REWARD_LIMIT };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		struct ml_batch batch = {
			.slot_n = { ML_SLOT_UNITS_MAX - 1 },
			.slot_sum = { limits[i] *
				      (s64)(ML_SLOT_UNITS_MAX - 1) },
		};

		for (j = 0; j < 3; j++)
			ml_batch_add_slot(&batch, 0, 0, limits[i],
					  ML_UNITS_MAX);
		KUNIT_EXPECT_EQ(test, batch.slot_n[0],
				ML_SLOT_UNITS_MAX - 1 + ML_UNITS_MAX);
		ml_batch_add_slot(&batch, 1, 1, 0, 1);
		KUNIT_EXPECT_EQ(test, batch.n[0], 1);
		KUNIT_EXPECT_EQ(test, batch.sum[0], limits[i]);
	}
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
	KUNIT_CASE(guard_batch_add_slot),
	KUNIT_CASE(guard_slot_limits),
	KUNIT_CASE(guard_extreme_rewards),
	KUNIT_CASE(guard_extreme_steps),
	KUNIT_CASE(guard_constant_rewards),
	KUNIT_CASE(guard_offset),
	KUNIT_CASE(guard_evidence_mbits),
	{}
};

static struct kunit_suite guard_suite = {
	.name = "ml_lib_guard",
	.test_cases = guard_cases,
};

kunit_test_suite(guard_suite);

MODULE_DESCRIPTION("KUnit tests of ML_LIB's mode machine");
MODULE_LICENSE("GPL");
