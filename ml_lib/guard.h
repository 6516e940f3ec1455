/* SPDX-License-Identifier: GPL-2.0-only */
/* The mode machine, free of locks and clocks: see the DOC block in guard.c. */
#ifndef _ML_LIB_GUARD_H
#define _ML_LIB_GUARD_H

#include <linux/bits.h>
#include <linux/math64.h>
#include <linux/types.h>
#include <uapi/linux/ml_lib.h>

/* A batch is complete when both arms have this many rewards */
#define ML_BATCH_MIN		32
/* More rewards of one arm than this are not taken into a batch */
#define ML_BATCH_MAX		8192
/* A slot's mean is that of no more than about so many units of an arm */
#define ML_SLOT_UNITS_MAX	BIT_ULL(42)
/* Rewards of one arm and decisions of the other that show attrition */
#define ML_ATTRITION_TOLD	1024
#define ML_ATTRITION_ASKED	512
/* Batches that only measure the noise before benefit is looked for */
#define ML_TRIAL_WARMUP		8
/* Batches after which a trial ends */
#define ML_TRIAL_MAX		512
/* Slopes of the sequential test: 1, 1/2, 1/4, 1/8 */
#define ML_GUARD_LINES		4
/* 12 bits of evidence, in nats with 16 fraction bits: 12 * ln(2) * 65536 */
#define ML_EVIDENCE_LIMIT	545114
/* The same as people read it, in 1/1000 bit */
#define ML_EVIDENCE_MBITS	12000
/* Invalid hints within one watchdog period that are an emergency */
#define ML_INVALID_MAX		256
/* Hold-off after an emergency: 1 s, doubling up to 64 s */
#define ML_HOLD_NS		1000000000ULL
#define ML_HOLD_MAX_LEVEL	6

/**
 * struct ml_batch - rewards of one CPU that wait to be judged
 * @trial: that they belong to
 * @pivot: subtracted from every reward, so that the squares stay small
 * @n: rewards by arm
 * @sum: of (reward - pivot)
 * @sumsq: of (reward - pivot)^2: at most 2^13 * 2^42
 * @slot: see ml_batch_add_slot()
 * @slot_n: units rewarded in @slot by arm
 * @slot_sum: of reward * units in @slot: at most 2^42 * 2^20, and one more
 */
struct ml_batch {
	u32 trial;
	s32 pivot;
	u32 n[ML_NR_ARMS];
	s64 sum[ML_NR_ARMS];
	u64 sumsq[ML_NR_ARMS];
	u64 slot;
	u64 slot_n[ML_NR_ARMS];
	s64 slot_sum[ML_NR_ARMS];
};

/**
 * struct ml_tally - decisions and rewards of all CPUs since a trial began
 * @asked: decisions by arm
 * @told: rewards by arm
 */
struct ml_tally {
	u64 asked[ML_NR_ARMS];
	u64 told[ML_NR_ARMS];
};

/**
 * struct ml_guard - a mode and the evidence for and against it
 * @mode: how much the model may decide
 * @reason: of the last change of @mode
 * @cap: highest mode the user allows
 * @pin: mode the user wants, or -1
 * @ready: there is a model
 * @trial: number of the running trial; 0 is never used
 * @batches: judged in this trial
 * @benefit: evidence that treatment is better, by line; nats, 16 fraction bits
 * @harm: evidence that it is worse, by line; never below 0
 * @diff: of the last batch, treatment - control, 8 fraction bits
 * @diff_sum: of this trial
 * @drift_var: half the mean square of successive @diff, 16 fraction bits
 * @noise: standard deviation that scaled the last batch, 8 fraction bits
 * @hold_level: next hold-off is ML_HOLD_NS << hold_level
 * @hold_until: no mode but emergency before then; 0: no hold-off
 * @hold_reason: why
 * @since: time of the last change of @mode
 * @alive: last sign of life of the agent
 * @invalid: invalid hints in this watchdog period
 * @invalid_since: begin of that period
 * @promotions: changes of @mode upwards
 * @demotions: changes of @mode downwards
 * @emergencies: changes to emergency
 *
 * Times are in ns of one clock that the caller chooses.
 */
struct ml_guard {
	enum ml_mode mode;
	enum ml_reason reason;
	enum ml_mode cap;
	int pin;
	bool ready;
	u32 trial;
	u32 batches;
	s64 benefit[ML_GUARD_LINES];
	s64 harm[ML_GUARD_LINES];
	s64 diff;
	s64 diff_sum;
	u64 drift_var;
	u64 noise;
	u32 hold_level;
	u64 hold_until;
	enum ml_reason hold_reason;
	u64 since;
	u64 alive;
	u32 invalid;
	u64 invalid_since;
	u64 promotions;
	u64 demotions;
	u64 emergencies;
};

/* Sixteenths of the decisions that are treated in each mode */
extern const u8 ml_mode_share[ML_NR_MODES];

void ml_guard_init(struct ml_guard *guard, u64 now);
void ml_guard_judge(struct ml_guard *guard, struct ml_batch *batch, u64 now);
void ml_guard_ready(struct ml_guard *guard, bool ready, u64 now);
void ml_guard_new_model(struct ml_guard *guard, u64 now);
void ml_guard_limit(struct ml_guard *guard, enum ml_mode cap, int pin, u64 now);
void ml_guard_emergency(struct ml_guard *guard, enum ml_reason reason,
			u64 now);
void ml_guard_invalid(struct ml_guard *guard, u32 count, u64 period, u64 now);
void ml_guard_attrition(struct ml_guard *guard, const struct ml_tally *tally,
			u64 now);
void ml_guard_tick(struct ml_guard *guard, u64 watchdog, u64 now);
s32 ml_evidence_mbits(const s64 *evidence);

/**
 * ml_batch_add() - take a reward into a batch
 * @batch: of the same trial
 * @arm: of the decision
 * @reward: within +-ML_REWARD_LIMIT
 *
 * Context: Any; the caller keeps others away from @batch.
 * Return: true if the batch should be judged.
 */
static inline bool ml_batch_add(struct ml_batch *batch, unsigned int arm,
				s32 reward)
{
	s64 x = (s64)reward - batch->pivot;

	if (batch->n[arm] < ML_BATCH_MAX) {
		batch->n[arm]++;
		batch->sum[arm] += x;
		batch->sumsq[arm] += x * x;
	}
	return batch->n[arm] >= ML_BATCH_MIN && batch->n[!arm] >= ML_BATCH_MIN;
}

/**
 * ml_batch_add_slot() - take a reward into a batch by way of its slot's mean
 * @batch: of the same trial
 * @slot: in which the reward came: any number that changes with the slot
 * @arm: of the decision
 * @reward: within +-ML_REWARD_LIMIT
 * @units: that it is the mean reward of, 1 .. ML_UNITS_MAX
 *
 * Where an arm is drawn for a whole slot of time, rewards of the same slot are
 * not independent draws, and counting each would overrate the evidence by far.
 * A slot counts as one reward an arm: the mean of its units.
 *
 * Context: Any; the caller keeps others away from @batch.
 * Return: true if the batch should be judged.
 */
static inline bool ml_batch_add_slot(struct ml_batch *batch, u64 slot,
				     unsigned int arm, s32 reward, u32 units)
{
	bool ripe = false;
	unsigned int i;

	if (slot != batch->slot) {
		batch->slot = slot;
		for (i = 0; i < ML_NR_ARMS; i++) {
			if (!batch->slot_n[i])
				continue;
			ripe |= ml_batch_add(batch, i,
					     div64_s64(batch->slot_sum[i],
						       batch->slot_n[i]));
			batch->slot_n[i] = 0;
			batch->slot_sum[i] = 0;
		}
	}
	if (batch->slot_n[arm] < ML_SLOT_UNITS_MAX) {
		batch->slot_n[arm] += units;
		batch->slot_sum[arm] += (s64)reward * units;
	}
	return ripe;
}

#endif /* _ML_LIB_GUARD_H */
