// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hot path: ml_decide() and ml_observe() of a started proxy.
 */
#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/irqflags.h>
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
 * and other bits of the hash say so, write a record.
 *
 * The arm is kept even where the model had no answer. Only so do the two arms
 * differ in nothing but being asked, and the difference of their rewards is
 * what the model is worth, its silences included.
 */

/* The finalizer of splitmix64: every bit of the result depends on all of x */
static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static u64 context_id(const struct ml_proxy *proxy, u64 context)
{
	return hsiphash_2u32(lower_32_bits(context), upper_32_bits(context),
			     &proxy->secret);
}

/* What is hashed for the arm if it is not to change with every decision */
static u64 slot_key(const struct ml_proxy *proxy, u64 context)
{
	return mix(context) ^ (ml_now() >> proxy->arm_slot_order);
}

/* The model's action, or < 0 if it has none */
static int ask(const struct ml_proxy *proxy, u32 word, u64 context,
	       const s32 *features, u64 draw)
{
	const struct ml_table *table;

	switch (FIELD_GET(ML_WORD_BACKEND, word)) {
	case ML_BACKEND_AGENT:
		return ml_hints_get(&proxy->hints, context_id(proxy, context),
				    ml_now());
	case ML_BACKEND_TREES:
		table = rcu_dereference_sched(proxy->table);
		return table ? ml_trees_action(&table->trees, features) : -1;
	case ML_BACKEND_RULE:
		return proxy->rule(features);
	case ML_BACKEND_RANDOM:
		/* Bits that decide neither arm nor sample */
		return ((u64)(u32)(draw >> 16) * proxy->nr_actions) >> 32;
	}
	return -1;
}

static noinline void treat(struct ml_proxy *proxy, struct ml_cpu *cpu,
			   u32 word, u64 context, const s32 *features,
			   u64 draw, struct ml_decision *decision)
{
	int action = ask(proxy, word, context, features, draw);

	if (action < 0) {
		cpu->unanswered++;
		return;
	}
	decision->flags |= ML_SAMPLE_ANSWERED;
	if (action >= proxy->nr_actions) {
		cpu->invalid_actions++;
		decision->flags |= ML_SAMPLE_INVALID;
		return;
	}
	decision->action = action;
}

/* ml_decision.flags: those of the sample, and this one */
#define SAMPLED		BIT(7)

static noinline void record_sample(struct ml_proxy *proxy, struct ml_cpu *cpu,
				   u32 word, u64 context, const s32 *features,
				   struct ml_decision *decision)
{
	u32 i, n = proxy->nr_features, head;
	struct ml_sample *sample;

	sample = ml_ring_reserve(&cpu->ring, proxy->sample_size, &head);
	if (!sample) {
		cpu->ring.lost_samples++;
		return;
	}
	cpu->ring.samples++;
	sample->head.type = ML_RECORD_SAMPLE;
	sample->head.size = proxy->sample_size;
	sample->head.cpu = decision->id & (ML_ID_STEP - 1);
	sample->id = decision->id;
	sample->time_ns = ml_now();
	sample->context = context_id(proxy, context);
	sample->model = READ_ONCE(proxy->model);
	sample->action = decision->action;
	sample->arm = decision->arm;
	sample->mode = FIELD_GET(ML_WORD_MODE, word);
	sample->backend = FIELD_GET(ML_WORD_BACKEND, word);
	sample->flags = decision->flags;
	sample->nr_features = n;
	sample->reserved = 0;
	for (i = 0; i < n; i++)
		sample->features[i] = features[i];
	if (n & 1)
		sample->features[n] = 0;
	decision->flags |= SAMPLED;
	if (ml_ring_commit(&cpu->ring, head))
		irq_work_queue(&proxy->kick);
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
	struct ml_cpu *cpu;
	u64 draw, lot, id;
	u32 word;

	decision->id = 0;
	decision->action = 0;
	local_irq_save(flags);
	proxy = rcu_dereference_sched(site->proxy);
	if (unlikely(!proxy))
		goto out;
	cpu = this_cpu_ptr(proxy->cpu);
	/* The trial first: a late word costs a reward, not the comparison */
	decision->trial = smp_load_acquire(&proxy->trial); /* publish() */
	word = READ_ONCE(proxy->word);
	id = cpu->id + ML_ID_STEP;
	cpu->id = id;
	decision->id = id;
	decision->flags = 0;
	draw = mix(proxy->seed ^ id);
	lot = draw;
	if (unlikely(proxy->arm_slot_order))
		lot = mix(proxy->seed ^ slot_key(proxy, context));
	decision->arm = lot >> 60 < FIELD_GET(ML_WORD_SHARE, word);
	cpu->decisions[decision->arm]++;
	cpu->batch.asked[decision->arm]++;
	if (decision->arm)
		treat(proxy, cpu, word, context, features, draw, decision);
	if (word & ML_WORD_RECORD &&
	    !(draw & (BIT(FIELD_GET(ML_WORD_SAMPLE_SHIFT, word)) - 1)))
		record_sample(proxy, cpu, word, context, features, decision);
	trace_ml_decide(proxy->info.name, id, decision->arm, decision->action,
			decision->flags & ML_SAMPLE_ANSWERED);
out:
	local_irq_restore(flags);
	return decision->action;
}
EXPORT_SYMBOL_GPL(__ml_decide);

static noinline void record_outcome(struct ml_proxy *proxy, struct ml_cpu *cpu,
				    u64 id, s32 reward)
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
	outcome->reserved = 0;
	if (ml_ring_commit(&cpu->ring, head))
		irq_work_queue(&proxy->kick);
}

static noinline void judge(struct ml_proxy *proxy, struct ml_batch *batch)
{
	enum ml_mode before;

	/* Another CPU is at it: the next reward of this one tries again */
	if (!raw_spin_trylock(&proxy->guard_lock))
		return;
	before = proxy->guard.mode;
	ml_guard_judge(&proxy->guard, batch, ml_now());
	ml_guard_unlock(proxy, before);
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
	unsigned int arm = decision->arm & 1;
	struct ml_batch *batch;
	struct ml_proxy *proxy;
	unsigned long flags;
	struct ml_cpu *cpu;
	u32 trial;

	local_irq_save(flags);
	proxy = rcu_dereference_sched(site->proxy);
	if (unlikely(!proxy))
		goto out;
	cpu = this_cpu_ptr(proxy->cpu);
	if (unlikely(reward > ML_REWARD_LIMIT || reward < -ML_REWARD_LIMIT)) {
		reward = clamp(reward, -ML_REWARD_LIMIT, ML_REWARD_LIMIT);
		cpu->clipped_rewards++;
	}
	cpu->outcomes[arm]++;
	cpu->reward_sum[arm] += reward;

	batch = &cpu->batch;
	trial = READ_ONCE(proxy->trial);
	if (unlikely(batch->trial != trial))
		*batch = (struct ml_batch) { .trial = trial, .pivot = reward };
	/* What was decided in another trial says nothing about this one */
	if (decision->trial == trial &&
	    READ_ONCE(proxy->word) & ML_WORD_SHARE &&
	    ml_batch_add(batch, arm, reward))
		judge(proxy, batch);

	if (decision->flags & SAMPLED &&
	    READ_ONCE(proxy->word) & ML_WORD_RECORD)
		record_outcome(proxy, cpu, decision->id, reward);
	trace_ml_observe(proxy->info.name, decision->id, arm, reward);
out:
	local_irq_restore(flags);
}
EXPORT_SYMBOL_GPL(__ml_observe);
