// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hot path: ml_decide() and ml_observe() of a started proxy.
 */
#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/ml_lib.h>

#include <trace/events/ml_lib.h>

#include "core.h"

/**
 * DOC: The hot path
 *
 * Both calls run with interrupts off from begin to end. That makes this CPU's
 * struct ml_cpu theirs alone, lets them read the tree table and the proxy as
 * RCU readers, and bounds them: nothing in here loops over more than a
 * consumer's features or a verified table's steps, and no lock is waited for.
 *
 * A decision: number it; hash the number (or the context and the time slot,
 * struct ml_proxy_desc.arm_slot_order) and compare four bits of the hash with
 * the mode's share, which gives the arm; in treatment ask the backend and take
 * 0, the stock action, for no answer or one out of bounds; if somebody reads
 * and other bits of the number's hash say so, write a record.
 *
 * The arm is kept even where the model had no answer. Only so do the two arms
 * differ in nothing but being asked, and the difference of their rewards is
 * what the model is worth, its silences included.
 */

/* Bits that look random though x only counts; the lowest 12 are weak */
static __always_inline u64 mix(u64 x)
{
	x *= 0xbf58476d1ce4e5b9ULL;
	return (x ^ (x >> 32)) * 0x94d049bb133111ebULL;
}

/*
 * What a draw decides: its highest 4 bits the arm, the next 16 the sample, the
 * next 32 a random action. Where arms are drawn by slot, so are random actions,
 * from the same draw; samples are always drawn by decision.
 */
static __always_inline bool draw_arm(u64 draw, u32 word)
{
	return draw >> 60 < FIELD_GET(ML_WORD_SHARE, word);
}

static bool draw_sample(u64 draw, u32 word)
{
	return !(draw >> 44 &
		 (BIT(FIELD_GET(ML_WORD_SAMPLE_SHIFT, word)) - 1));
}

static u32 draw_action(u64 draw, u32 nr_actions)
{
	return ((u64)(u32)(draw >> 12) * nr_actions) >> 32;
}

/* The same context often comes again, and its hash is a third of a record */
static u64 context_id(const struct ml_proxy *proxy, struct ml_cpu *cpu,
		      u64 context)
{
	if (cpu->context != context || !cpu->context_id) {
		cpu->context = context;
		cpu->context_id = siphash_1u64(context, &proxy->secret);
	}
	return cpu->context_id;
}

/* The model's action, or < 0 if it has none */
static int ask(const struct ml_proxy *proxy, struct ml_cpu *cpu, u32 word,
	       u64 context, const s32 *features, u64 id)
{
	enum ml_backend backend = FIELD_GET(ML_WORD_BACKEND, word);
	const struct ml_table *table;

	/* The backend that hurries most first */
	if (likely(backend == ML_BACKEND_TREES)) {
		table = rcu_dereference_sched(proxy->table);
		return table ? ml_trees_action(&table->trees, features) : -1;
	}
	switch (backend) {
	case ML_BACKEND_AGENT:
		return ml_hints_get(&proxy->hints,
				    context_id(proxy, cpu, context), ml_now());
	case ML_BACKEND_RULE:
		return proxy->rule(features);
	case ML_BACKEND_RANDOM:
		return draw_action(proxy->arm_slot_order ? cpu->slot_draw :
							   mix(proxy->seed + id),
				   proxy->nr_actions);
	default:
		return -1;
	}
}

static void treat(struct ml_proxy *proxy, struct ml_cpu *cpu, u32 word,
		  u64 context, const s32 *features,
		  struct ml_decision *decision)
{
	int action = ask(proxy, cpu, word, context, features, decision->id);

	if (action < 0) {
		cpu->unanswered++;
		return;
	}
	decision->flags = ML_SAMPLE_ANSWERED;
	if (action >= proxy->nr_actions) {
		cpu->invalid_actions++;
		decision->flags |= ML_SAMPLE_INVALID;
		return;
	}
	decision->action = action;
}

/* ml_decision.flags: those of the sample, and this one */
#define SAMPLED		BIT(7)

/* Two at a time; an odd one gets a zero beside it */
static void copy_features(s32 *to, const s32 *from, u32 n)
{
	for (; n > 1; n -= 2, to += 2, from += 2)
		memcpy(to, from, 2 * sizeof(*to));
	if (n) {
		to[0] = from[0];
		to[1] = 0;
	}
}

static void record_sample(struct ml_proxy *proxy, struct ml_cpu *cpu, u32 word,
			  u64 context, const s32 *features,
			  struct ml_decision *decision)
{
	u32 n = proxy->nr_features, size = proxy->sample_size, head;
	struct ml_sample *sample;

	sample = ml_ring_reserve(&cpu->ring, size, &head);
	if (!sample) {
		cpu->ring.lost_samples++;
		return;
	}
	cpu->ring.samples++;
	sample->head = (struct ml_record) {
		.type = ML_RECORD_SAMPLE,
		.size = size,
		.cpu = smp_processor_id(),
	};
	sample->id = decision->id;
	sample->time_ns = ml_now();
	sample->context = context_id(proxy, cpu, context);
	sample->model = READ_ONCE(proxy->model);
	sample->action = decision->action;
	sample->arm = decision->arm;
	sample->mode = FIELD_GET(ML_WORD_MODE, word);
	sample->backend = FIELD_GET(ML_WORD_BACKEND, word);
	sample->flags = decision->flags;
	sample->nr_features = n;
	sample->reserved = 0;
	copy_features(sample->features, features, n);
	decision->flags |= SAMPLED;
	if (ml_ring_commit(&cpu->ring, head))
		irq_work_queue(&proxy->kick);
}

/*
 * What is beyond numbering, drawing and counting. A tail call, which switches
 * interrupts on again: so the way of a control decision saves no register.
 */
static noinline unsigned int act(struct ml_proxy *proxy, u64 context,
				 const s32 *features,
				 struct ml_decision *decision, u32 word,
				 unsigned long flags)
{
	struct ml_cpu *cpu = this_cpu_ptr(proxy->cpu);

	if (decision->arm)
		treat(proxy, cpu, word, context, features, decision);
	if (word & ML_WORD_RECORD &&
	    draw_sample(mix(proxy->seed + decision->id), word))
		record_sample(proxy, cpu, word, context, features, decision);
	if (trace_ml_decide_enabled())
		trace_ml_decide(proxy->info.name, decision->id, decision->arm,
				decision->action,
				decision->flags & ML_SAMPLE_ANSWERED);
	local_irq_restore(flags);
	return decision->action;
}

static __always_inline unsigned int
draw_and_act(struct ml_proxy *proxy, u64 context, const s32 *features,
	     struct ml_decision *decision, bool by_slot, unsigned long flags)
{
	struct ml_cpu *cpu = this_cpu_ptr(proxy->cpu);
	u64 id = cpu->id + ML_ID_STEP, key = id, draw;
	unsigned long arm;
	u32 word;

	cpu->id = id;
	*decision = (struct ml_decision) {
		.id = id,
		/* Before the word: a late word costs a reward, no more */
		.trial = smp_load_acquire(&proxy->trial), /* publish() */
	};
	word = smp_load_acquire(&proxy->word); /* record(): the rings' memory */
	if (by_slot)
		key = context_id(proxy, cpu, context) ^
		      (ml_now() >> proxy->arm_slot_order);
	draw = mix(proxy->seed + key);
	if (by_slot)
		cpu->slot_draw = draw;
	arm = draw_arm(draw, word);
	decision->arm = arm;
	cpu->decisions[arm]++;
	if (arm || word & ML_WORD_RECORD || trace_ml_decide_enabled())
		return act(proxy, context, features, decision, word, flags);
	local_irq_restore(flags);
	return 0;
}

static noinline unsigned int
decide_by_slot(struct ml_proxy *proxy, u64 context, const s32 *features,
	       struct ml_decision *decision, unsigned long flags)
{
	return draw_and_act(proxy, context, features, decision, true, flags);
}

/**
 * __ml_decide() - ml_decide() of a proxy that is started
 * @site: the consumer's site
 * @context: see ml_decide()
 * @features: see ml_decide()
 * @decision: see ml_decide()
 *
 * Context: Any but NMI.
 * Return: The action.
 */
unsigned int __ml_decide(struct ml_site *site, u64 context,
			 const s32 *features, struct ml_decision *decision)
{
	struct ml_proxy *proxy;
	unsigned long flags;

	local_irq_save(flags);
	proxy = rcu_dereference_sched(site->proxy);
	if (unlikely(!proxy)) {
		local_irq_restore(flags);
		*decision = (struct ml_decision) {};
		return 0;
	}
	if (unlikely(proxy->arm_slot_order))
		return decide_by_slot(proxy, context, features, decision,
				      flags);
	return draw_and_act(proxy, context, features, decision, false, flags);
}
EXPORT_SYMBOL_GPL(__ml_decide);

static noinline void record_outcome(struct ml_proxy *proxy, struct ml_cpu *cpu,
				    u64 id, s32 reward, u32 units)
{
	struct ml_outcome *outcome;
	u32 head;

	outcome = ml_ring_reserve(&cpu->ring, sizeof(*outcome), &head);
	if (!outcome) {
		cpu->ring.lost_outcomes++;
		return;
	}
	cpu->ring.outcomes++;
	outcome->head.type = ML_RECORD_OUTCOME;
	outcome->head.size = sizeof(*outcome);
	outcome->head.cpu = smp_processor_id();
	outcome->id = id;
	outcome->time_ns = ml_now();
	outcome->reward = reward;
	outcome->units = units;
	if (ml_ring_commit(&cpu->ring, head))
		irq_work_queue(&proxy->kick);
}

static noinline void judge(struct ml_proxy *proxy, struct ml_batch *batch)
{
	enum ml_mode before;

	/* Another CPU is at it: the next reward (or slot) tries again */
	if (!raw_spin_trylock(&proxy->guard_lock))
		return;
	before = proxy->guard.mode;
	ml_guard_judge(&proxy->guard, batch, ml_now());
	ml_guard_unlock(proxy, before);
}

/* A reward that begins a batch, or goes by way of its slot's mean */
static bool add_slowly(const struct ml_proxy *proxy, struct ml_batch *batch,
		       const struct ml_decision *decision, s32 reward,
		       u32 units)
{
	u32 trial = READ_ONCE(proxy->trial), order = proxy->arm_slot_order;

	if (batch->trial != trial)
		*batch = (struct ml_batch) { .trial = trial, .pivot = reward };
	if (decision->trial != trial)
		return false;
	if (!order)
		return ml_batch_add(batch, decision->arm, reward);
	return ml_batch_add_slot(batch, ml_now() >> order, decision->arm,
				 reward, units);
}

/* How far a reward has come in observe() */
enum progress { NOT_ADDED, ADDED, RIPE };

/* What is beyond counting and adding; a tail call as act() is */
static noinline void settle(struct ml_proxy *proxy,
			    const struct ml_decision *decision, s32 reward,
			    u32 units, enum progress progress,
			    unsigned long flags)
{
	struct ml_cpu *cpu = this_cpu_ptr(proxy->cpu);

	if (progress == NOT_ADDED &&
	    add_slowly(proxy, &cpu->batch, decision, reward, units))
		progress = RIPE;
	if (progress == RIPE)
		judge(proxy, &cpu->batch);
	if (decision->flags & SAMPLED &&
	    READ_ONCE(proxy->word) & ML_WORD_RECORD)
		record_outcome(proxy, cpu, decision->id, reward, units);
	if (trace_ml_observe_enabled())
		trace_ml_observe(proxy->info.name, decision->id, decision->arm,
				 reward, units);
	local_irq_restore(flags);
}

static __always_inline enum progress
add_quickly(const struct ml_proxy *proxy, struct ml_batch *batch,
	    const struct ml_decision *decision, unsigned long arm, s32 reward)
{
	u32 trial = READ_ONCE(proxy->trial);

	/* Nothing is treated, nothing to compare */
	if (!(READ_ONCE(proxy->word) & ML_WORD_SHARE))
		return ADDED;
	if (unlikely(batch->trial != trial || proxy->arm_slot_order))
		return NOT_ADDED;
	/* What was decided in another trial says nothing about this one */
	if (unlikely(decision->trial != trial))
		return ADDED;
	return ml_batch_add(batch, arm, reward) ? RIPE : ADDED;
}

/* With a constant of 1 for @units, they cost nothing */
static __always_inline void observe(struct ml_site *site,
				    const struct ml_decision *decision,
				    s32 reward, u32 units)
{
	unsigned long arm = decision->arm & 1, flags;
	enum progress progress;
	struct ml_proxy *proxy;
	struct ml_cpu *cpu;

	local_irq_save(flags);
	proxy = rcu_dereference_sched(site->proxy);
	if (unlikely(!proxy)) {
		local_irq_restore(flags);
		return;
	}
	cpu = this_cpu_ptr(proxy->cpu);
	if (unlikely(reward > ML_REWARD_LIMIT || reward < -ML_REWARD_LIMIT)) {
		reward = clamp(reward, -ML_REWARD_LIMIT, ML_REWARD_LIMIT);
		cpu->clipped_rewards++;
	}
	cpu->outcomes[arm]++;
	cpu->more_units[arm] += units - 1;
	cpu->reward_sum[arm] += (s64)reward * units;
	progress = add_quickly(proxy, &cpu->batch, decision, arm, reward);
	if (progress != ADDED || decision->flags & SAMPLED ||
	    trace_ml_observe_enabled())
		settle(proxy, decision, reward, units, progress, flags);
	else
		local_irq_restore(flags);
}

/**
 * __ml_observe() - ml_observe() of a proxy that is started
 * @site: the consumer's site
 * @decision: see ml_observe()
 * @reward: see ml_observe()
 *
 * Context: Any but NMI.
 */
void __ml_observe(struct ml_site *site, const struct ml_decision *decision,
		  s32 reward)
{
	observe(site, decision, reward, 1);
}
EXPORT_SYMBOL_GPL(__ml_observe);

/**
 * __ml_observe_many() - ml_observe_many() of a proxy that is started
 * @site: the consumer's site
 * @decision: see ml_observe_many()
 * @reward: see ml_observe_many()
 * @n: see ml_observe_many()
 *
 * Context: Any but NMI.
 */
void __ml_observe_many(struct ml_site *site, const struct ml_decision *decision,
		       s32 reward, unsigned int n)
{
	observe(site, decision, reward, clamp(n, 1U, ML_UNITS_MAX));
}
EXPORT_SYMBOL_GPL(__ml_observe_many);
