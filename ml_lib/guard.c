// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mode machine: a model decides only as often as the evidence allows.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "guard.h"

/**
 * DOC: The guard
 *
 * A mode sets which share of the decisions is treated, i.e. takes the model's
 * action: emergency none, learning 1/16, collaboration 1/2, recommendation
 * 15/16. The others are the control arm and take the stock action. Which
 * decision falls into which arm is drawn by a hash, so the two differ in
 * nothing but the action, and the difference of their mean rewards is what
 * the model is worth.
 *
 * *Batches.* Each CPU collects rewards until both arms have 32. The difference
 * of the two means is divided by its standard deviation under the assumption
 * that the arms do not differ, clipped to +-4, and called x. Two estimates of
 * the deviation are at hand and the larger is used: the spread of the rewards
 * within the batch, and, once 8 batches are there, half the mean square
 * of the steps from one batch's difference to the next. The second one sees
 * more where rewards drift together. Where a consumer draws one arm for all
 * decisions of a time slot, neither would see how few draws there were: there
 * a slot counts as one reward an arm, its mean, in which a reward weighs as many
 * units as it is about. Elsewhere a reward is one reward, of however many units:
 * it was drawn once. CPUs are taken as independent.
 *
 * *Trials.* A trial is a sequence of batches in one mode. If the arms do not
 * differ, then for every fixed slope l the product of exp(l*x - l*l/2) over
 * the batches is a likelihood ratio: it exceeds 1/a, at any time in the trial,
 * with a probability of a at most (Ville's inequality). Four slopes are tried
 * at once, 1, 1/2, 1/4 and 1/8, for effects of all sizes, each with a quarter
 * of the error. The test needs no fixed number of samples and may be looked at
 * after every batch. It asks for 12 bits of evidence, 2 for the four slopes
 * and 10 for an error rate of 1/1024:
 *
 * - *Benefit* adds up l*x - l*l/2 from the 9th batch on. At 12 bits the mode
 *   rises by one. A model without benefit is promoted in 1 of 1024 trials at
 *   most.
 * - *Harm* adds up -l*x - l*l/2 and starts again whenever it falls below zero
 *   (a CUSUM test), so that a good past does not cover a bad present. At 12
 *   bits the mode falls by one. A model without effect is so demoted once in
 *   1024 batches on average, or more seldom.
 * - A trial that has not shown a benefit after 512 batches has *lapsed*: the
 *   mode falls by one too, or, in learning, the trial starts again. Benefit
 *   that is shown once does not last: recommendation has to be earned anew
 *   every 512 batches.
 *
 * *How fast.* Where the effect is a standard deviation of the reward or more,
 * x is clipped to -4 and 3 batches demote by one mode: about 3 * 32 * 16
 * decisions in recommendation, 3 * 64 in collaboration, 3 * 32 * 16 in
 * learning, for each CPU that decides. The simulations in
 * tests/guard_sim_test.c take 3300 decisions in the median, never 5000, from
 * recommendation to emergency; 11000, never 30000, where the effect is
 * a quarter of a standard deviation. From learning up to recommendation they
 * take 6400 for an effect of one standard deviation, 12000 for a quarter and
 * 44000 for a tenth.
 *
 * *Emergency* is entered at once by an agent that has fallen silent, a flood
 * of invalid hints, the consumer's alarm, rewards that stay away in one arm
 * only (looked at over all CPUs, a few times in a watchdog's period), and harm
 * in learning. It holds for a second, for two the next time,
 * and so on up to 64; a promotion makes it a second again.
 *
 * *The user* can cap the mode, or pin it. Pinned, evidence is still gathered
 * but moves nothing; an emergency does.
 *
 * All of it is integer arithmetic: x has 8 fraction bits, evidence is in nats
 * with 16, and struct ml_batch tells why no sum overflows.
 */

const u8 ml_mode_share[ML_NR_MODES] = { 0, 1, 8, 15 };

static void new_trial(struct ml_guard *guard)
{
	/* 0 marks a decision that was made without a proxy */
	if (++guard->trial == 0)
		guard->trial = 1;
	guard->batches = 0;
	guard->diff = 0;
	guard->diff_sum = 0;
	guard->drift_var = 0;
	memset(guard->benefit, 0, sizeof(guard->benefit));
	memset(guard->harm, 0, sizeof(guard->harm));
}

static void set_mode(struct ml_guard *guard, enum ml_mode mode,
		     enum ml_reason reason, u64 now)
{
	new_trial(guard);
	if (mode == guard->mode)
		return;
	if (mode > guard->mode)
		guard->promotions++;
	else
		guard->demotions++;
	if (mode == ML_MODE_EMERGENCY)
		guard->emergencies++;
	/* Earned, not pinned */
	if (reason == ML_REASON_BENEFIT)
		guard->hold_level = 0;
	guard->mode = mode;
	guard->reason = reason;
	guard->since = now;
}

/* The mode in which a model that is fit to work begins */
static enum ml_mode first_mode(const struct ml_guard *guard)
{
	enum ml_mode mode = guard->pin < 0 ? ML_MODE_LEARNING : guard->pin;

	return min(mode, guard->cap);
}

/**
 * ml_guard_init() - start in emergency, without a model
 * @guard: to fill in; its trial number goes on from what it is
 * @now: current time
 */
void ml_guard_init(struct ml_guard *guard, u64 now)
{
	u32 trial = guard->trial;

	*guard = (struct ml_guard) {
		.reason = ML_REASON_START,
		.cap = ML_MODE_RECOMMENDATION,
		.pin = -1,
		.trial = trial,
		.since = now,
		.alive = now,
		.invalid_since = now,
	};
	new_trial(guard);
}

/**
 * ml_guard_emergency() - nothing is treated until the hold-off is over
 * @guard: the guard
 * @reason: why
 * @now: current time
 */
void ml_guard_emergency(struct ml_guard *guard, enum ml_reason reason, u64 now)
{
	guard->hold_until = now + (ML_HOLD_NS << guard->hold_level);
	guard->hold_reason = reason;
	guard->hold_level = min(guard->hold_level + 1, ML_HOLD_MAX_LEVEL);
	set_mode(guard, ML_MODE_EMERGENCY, reason, now);
	guard->reason = reason;
}

/**
 * ml_guard_ready() - a model has come or gone
 * @guard: the guard
 * @ready: there is one
 * @now: current time
 */
void ml_guard_ready(struct ml_guard *guard, bool ready, u64 now)
{
	if (ready == guard->ready)
		return;
	guard->ready = ready;
	guard->alive = now;
	if (!ready)
		set_mode(guard, ML_MODE_EMERGENCY, ML_REASON_NO_MODEL, now);
	else
		ml_guard_tick(guard, 0, now);
}

/**
 * ml_guard_new_model() - the model has been replaced by another one
 * @guard: the guard
 * @now: current time
 *
 * It begins at learning, whatever the old one had earned, and a hold-off that
 * the old one's figures had caused is over. An agent that says so all the time
 * thus gets no more than learning.
 */
void ml_guard_new_model(struct ml_guard *guard, u64 now)
{
	guard->alive = now;
	if (guard->hold_until && guard->hold_reason != ML_REASON_ALARM &&
	    guard->hold_reason != ML_REASON_INVALID)
		guard->hold_until = 0;
	if (guard->ready && !guard->hold_until)
		set_mode(guard, first_mode(guard), ML_REASON_NEW_MODEL, now);
}

/**
 * ml_guard_limit() - the user's word
 * @guard: the guard
 * @cap: highest mode allowed
 * @pin: mode to keep, or -1 to leave it to the evidence
 * @now: current time
 */
void ml_guard_limit(struct ml_guard *guard, enum ml_mode cap, int pin, u64 now)
{
	bool unpinned = guard->pin >= 0 && pin < 0;

	guard->cap = cap;
	guard->pin = pin;
	if (!guard->ready || guard->hold_until)
		return;
	/* What a pinned model got it has not earned */
	if (pin >= 0 || unpinned)
		set_mode(guard, first_mode(guard), ML_REASON_USER, now);
	else if (guard->mode > cap)
		set_mode(guard, cap, ML_REASON_USER, now);
	else if (guard->mode == ML_MODE_EMERGENCY)
		ml_guard_tick(guard, 0, now);
}

/**
 * ml_guard_invalid() - hints were refused
 * @guard: the guard
 * @count: how many
 * @period: in which more than ML_INVALID_MAX are an emergency, ns
 * @now: current time
 */
void ml_guard_invalid(struct ml_guard *guard, u32 count, u64 period, u64 now)
{
	if (now - guard->invalid_since > period) {
		guard->invalid_since = now;
		guard->invalid = 0;
	}
	if (check_add_overflow(guard->invalid, count, &guard->invalid))
		guard->invalid = U32_MAX;
	if (guard->invalid > ML_INVALID_MAX &&
	    guard->mode != ML_MODE_EMERGENCY)
		ml_guard_emergency(guard, ML_REASON_INVALID, now);
}

/**
 * ml_guard_tick() - what only the passing of time brings
 * @guard: the guard
 * @watchdog: silence of the agent that is an emergency, ns; 0: no agent needed
 * @now: current time
 *
 * To be called a few times in every @watchdog.
 */
void ml_guard_tick(struct ml_guard *guard, u64 watchdog, u64 now)
{
	bool silent = watchdog && now - guard->alive > watchdog;

	if (!guard->ready)
		return;
	if (guard->mode != ML_MODE_EMERGENCY) {
		if (silent)
			ml_guard_emergency(guard, ML_REASON_STALE, now);
		return;
	}
	if (silent || now < guard->hold_until)
		return;
	guard->hold_until = 0;
	if (first_mode(guard) != ML_MODE_EMERGENCY)
		set_mode(guard, first_mode(guard), ML_REASON_READY, now);
}

static bool stay_away(const struct ml_tally *tally, unsigned int arm)
{
	/* 28 bits are enough to compare, and their products fit */
	u64 asked = min(tally->asked[arm], 1ULL << 28);
	u64 told = min(tally->told[arm], 1ULL << 28);
	u64 others_asked = min(tally->asked[!arm], 1ULL << 28);
	u64 others_told = min(tally->told[!arm], 1ULL << 28);

	return asked >= ML_ATTRITION_ASKED &&
	       others_told >= ML_ATTRITION_TOLD &&
	       asked * others_told > 16 * told * others_asked;
}

/**
 * ml_guard_attrition() - do the rewards of one arm stay away?
 * @guard: the guard
 * @tally: of its trial
 * @now: current time
 *
 * If decisions of one arm get their reward 16 times more seldom than those of
 * the other, the rewards that do come say nothing: an emergency.
 */
void ml_guard_attrition(struct ml_guard *guard, const struct ml_tally *tally,
			u64 now)
{
	if (guard->mode != ML_MODE_EMERGENCY &&
	    (stay_away(tally, ML_ARM_CONTROL) ||
	     stay_away(tally, ML_ARM_TREATMENT)))
		ml_guard_emergency(guard, ML_REASON_ATTRITION, now);
}

/* dev / (n * m) with 16 fraction bits; dev < 2^56, n * m >= 2^9 */
static u64 divide_fp16(u64 dev, u64 nm)
{
	return dev < 1ULL << 47 ? div64_u64(dev << 16, nm) :
				  div64_u64(dev, nm) << 16;
}

/* Variance of the difference of the means if the arms do not differ */
static u64 null_variance(const struct ml_batch *batch)
{
	u64 n0 = batch->n[0], n1 = batch->n[1], n = n0 + n1;
	s64 sum = batch->sum[0] + batch->sum[1];
	u64 sumsq = batch->sumsq[0] + batch->sumsq[1];
	/* |mean| <= 2^21, |rest| < 2^14, |sum| <= 2^35: their products fit */
	s32 rest;
	s64 mean = div_s64_rem(sum, n, &rest);
	/* sum^2 / n, which sumsq is never below */
	u64 square = mean * sum + div_s64(rest * sum, n);
	u64 var = divide_fp16(sumsq - square, n - 1);

	return div64_u64(var, n0) + div64_u64(var, n1);
}

/* x: the batch's difference over its noise, 8 fraction bits */
static s64 standardise(struct ml_guard *guard, const struct ml_batch *batch)
{
	s64 diff = div_s64(batch->sum[ML_ARM_TREATMENT] * 256,
			   batch->n[ML_ARM_TREATMENT]) -
		   div_s64(batch->sum[ML_ARM_CONTROL] * 256,
			   batch->n[ML_ARM_CONTROL]);
	u64 var = null_variance(batch);

	if (guard->batches) {
		s64 step = diff - guard->diff;
		u64 half = (u64)(step * step) / 2;
		u32 weight = min_t(u32, guard->batches, 16);

		/* A mean of all so far, then of about the last 16 */
		guard->drift_var += div_s64((s64)half - (s64)guard->drift_var,
					    weight);
	}
	if (guard->batches >= ML_TRIAL_WARMUP)
		var = max(var, guard->drift_var);
	guard->batches++;
	guard->diff = diff;
	guard->diff_sum += diff;
	guard->noise = max(int_sqrt64(var), 1U);
	return clamp(div64_s64(diff * 256, guard->noise), -4 * 256, 4 * 256);
}

static s64 strongest(const s64 *evidence)
{
	s64 most = evidence[0];
	int line;

	for (line = 1; line < ML_GUARD_LINES; line++)
		most = max(most, evidence[line]);
	return most;
}

static void weigh(struct ml_guard *guard, s64 x)
{
	int line;

	for (line = 0; line < ML_GUARD_LINES; line++) {
		s64 step = x * (1 << (8 - line));	/* l * x */
		s64 half = 1 << (15 - 2 * line);	/* l * l / 2 */

		if (guard->batches > ML_TRIAL_WARMUP)
			guard->benefit[line] += step - half;
		guard->harm[line] = max(guard->harm[line] - step - half, 0);
	}
}

static void move(struct ml_guard *guard, u64 now)
{
	bool pinned = guard->pin >= 0;

	if (strongest(guard->harm) >= ML_EVIDENCE_LIMIT) {
		if (pinned)
			new_trial(guard);
		else if (guard->mode == ML_MODE_LEARNING)
			ml_guard_emergency(guard, ML_REASON_HARM, now);
		else
			set_mode(guard, guard->mode - 1, ML_REASON_HARM, now);
	} else if (strongest(guard->benefit) >= ML_EVIDENCE_LIMIT) {
		if (pinned || guard->mode >= guard->cap)
			new_trial(guard);
		else
			set_mode(guard, min(guard->mode + 1, guard->cap),
				 ML_REASON_BENEFIT, now);
	} else if (guard->batches >= ML_TRIAL_MAX) {
		if (pinned || guard->mode == ML_MODE_LEARNING)
			new_trial(guard);
		else
			set_mode(guard, guard->mode - 1, ML_REASON_LAPSED, now);
	}
}

/**
 * ml_guard_judge() - draw the conclusion from a batch
 * @guard: the guard
 * @batch: one for which ml_batch_add() said so; emptied, ready for the trial
 *	that is running afterwards
 * @now: current time
 *
 * Context: Any. A few hundred instructions, once in 32 rewards at most.
 */
void ml_guard_judge(struct ml_guard *guard, struct ml_batch *batch, u64 now)
{
	s32 pivot = batch->pivot;

	if (batch->trial != guard->trial || guard->mode == ML_MODE_EMERGENCY)
		goto empty;
	if (batch->n[0] < ML_BATCH_MIN || batch->n[1] < ML_BATCH_MIN)
		return;
	pivot += div_s64(batch->sum[ML_ARM_CONTROL], batch->n[ML_ARM_CONTROL]);
	weigh(guard, standardise(guard, batch));
	move(guard, now);
empty:
	*batch = (struct ml_batch) { .trial = guard->trial, .pivot = pivot };
}

/**
 * ml_evidence_mbits() - evidence as people read it
 * @evidence: ml_guard.benefit or ml_guard.harm
 *
 * Return: The strongest line's in 1/1000 bit; the mode changes at 12000.
 */
s32 ml_evidence_mbits(const s64 *evidence)
{
	/* ln(2) with 16 fraction bits is 45426 */
	return clamp(div_s64(strongest(evidence) * 1000, 45426),
		     -1000000, 1000000);
}
