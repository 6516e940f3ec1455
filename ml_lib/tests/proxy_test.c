// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of a proxy's whole life with a made-up consumer: what ml_create()
 * refuses, the order of the life-cycle calls, arms, backends, bounds of actions
 * and rewards, the correct op, and a model's way up and down.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/ml_lib.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../core.h"

/* Long enough for any machine; only a test that fails waits for it */
#define PATIENCE	(60 * HZ)

#define NR_FEATURES	3
#define NR_ACTIONS	4
#define TOO_LARGE	200	/* the rule's answer to features[0] == 200 */

static DEFINE_ML_SITE(site);
static DEFINE_ML_SITE(other_site);

/* The made-up consumer */
static struct {
	struct completion corrected;
	unsigned int calls;
	enum ml_mode mode;
	enum ml_reason reason;
	bool gone;
	bool called_when_gone;
} consumer;

static void correct(void *priv, enum ml_mode mode, enum ml_reason reason)
{
	if (consumer.gone || priv != &consumer)
		consumer.called_when_gone = true;
	consumer.calls++;
	consumer.mode = mode;
	consumer.reason = reason;
	complete(&consumer.corrected);
}

static unsigned int rule(const s32 *features)
{
	return features[0];
}

static const struct ml_ops ops = { .correct = correct, .rule = rule };

static const struct ml_feature features[NR_FEATURES] = {
	{ "size", "bytes", "a size" },
	{ "age", "ms", "an age" },
	{ "kind", "1", "a kind" },
};

static const struct ml_action actions[NR_ACTIONS] = {
	{ "stock", "what the stock kernel does" },
	{ "less", "less of it" },
	{ "more", "more of it" },
	{ "none", "none of it" },
};

static const struct ml_proxy_desc good = {
	.name = "kunit_a",
	.features = features,
	.actions = actions,
	.nr_features = NR_FEATURES,
	.nr_actions = NR_ACTIONS,
	.reward_unit = "ns",
	.reward_about = "time saved",
	.ops = &ops,
	.ring_order = 12,
	.hint_order = 10,
};

/* A test's own description: it has to outlive the test, see proxy_exit() */
static struct ml_proxy_desc desc;

static struct ml_proxy *proxy_of(struct ml_site *s)
{
	return rcu_dereference_protected(s->proxy, true);
}

/* What ML_IOC_CONTROL does */
static void set_control(struct ml_site *s, enum ml_backend backend, int pin)
{
	struct ml_proxy *proxy = proxy_of(s);
	enum ml_mode before;
	bool other;

	mutex_lock(&proxy->mutex);
	raw_spin_lock_irq(&proxy->guard_lock);
	before = proxy->guard.mode;
	other = proxy->backend != backend;
	proxy->backend = backend;
	ml_guard_limit(&proxy->guard, ML_MODE_RECOMMENDATION, pin, ml_now());
	ml_guard_unlock(proxy, before);
	local_irq_enable();
	if (other)
		ml_proxy_update_ready(proxy, true);
	mutex_unlock(&proxy->mutex);
}

static void create_and_start(struct kunit *test, enum ml_backend backend,
			     int pin)
{
	KUNIT_ASSERT_EQ(test, ml_create(&site, &good, &consumer), 0);
	KUNIT_ASSERT_EQ(test, ml_start(&site), 0);
	set_control(&site, backend, pin);
}

/* Counts of all CPUs, as they are now */
static const struct ml_cpu *counts(void)
{
	static struct ml_cpu sum;
	unsigned int i, arm;

	memset(&sum, 0, sizeof(sum));
	for_each_possible_cpu(i) {
		const struct ml_cpu *cpu = per_cpu_ptr(proxy_of(&site)->cpu, i);

		for (arm = 0; arm < ML_NR_ARMS; arm++) {
			sum.decisions[arm] += cpu->decisions[arm];
			sum.outcomes[arm] += cpu->outcomes[arm];
			sum.more_units[arm] += cpu->more_units[arm];
			sum.reward_sum[arm] += cpu->reward_sum[arm];
		}
		sum.unanswered += cpu->unanswered;
		sum.invalid_actions += cpu->invalid_actions;
		sum.clipped_rewards += cpu->clipped_rewards;
	}
	return &sum;
}

/* Until the consumer has been told of every fall of the mode */
static void wait_told(struct kunit *test)
{
	unsigned long end = jiffies + PATIENCE;
	struct ml_proxy *proxy = proxy_of(&site);

	while (READ_ONCE(proxy->fallen)) {
		KUNIT_ASSERT_TRUE(test, time_before(jiffies, end));
		usleep_range(1000, 20000);
	}
	irq_work_sync(&proxy->kick);
	flush_work(&proxy->event_work);
}

/* n successes of @n with probability @share / 16: within 6 sigma */
static void expect_share(struct kunit *test, u64 hits, u64 n, u32 share)
{
	u64 off = abs((s64)(hits * 16) - (s64)(n * share));

	KUNIT_EXPECT_LE_MSG(test, off,
			    6 * int_sqrt64(n * share * (16 - share)),
			    "%llu of %llu, %u/16 expected", hits, n, share);
}

static void proxy_refused(struct kunit *test)
{
	static const char * const names[] = {
		NULL, "", "Upper", "with space", "a/b", "a.b", "..", "\xe4",
		"x2345678901234567890123456789012",
	};
	static const struct ml_feature bad_feature[] = {
		{ "fine" }, { "Not Fine" },
	};
	static const struct ml_feature same_feature[] = {
		{ "same" }, { "same" },
	};
	static const struct ml_action bad_action[] = { { "fine" }, {} };
	static const struct ml_action same_action[] = {
		{ "same" }, { "same" },
	};
	unsigned int i;

#define EXPECT_REFUSED(field, value) do {				\
	desc = good;							\
	desc.field = value;						\
	KUNIT_EXPECT_EQ(test, ml_create(&site, &desc, NULL), -EINVAL);	\
	KUNIT_EXPECT_NULL(test, proxy_of(&site));			\
} while (0)

	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_REFUSED(name, names[i]);
	EXPECT_REFUSED(nr_features, 0);
	EXPECT_REFUSED(nr_features, ML_MAX_FEATURES + 1);
	EXPECT_REFUSED(nr_actions, 0);
	EXPECT_REFUSED(nr_actions, 1);
	EXPECT_REFUSED(nr_actions, ML_MAX_ACTIONS + 1);
	EXPECT_REFUSED(ring_order, 11);
	EXPECT_REFUSED(ring_order, 23);
	EXPECT_REFUSED(hint_order, 7);
	EXPECT_REFUSED(hint_order, 21);
	EXPECT_REFUSED(features, NULL);
	EXPECT_REFUSED(actions, NULL);
	EXPECT_REFUSED(watchdog_ms, 9);
	EXPECT_REFUSED(arm_slot_order, 9);
	EXPECT_REFUSED(arm_slot_order, 41);

	desc = good;
	desc.features = bad_feature;
	desc.nr_features = 2;
	KUNIT_EXPECT_EQ(test, ml_create(&site, &desc, NULL), -EINVAL);
	desc.features = same_feature;
	KUNIT_EXPECT_EQ(test, ml_create(&site, &desc, NULL), -EINVAL);
	desc = good;
	desc.actions = bad_action;
	desc.nr_actions = 2;
	KUNIT_EXPECT_EQ(test, ml_create(&site, &desc, NULL), -EINVAL);
	desc.actions = same_action;
	KUNIT_EXPECT_EQ(test, ml_create(&site, &desc, NULL), -EINVAL);
	KUNIT_EXPECT_NULL(test, proxy_of(&site));
}

/* All that may be left out, and the largest of everything */
static void proxy_extremes(struct kunit *test)
{
	struct ml_feature *many_features;
	struct ml_action *many_actions;
	static char names[64][4];
	static const struct ml_feature only[] = { { "only" } };
	static const struct ml_action two[] = { { "a" }, { "b" } };
	unsigned int i;

	desc = (struct ml_proxy_desc) {
		.name = "x234567890123456789012345678901",
		.features = only,
		.actions = two,
		.nr_features = 1,
		.nr_actions = 2,
	};
	KUNIT_ASSERT_EQ(test, ml_create(&site, &desc, NULL), 0);
	KUNIT_EXPECT_STREQ(test, proxy_of(&site)->info.name, desc.name);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->info.ring_size, 1 << 16);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->info.hint_slots, 3072);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->info.watchdog_ms, 1000);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->info.sample_size, 56);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->info.backends &
			BIT(ML_BACKEND_RULE), 0);
	ml_destroy(&site);

	many_features = kunit_kcalloc(test, ML_MAX_FEATURES,
				      sizeof(*many_features), GFP_KERNEL);
	many_actions = kunit_kcalloc(test, ML_MAX_ACTIONS,
				     sizeof(*many_actions), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, many_features);
	KUNIT_ASSERT_NOT_NULL(test, many_actions);
	BUILD_BUG_ON(ML_MAX_FEATURES != 64 || ML_MAX_ACTIONS != 64);
	for (i = 0; i < 64; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		many_features[i].name = names[i];
		many_actions[i].name = names[i];
	}
	desc = good;
	desc.features = many_features;
	desc.actions = many_actions;
	desc.nr_features = ML_MAX_FEATURES;
	desc.nr_actions = ML_MAX_ACTIONS;
	KUNIT_ASSERT_EQ(test, ml_create(&site, &desc, NULL), 0);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->info.sample_size, 304);
}

static void proxy_names_and_sites(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, ml_create(&site, &good, &consumer), 0);
	KUNIT_EXPECT_EQ(test, ml_create(&site, &good, &consumer), -EBUSY);
	KUNIT_EXPECT_EQ(test, ml_create(&other_site, &good, &consumer),
			-EEXIST);
	KUNIT_EXPECT_NULL(test, proxy_of(&other_site));

	/* Two at once, which are not each other's business */
	desc = good;
	desc.name = "kunit_b";
	KUNIT_ASSERT_EQ(test, ml_create(&other_site, &desc, &consumer), 0);
	KUNIT_EXPECT_NE(test, proxy_of(&site)->info.schema,
			proxy_of(&other_site)->info.schema);
	KUNIT_EXPECT_EQ(test, ml_start(&other_site), 0);
	KUNIT_EXPECT_FALSE(test, ml_on(&site));
	KUNIT_EXPECT_TRUE(test, ml_on(&other_site));
	ml_destroy(&other_site);

	/* The name is free again */
	ml_destroy(&site);
	KUNIT_EXPECT_EQ(test, ml_create(&other_site, &good, &consumer), 0);
}

static void proxy_life_orders(struct kunit *test)
{
	u64 schema;

	/* Without a proxy everything is refused or does nothing */
	KUNIT_EXPECT_EQ(test, ml_start(&site), -ENODEV);
	KUNIT_EXPECT_EQ(test, ml_reinit(&site), -ENODEV);
	ml_stop(&site);
	ml_alarm(&site);
	ml_destroy(&site);

	KUNIT_ASSERT_EQ(test, ml_create(&site, &good, &consumer), 0);
	KUNIT_EXPECT_FALSE(test, ml_on(&site));
	ml_stop(&site);
	KUNIT_EXPECT_EQ(test, ml_reinit(&site), 0);
	KUNIT_EXPECT_FALSE(test, ml_on(&site));
	KUNIT_EXPECT_EQ(test, ml_start(&site), 0);
	KUNIT_EXPECT_TRUE(test, ml_on(&site));
	KUNIT_EXPECT_EQ(test, ml_start(&site), -EALREADY);
	KUNIT_EXPECT_TRUE(test, ml_on(&site));
	KUNIT_EXPECT_EQ(test, ml_reinit(&site), 0);
	KUNIT_EXPECT_TRUE(test, ml_on(&site));
	ml_stop(&site);
	ml_stop(&site);
	KUNIT_EXPECT_FALSE(test, ml_on(&site));
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->guard.reason, ML_REASON_STOP);
	KUNIT_EXPECT_EQ(test, ml_start(&site), 0);
	schema = proxy_of(&site)->info.schema;

	/* Destroyed while it is started, and once more */
	ml_destroy(&site);
	KUNIT_EXPECT_FALSE(test, ml_on(&site));
	KUNIT_EXPECT_NULL(test, proxy_of(&site));
	ml_destroy(&site);

	/* The same description makes the same proxy */
	KUNIT_ASSERT_EQ(test, ml_create(&site, &good, &consumer), 0);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->info.schema, schema);
}

static void proxy_off(struct kunit *test)
{
	static const s32 x[NR_FEATURES] = { 1 };
	struct ml_decision decision = { .id = 77, .action = 3 };

	KUNIT_EXPECT_EQ(test, ml_decide(&site, 1, x, &decision), 0);
	KUNIT_EXPECT_EQ(test, decision.id, 0);

	KUNIT_ASSERT_EQ(test, ml_create(&site, &good, &consumer), 0);
	decision.id = 77;
	KUNIT_EXPECT_EQ(test, ml_decide(&site, 1, x, &decision), 0);
	KUNIT_EXPECT_EQ(test, decision.id, 0);
	ml_observe(&site, &decision, 5);
	KUNIT_EXPECT_EQ(test, counts()->outcomes[0] + counts()->outcomes[1], 0);

	/* Started without a model: numbered, counted, and the stock action */
	KUNIT_ASSERT_EQ(test, ml_start(&site), 0);
	KUNIT_EXPECT_EQ(test, ml_decide(&site, 1, x, &decision), 0);
	KUNIT_EXPECT_NE(test, decision.id, 0);
	KUNIT_EXPECT_EQ(test, decision.arm, ML_ARM_CONTROL);
	KUNIT_EXPECT_EQ(test, counts()->decisions[ML_ARM_CONTROL], 1);
	ml_observe(&site, &decision, 5);
	KUNIT_EXPECT_EQ(test, counts()->outcomes[ML_ARM_CONTROL], 1);

	/* The id of a decision of 0, kept from when it was off, counts nothing */
	decision.id = 0;
	ml_observe(&site, &decision, 5);
	KUNIT_EXPECT_EQ(test, counts()->outcomes[ML_ARM_CONTROL], 1);

	/* A call site that was under way when the proxy went */
	ml_destroy(&site);
	decision.id = 77;
	decision.action = 3;
	KUNIT_EXPECT_EQ(test, __ml_decide(&site, 1, x, &decision), 0);
	KUNIT_EXPECT_EQ(test, decision.id, 0);
	KUNIT_EXPECT_EQ(test, decision.action, 0);
	decision.id = 77;
	__ml_observe(&site, &decision, 5);
}

/* Without what the backend needs the mode stays emergency, even if pinned */
static void proxy_backend_not_ready(struct kunit *test)
{
	static const enum ml_backend backends[] = {
		ML_BACKEND_NONE, ML_BACKEND_AGENT, ML_BACKEND_TREES,
	};
	static const s32 x[NR_FEATURES] = { 1 };
	struct ml_decision decision;
	unsigned int i, n;

	create_and_start(test, ML_BACKEND_NONE, ML_MODE_RECOMMENDATION);
	for (i = 0; i < ARRAY_SIZE(backends); i++) {
		set_control(&site, ML_BACKEND_RULE, ML_MODE_RECOMMENDATION);
		KUNIT_EXPECT_EQ(test, proxy_of(&site)->guard.mode,
				ML_MODE_RECOMMENDATION);
		set_control(&site, backends[i], ML_MODE_RECOMMENDATION);
		KUNIT_EXPECT_EQ(test, proxy_of(&site)->guard.mode,
				ML_MODE_EMERGENCY);
		KUNIT_EXPECT_EQ(test, proxy_of(&site)->guard.reason,
				ML_REASON_NO_MODEL);
		for (n = 0; n < 100; n++)
			KUNIT_EXPECT_EQ(test, 0,
					ml_decide(&site, n, x, &decision));
	}
	KUNIT_EXPECT_EQ(test, counts()->decisions[ML_ARM_TREATMENT], 0);
	KUNIT_EXPECT_EQ(test, counts()->decisions[ML_ARM_CONTROL], 300);
}

#define DRAWS		65536

/* Decide DRAWS times with the random backend; the arms and actions, hashed */
static u32 draw(struct kunit *test, int pin, u64 *taken)
{
	static const s32 x[NR_FEATURES];
	struct ml_decision decision;
	u64 last = 0;
	u32 crc = ~0;
	int i;

	create_and_start(test, ML_BACKEND_RANDOM, pin);
	memset(taken, 0, NR_ACTIONS * sizeof(*taken));
	for (i = 0; i < DRAWS; i++) {
		u8 result[2];

		result[0] = ml_decide(&site, i % 7, x, &decision);
		result[1] = decision.arm;
		KUNIT_ASSERT_LT(test, result[0], NR_ACTIONS);
		KUNIT_ASSERT_EQ(test, result[0], decision.action);
		KUNIT_ASSERT_GT(test, decision.id, last);
		last = decision.id;
		if (decision.arm == ML_ARM_CONTROL)
			KUNIT_ASSERT_EQ(test, result[0], 0);
		else
			taken[result[0]]++;
		crc = crc32_le(crc, result, sizeof(result));
	}
	KUNIT_EXPECT_EQ(test, counts()->decisions[0] + counts()->decisions[1],
			DRAWS);
	KUNIT_EXPECT_EQ(test, counts()->unanswered, 0);
	expect_share(test, counts()->decisions[ML_ARM_TREATMENT], DRAWS,
		     ml_mode_share[pin]);
	ml_destroy(&site);
	return crc;
}

static void proxy_arms(struct kunit *test)
{
	u64 taken[NR_ACTIONS];
	u32 crc, last = 0;
	int pin, i;

	for (pin = ML_MODE_EMERGENCY; pin < ML_NR_MODES; pin++) {
		u64 treated = 0;

		crc = draw(test, pin, taken);
		for (i = 0; i < NR_ACTIONS; i++)
			treated += taken[i];
		/* An even draw of four actions: 4/16 each */
		for (i = 0; i < NR_ACTIONS; i++)
			expect_share(test, taken[i], treated, 4);
		/* The same run again, and not the one before */
		KUNIT_EXPECT_EQ(test, crc, draw(test, pin, taken));
		KUNIT_EXPECT_NE(test, crc, last);
		last = crc;
	}
}

/* An arm does not depend on the two before it: that would bias a comparison */
static void proxy_arms_independent(struct kunit *test)
{
	static const s32 x[NR_FEATURES];
	u64 same = 0, pairs[4] = {};
	struct ml_decision decision;
	unsigned int arm, last = 0, before = 0, i;

	create_and_start(test, ML_BACKEND_RANDOM, ML_MODE_COLLABORATION);
	for (i = 0; i < DRAWS; i++) {
		ml_decide(&site, 1, x, &decision);
		arm = decision.arm;
		same += arm == last;
		pairs[2 * (arm == before) + (arm == last)]++;
		before = last;
		last = arm;
	}
	expect_share(test, same, DRAWS, 8);
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		expect_share(test, pairs[i], DRAWS, 4);
}

/* With a slot of 18 minutes all decisions of a context have the same arm */
static void proxy_arm_slots(struct kunit *test)
{
	static const s32 x[NR_FEATURES];
	struct ml_decision decision;
	unsigned int context, i, treated = 0, changes = 0, arm = 0;

	desc = good;
	desc.arm_slot_order = 40;
	KUNIT_ASSERT_EQ(test, ml_create(&site, &desc, &consumer), 0);
	KUNIT_ASSERT_EQ(test, ml_start(&site), 0);
	set_control(&site, ML_BACKEND_RANDOM, ML_MODE_COLLABORATION);
	for (context = 0; context < 4096; context++) {
		for (i = 0; i < 10; i++) {
			ml_decide(&site, context, x, &decision);
			changes += i && decision.arm != arm;
			arm = decision.arm;
		}
		treated += arm;
	}
	/* One slot may have ended meanwhile, within one context's decisions */
	KUNIT_EXPECT_LE(test, changes, 1);
	expect_share(test, treated, 4096, 8);
}

/* So long a random action stays too; its draw is even, and not the arm's */
static void proxy_action_slots(struct kunit *test)
{
	static const s32 x[NR_FEATURES];
	u64 taken[NR_ACTIONS] = {}, treated = 0;
	unsigned int context, i, changes = 0;
	struct ml_decision decision;

	desc = good;
	desc.arm_slot_order = 40;
	KUNIT_ASSERT_EQ(test, ml_create(&site, &desc, &consumer), 0);
	KUNIT_ASSERT_EQ(test, ml_start(&site), 0);
	set_control(&site, ML_BACKEND_RANDOM, ML_MODE_COLLABORATION);
	for (context = 0; context < 4096; context++) {
		unsigned int action = 0;

		for (i = 0; i < 10; i++) {
			ml_decide(&site, context, x, &decision);
			changes += i && decision.action != action;
			action = decision.action;
		}
		if (decision.arm == ML_ARM_CONTROL)
			continue;
		taken[action]++;
		treated++;
	}
	/* One slot may have ended meanwhile, within one context's decisions */
	KUNIT_EXPECT_LE(test, changes, 1);
	for (i = 0; i < NR_ACTIONS; i++)
		expect_share(test, taken[i], treated, 4);
}

static void proxy_rule(struct kunit *test)
{
	s32 x[NR_FEATURES] = {};
	struct ml_decision decision;
	u64 treated = 0;
	int i;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	for (i = 0; i < 1000; i++) {
		x[0] = i % NR_ACTIONS;
		ml_decide(&site, 1, x, &decision);
		KUNIT_ASSERT_EQ(test, decision.action,
				decision.arm == ML_ARM_TREATMENT ? x[0] : 0);
		treated += decision.arm;
	}
	KUNIT_EXPECT_EQ(test, treated, counts()->decisions[ML_ARM_TREATMENT]);
	KUNIT_EXPECT_GT(test, treated, 300);
	KUNIT_EXPECT_EQ(test, counts()->invalid_actions, 0);
}

static void proxy_invalid_action(struct kunit *test)
{
	static const s32 bad[] = { NR_ACTIONS, TOO_LARGE, S32_MAX };
	s32 x[NR_FEATURES] = {};
	struct ml_decision decision;
	unsigned int i;
	u64 treated;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_RECOMMENDATION);
	for (i = 0; i < 600; i++) {
		x[0] = bad[i % ARRAY_SIZE(bad)];
		KUNIT_EXPECT_EQ(test, ml_decide(&site, 1, x, &decision), 0);
		KUNIT_EXPECT_EQ(test, decision.action, 0);
		if (decision.arm == ML_ARM_TREATMENT)
			KUNIT_EXPECT_EQ(test, decision.flags,
					ML_SAMPLE_ANSWERED |
					ML_SAMPLE_INVALID);
	}
	treated = counts()->decisions[ML_ARM_TREATMENT];
	KUNIT_EXPECT_GT(test, treated, 500);
	KUNIT_EXPECT_EQ(test, counts()->invalid_actions, treated);
	KUNIT_EXPECT_EQ(test, counts()->unanswered, 0);

	/* One that is negative is no answer */
	x[0] = -1;
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, ml_decide(&site, 1, x, &decision), 0);
	KUNIT_EXPECT_EQ(test, counts()->invalid_actions, treated);
	KUNIT_EXPECT_EQ(test, counts()->unanswered,
			counts()->decisions[ML_ARM_TREATMENT] - treated);
}

static void proxy_clipped_rewards(struct kunit *test)
{
	static const struct {
		s32 reward;
		s32 counted;
		bool clipped;
	} cases[] = {
		{ 0, 0, false },
		{ 17, 17, false },
		{ ML_REWARD_LIMIT, ML_REWARD_LIMIT, false },
		{ -ML_REWARD_LIMIT, -ML_REWARD_LIMIT, false },
		{ ML_REWARD_LIMIT + 1, ML_REWARD_LIMIT, true },
		{ -ML_REWARD_LIMIT - 1, -ML_REWARD_LIMIT, true },
		{ S32_MAX, ML_REWARD_LIMIT, true },
		{ S32_MIN, -ML_REWARD_LIMIT, true },
	};
	static const s32 x[NR_FEATURES];
	struct ml_decision decision;
	unsigned int i, clipped = 0;
	s64 sum = 0;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ml_decide(&site, 1, x, &decision);
		ml_observe(&site, &decision, cases[i].reward);
		sum += cases[i].counted;
		clipped += cases[i].clipped;
		KUNIT_EXPECT_EQ(test, sum, counts()->reward_sum[0] +
				counts()->reward_sum[1]);
		KUNIT_EXPECT_EQ(test, counts()->clipped_rewards, clipped);
	}
	KUNIT_EXPECT_EQ(test, counts()->outcomes[0] + counts()->outcomes[1],
			ARRAY_SIZE(cases));
	KUNIT_EXPECT_EQ(test, counts()->outcomes[1], counts()->decisions[1]);
}

/* Make room for the records of CPU 0, where tests run, as for an agent */
static const struct ml_ring *record(struct kunit *test)
{
	struct ml_proxy *proxy = proxy_of(&site);
	struct ml_ring *ring = &per_cpu_ptr(proxy->cpu, 0)->ring;

	ring->data = kvzalloc(1 << proxy->ring_order, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring->data);
	ring->mask = (1 << proxy->ring_order) - 1;
	ring->wake = U32_MAX;
	raw_spin_lock_irq(&proxy->guard_lock);
	proxy->word |= ML_WORD_RECORD;
	raw_spin_unlock_irq(&proxy->guard_lock);
	return ring;
}

static void proxy_units(struct kunit *test)
{
	static const struct {
		unsigned int n;
		u32 units;
	} cases[] = {
		{ 1, 1 }, { 0, 1 }, { 2, 2 }, { 512, 512 },
		{ ML_UNITS_MAX, ML_UNITS_MAX },
		{ ML_UNITS_MAX + 1, ML_UNITS_MAX }, { UINT_MAX, ML_UNITS_MAX },
	};
	static const s32 x[NR_FEATURES];
	const struct ml_outcome *outcome;
	struct ml_decision decision;
	const struct ml_ring *ring;
	s64 sum = 0, units = 0;
	unsigned int i;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_EMERGENCY);
	ring = record(test);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s32 reward = i & 1 ? -ML_REWARD_LIMIT : 7;

		ml_decide(&site, 1, x, &decision);
		ml_observe_many(&site, &decision, reward, cases[i].n);
		sum += (s64)reward * cases[i].units;
		units += cases[i].units;
		outcome = (void *)(ring->data + ring->head) - sizeof(*outcome);
		KUNIT_EXPECT_EQ(test, outcome->id, decision.id);
		KUNIT_EXPECT_EQ(test, outcome->reward, reward);
		KUNIT_EXPECT_EQ(test, outcome->units, cases[i].units);
		KUNIT_EXPECT_EQ(test, counts()->outcomes[0], i + 1);
		KUNIT_EXPECT_EQ(test, counts()->more_units[0], units - i - 1);
		KUNIT_EXPECT_EQ(test, counts()->reward_sum[0], sum);
	}
	/* What says nothing of units is about one */
	ml_decide(&site, 1, x, &decision);
	ml_observe(&site, &decision, 5);
	outcome = (void *)(ring->data + ring->head) - sizeof(*outcome);
	KUNIT_EXPECT_EQ(test, outcome->units, 1);
	KUNIT_EXPECT_EQ(test, counts()->more_units[0], units - i);
	KUNIT_EXPECT_EQ(test, counts()->reward_sum[0], sum + 5);
	KUNIT_ASSERT_EQ(test, ml_reinit(&site), 0);
	KUNIT_EXPECT_EQ(test, counts()->more_units[0], 0);
}

/* For the guard a reward is one reward, or part of its slot's mean */
static void proxy_units_judged(struct kunit *test)
{
	static const s32 x[NR_FEATURES];
	const struct ml_batch *batch;
	struct ml_decision decision;
	unsigned int arm;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	batch = &per_cpu_ptr(proxy_of(&site)->cpu, 0)->batch;
	ml_decide(&site, 1, x, &decision);
	ml_observe_many(&site, &decision, 1000, 100);
	KUNIT_EXPECT_EQ(test, batch->n[0] + batch->n[1], 1);
	KUNIT_EXPECT_EQ(test, batch->pivot, 1000);
	KUNIT_EXPECT_EQ(test, batch->sum[0] + batch->sum[1], 0);
	ml_destroy(&site);

	desc = good;
	desc.arm_slot_order = 40;
	KUNIT_ASSERT_EQ(test, ml_create(&site, &desc, &consumer), 0);
	KUNIT_ASSERT_EQ(test, ml_start(&site), 0);
	set_control(&site, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	batch = &per_cpu_ptr(proxy_of(&site)->cpu, 0)->batch;
	ml_decide(&site, 1, x, &decision);
	arm = decision.arm;
	ml_observe_many(&site, &decision, 1000, 100);
	ml_observe_many(&site, &decision, -10, 3);
	KUNIT_EXPECT_EQ(test, batch->slot_n[arm], 103);
	KUNIT_EXPECT_EQ(test, batch->slot_sum[arm], 1000 * 100 - 10 * 3);
	KUNIT_EXPECT_EQ(test, batch->slot_n[!arm], 0);
}

/* Not on the way up, with the right words on the way down, never afterwards */
static void proxy_correct(struct kunit *test)
{
	create_and_start(test, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	wait_told(test);
	set_control(&site, ML_BACKEND_RULE, ML_MODE_RECOMMENDATION);
	wait_told(test);
	KUNIT_EXPECT_EQ(test, consumer.calls, 0);

	set_control(&site, ML_BACKEND_RULE, ML_MODE_LEARNING);
	KUNIT_ASSERT_NE(test, 0, wait_for_completion_timeout
			(&consumer.corrected, PATIENCE));
	KUNIT_EXPECT_EQ(test, consumer.mode, ML_MODE_LEARNING);
	KUNIT_EXPECT_EQ(test, consumer.reason, ML_REASON_USER);

	ml_alarm(&site);
	KUNIT_ASSERT_NE(test, 0, wait_for_completion_timeout
			(&consumer.corrected, PATIENCE));
	KUNIT_EXPECT_EQ(test, consumer.mode, ML_MODE_EMERGENCY);
	KUNIT_EXPECT_EQ(test, consumer.reason, ML_REASON_ALARM);
	KUNIT_EXPECT_EQ(test, consumer.calls, 2);

	/* Stopping takes the mode too */
	KUNIT_ASSERT_EQ(test, ml_reinit(&site), 0);
	set_control(&site, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	wait_told(test);
	ml_stop(&site);
	KUNIT_ASSERT_NE(test, 0, wait_for_completion_timeout
			(&consumer.corrected, PATIENCE));
	KUNIT_EXPECT_EQ(test, consumer.mode, ML_MODE_EMERGENCY);
	/* What the mode fell for is that the model was taken away */
	KUNIT_EXPECT_TRUE(test, consumer.reason == ML_REASON_STOP ||
			  consumer.reason == ML_REASON_NO_MODEL);
	KUNIT_EXPECT_EQ(test, consumer.calls, 3);
}

static void proxy_correct_never_late(struct kunit *test)
{
	int i;

	for (i = 0; i < 20; i++) {
		consumer.gone = false;
		create_and_start(test, ML_BACKEND_RULE,
				 ML_MODE_RECOMMENDATION);
		ml_alarm(&site);
		if (i & 1)
			usleep_range(100, 10000);
		ml_destroy(&site);
		consumer.gone = true;
		ml_alarm(&site);
	}
	/* Several ticks, in which a late call would come */
	msleep(100);
	KUNIT_EXPECT_FALSE(test, consumer.called_when_gone);
	/* Not even the shortest high was followed by a fall that was not told */
	KUNIT_EXPECT_EQ(test, consumer.calls, 20);
}

static void proxy_alarm(struct kunit *test)
{
	static const s32 x[NR_FEATURES] = { 1 };
	struct ml_proxy *proxy;
	struct ml_decision decision;
	unsigned int i;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_RECOMMENDATION);
	proxy = proxy_of(&site);
	KUNIT_ASSERT_EQ(test, proxy->guard.mode, ML_MODE_RECOMMENDATION);
	ml_alarm(&site);
	for (i = 0; i < 100; i++) {
		ml_decide(&site, i, x, &decision);
		/* The hold-off, a second, could be over on a slow machine */
		if (READ_ONCE(proxy->guard.mode) != ML_MODE_EMERGENCY)
			break;
		KUNIT_EXPECT_EQ(test, decision.arm, ML_ARM_CONTROL);
		KUNIT_EXPECT_EQ(test, decision.action, 0);
	}
	KUNIT_EXPECT_GT(test, i, 0);
	KUNIT_EXPECT_EQ(test, proxy->guard.emergencies, 1);

	/* From a context with interrupts off, and in an emergency */
	local_irq_disable();
	ml_alarm(&site);
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, proxy->guard.reason, ML_REASON_ALARM);
}

/* What stop keeps and reinit forgets */
static void proxy_reinit(struct kunit *test)
{
	static const s32 x[NR_FEATURES] = { 1 };
	struct ml_decision decision;
	u64 id = 0;
	int i;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	for (i = 0; i < 100; i++) {
		ml_decide(&site, 1, x, &decision);
		ml_observe(&site, &decision, 9);
		id = decision.id;
	}
	ml_stop(&site);
	KUNIT_EXPECT_EQ(test, counts()->reward_sum[0] + counts()->reward_sum[1],
			900);
	KUNIT_ASSERT_EQ(test, ml_start(&site), 0);
	KUNIT_EXPECT_EQ(test, counts()->decisions[0] + counts()->decisions[1],
			100);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->guard.mode,
			ML_MODE_COLLABORATION);

	KUNIT_ASSERT_EQ(test, ml_reinit(&site), 0);
	KUNIT_EXPECT_EQ(test, counts()->decisions[0] + counts()->decisions[1],
			0);
	KUNIT_EXPECT_EQ(test, counts()->outcomes[0] + counts()->outcomes[1], 0);
	KUNIT_EXPECT_EQ(test, counts()->reward_sum[0] + counts()->reward_sum[1],
			0);
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->guard.pin, -1);
	/* The backend stays, so that the model begins again at learning */
	KUNIT_EXPECT_EQ(test, proxy_of(&site)->guard.mode, ML_MODE_LEARNING);
	/* Numbers are not given twice */
	ml_decide(&site, 1, x, &decision);
	KUNIT_EXPECT_GT(test, decision.id, id);
}

/* A reward that belongs to a trial that is over is counted, but not judged */
static void proxy_late_reward(struct kunit *test)
{
	static const s32 x[NR_FEATURES] = { 1 };
	struct ml_decision old, decision;
	const struct ml_batch *batch;

	create_and_start(test, ML_BACKEND_RULE, ML_MODE_COLLABORATION);
	ml_decide(&site, 1, x, &old);
	set_control(&site, ML_BACKEND_RULE, ML_MODE_RECOMMENDATION);
	ml_observe(&site, &old, 1000);
	batch = &per_cpu_ptr(proxy_of(&site)->cpu, 0)->batch;
	KUNIT_EXPECT_EQ(test, counts()->outcomes[0] + counts()->outcomes[1], 1);
	KUNIT_EXPECT_EQ(test, batch->n[0] + batch->n[1], 0);
	ml_decide(&site, 1, x, &decision);
	KUNIT_EXPECT_NE(test, decision.trial, old.trial);
	ml_observe(&site, &decision, 1000);
	KUNIT_EXPECT_EQ(test, batch->n[0] + batch->n[1], 1);
}

/* Action 2 where features[1] is below 100, else 3 */
static struct ml_table *make_table(struct kunit *test)
{
	struct {
		struct ml_trees_header header;
		s32 base[2];
		struct ml_trees_run run;
		struct ml_trees_node node[2];
		s32 leaf[2];
	} blob = {
		.header = {
			.magic = ML_TREES_MAGIC,
			.version = ML_TREES_VERSION,
			.header_size = sizeof(blob.header),
			.size = sizeof(blob),
			.schema = proxy_of(&site)->info.schema,
			.nr_features = NR_FEATURES,
			.nr_actions = NR_ACTIONS,
			.nr_groups = 1,
			.nr_runs = 1,
			.nr_trees = 1,
			.rule = ML_TREES_ROUND,
			.fraction = 4,
			.name = "kunit",
		},
		.run = { .group = 0, .depth = 1, .nr_trees = 1 },
		.node = { {}, { .threshold = 0x80000000U + 100,
				.feature = 1 } },
		.leaf = { 3 << 4, 2 << 4 },
	};
	const size_t from = offsetofend(struct ml_trees_header, crc);
	struct ml_trees_fit fit = {
		.schema = proxy_of(&site)->info.schema,
		.nr_features = NR_FEATURES,
		.nr_actions = NR_ACTIONS,
	};
	struct ml_table *table;
	__u64 offset;

	blob.header.crc = ~crc32_le(~0, (u8 *)&blob + from,
				    sizeof(blob) - from);
	table = kvmalloc(struct_size(table, data, sizeof(blob)), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	memcpy(table->data, &blob, sizeof(blob));
	table->size = sizeof(blob);
	KUNIT_ASSERT_EQ(test, ML_TREES_OK,
			ml_trees_verify(&table->trees, table->data,
					table->size, &fit, &offset));
	return table;
}

static void proxy_table(struct kunit *test)
{
	struct ml_decision decision;
	s32 x[NR_FEATURES] = {};
	struct ml_proxy *proxy;
	u64 treated = 0;
	int i;

	create_and_start(test, ML_BACKEND_TREES, ML_MODE_RECOMMENDATION);
	proxy = proxy_of(&site);
	KUNIT_EXPECT_EQ(test, proxy->guard.mode, ML_MODE_EMERGENCY);
	mutex_lock(&proxy->mutex);
	rcu_assign_pointer(proxy->table, make_table(test));
	ml_proxy_update_ready(proxy, true);
	mutex_unlock(&proxy->mutex);
	KUNIT_EXPECT_EQ(test, proxy->guard.mode, ML_MODE_RECOMMENDATION);

	for (i = 0; i < 200; i++) {
		x[1] = i;
		ml_decide(&site, 1, x, &decision);
		if (decision.arm == ML_ARM_CONTROL)
			continue;
		treated++;
		KUNIT_EXPECT_EQ(test, decision.action, i < 100 ? 2 : 3);
	}
	KUNIT_EXPECT_GT(test, treated, 150);
	KUNIT_EXPECT_EQ(test, counts()->unanswered, 0);
	/* ml_destroy() frees it: KASAN and kmemleak see whether it does */
}

/*
 * The whole way: a rule that is right climbs to recommendation; when it is
 * wrong it is out, the consumer is told, and stock decides everything.
 */
static void proxy_up_and_down(struct kunit *test)
{
	struct ml_decision decision;
	s32 x[NR_FEATURES] = {};
	const struct ml_guard *guard;
	unsigned int i;

	create_and_start(test, ML_BACKEND_RULE, -1);
	guard = &proxy_of(&site)->guard;
	KUNIT_ASSERT_EQ(test, guard->mode, ML_MODE_LEARNING);
	for (i = 0; i < 100000 && guard->mode < ML_MODE_RECOMMENDATION; i++) {
		x[0] = 1 + i % 3;
		ml_decide(&site, i % 50, x, &decision);
		ml_observe(&site, &decision, decision.action * 100 + i % 64);
	}
	KUNIT_EXPECT_EQ(test, guard->mode, ML_MODE_RECOMMENDATION);
	KUNIT_EXPECT_EQ(test, guard->reason, ML_REASON_BENEFIT);
	KUNIT_EXPECT_EQ(test, guard->demotions, 0);
	wait_told(test);

	for (i = 0; i < 100000 && guard->mode > ML_MODE_EMERGENCY; i++) {
		x[0] = 1 + i % 3;
		ml_decide(&site, i % 50, x, &decision);
		ml_observe(&site, &decision, decision.action * -100 + i % 64);
	}
	KUNIT_EXPECT_EQ(test, guard->emergencies, 1);
	KUNIT_EXPECT_EQ(test, guard->demotions, 3);
	KUNIT_ASSERT_NE(test, 0, wait_for_completion_timeout
			(&consumer.corrected, PATIENCE));
}

/* Decisions of one run come from one CPU's numbers: stay there */
static int proxy_init(struct kunit *test)
{
	memset(&consumer, 0, sizeof(consumer));
	init_completion(&consumer.corrected);
	return set_cpus_allowed_ptr(current, cpumask_of(0));
}

static void proxy_exit(struct kunit *test)
{
	ml_destroy(&site);
	ml_destroy(&other_site);
}

static struct kunit_case proxy_cases[] = {
	KUNIT_CASE(proxy_refused),
	KUNIT_CASE(proxy_extremes),
	KUNIT_CASE(proxy_names_and_sites),
	KUNIT_CASE(proxy_life_orders),
	KUNIT_CASE(proxy_off),
	KUNIT_CASE(proxy_backend_not_ready),
	KUNIT_CASE(proxy_arms),
	KUNIT_CASE(proxy_arms_independent),
	KUNIT_CASE(proxy_arm_slots),
	KUNIT_CASE(proxy_action_slots),
	KUNIT_CASE(proxy_rule),
	KUNIT_CASE(proxy_invalid_action),
	KUNIT_CASE(proxy_clipped_rewards),
	KUNIT_CASE(proxy_units),
	KUNIT_CASE(proxy_units_judged),
	KUNIT_CASE(proxy_correct),
	KUNIT_CASE(proxy_correct_never_late),
	KUNIT_CASE(proxy_alarm),
	KUNIT_CASE(proxy_reinit),
	KUNIT_CASE(proxy_late_reward),
	KUNIT_CASE(proxy_table),
	KUNIT_CASE(proxy_up_and_down),
	{}
};

static struct kunit_suite proxy_suite = {
	.name = "ml_lib_proxy",
	.init = proxy_init,
	.exit = proxy_exit,
	.test_cases = proxy_cases,
};

kunit_test_suite(proxy_suite);

MODULE_DESCRIPTION("KUnit tests of ML_LIB's proxies");
MODULE_LICENSE("GPL");
