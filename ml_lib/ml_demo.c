// SPDX-License-Identifier: GPL-2.0-only
/*
 * A consumer to copy. Around a toy: 64 objects with features that change now
 * and then; one of four actions is best for them, stock is always tolerable.
 * After @drift decisions the world changes and another action is best.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ml_lib.h>
#include <linux/module.h>
#include <linux/prandom.h>

static unsigned int rate = 32;
module_param(rate, uint, 0);
MODULE_PARM_DESC(rate, "decisions in a millisecond");
static unsigned long drift;
module_param(drift, ulong, 0);
MODULE_PARM_DESC(drift, "decisions until another action is best; 0: never");

/* 1. What a decision depends on, what it can be, how it is judged */
enum { SIZE, GAP, DEPTH, NR_FEATURES };

static const struct ml_feature demo_features[NR_FEATURES] = {
	[SIZE] = { "size", "page", "0 .. 999" },
	[GAP] = { "gap", "page", "-500 .. 499" },
	[DEPTH] = { "depth", "1", "0 .. 31; of no consequence" },
};

enum { STOCK, SMALL, LARGE, SKIP, NR_ACTIONS };

static const struct ml_action demo_actions[NR_ACTIONS] = {
	[STOCK] = { "stock", "tolerable everywhere" },
	[SMALL] = { "small", "best for small sizes behind" },
	[LARGE] = { "large", "best for large sizes behind" },
	[SKIP] = { "skip", "best for large sizes ahead" },
};

static unsigned int demo_rule(const s32 *features)
{
	return features[GAP] > 0 ? STOCK : LARGE;
}

static void demo_correct(void *priv, enum ml_mode mode, enum ml_reason reason)
{
	/* Undo here what outlasts a decision */
	pr_info("ml_demo: mode %d, reason %d\n", mode, reason);
}

static const struct ml_ops demo_ops = {
	.correct = demo_correct,
	.rule = demo_rule,
};

static const struct ml_proxy_desc demo_desc = {
	.name = "demo",
	.features = demo_features,
	.nr_features = NR_FEATURES,
	.actions = demo_actions,
	.nr_actions = NR_ACTIONS,
	.reward_unit = "point",
	.reward_about = "100 for the best action, 60 for stock, else 20; +-50",
	.ops = &demo_ops,
};

/* 2. The call site's end of the proxy: off, it costs a NOP */
static DEFINE_ML_SITE(demo_site);

/* 3. The toy itself, in the place of a subsystem */
static struct object {
	s32 features[NR_FEATURES];
	unsigned int left;
} objects[64];

static unsigned int best_action(const s32 *features, bool drifted)
{
	unsigned int best = features[GAP] > 0 ?
			    (features[SIZE] < 500 ? STOCK : SKIP) :
			    (features[SIZE] < 500 ? SMALL : LARGE);

	return drifted ? (best + 1) % NR_ACTIONS : best;
}

static void demo_step(struct object *object, struct rnd_state *rnd,
		      bool drifted)
{
	struct ml_decision decision;
	unsigned int action;
	s32 reward;

	if (!object->left--) {
		object->features[SIZE] = prandom_u32_state(rnd) % 1000;
		object->features[GAP] = 499 - (int)(prandom_u32_state(rnd) % 1000);
		object->features[DEPTH] = prandom_u32_state(rnd) % 32;
		object->left = 16 + prandom_u32_state(rnd) % 32;
	}
	/* 4. Ask, act, tell: nothing else is needed on the hot path */
	action = ml_decide(&demo_site, (unsigned long)object,
			   object->features, &decision);
	reward = action == best_action(object->features, drifted) ? 100 :
		 action == STOCK ? 60 : 20;
	reward += (int)(prandom_u32_state(rnd) % 101) - 50;
	ml_observe(&demo_site, &decision, reward);
}

static int demo_thread(void *unused)
{
	unsigned long step = 0;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	while (!kthread_should_stop()) {
		for (i = 0; i < rate; i++, step++)
			demo_step(&objects[step % ARRAY_SIZE(objects)], &rnd,
				  drift && step >= drift);
		usleep_range(1000, 1001);
	}
	return 0;
}

/* 5. Create, start; and the other way round */
static struct task_struct *demo_task;

static int __init demo_init(void)
{
	int err = ml_create(&demo_site, &demo_desc, NULL) ?:
		  ml_start(&demo_site);

	if (err)
		goto err_destroy;
	demo_task = kthread_run(demo_thread, NULL, "ml_demo");
	if (!IS_ERR(demo_task))
		return 0;
	err = PTR_ERR(demo_task);
err_destroy:
	ml_destroy(&demo_site);
	return err;
}
module_init(demo_init);

static void __exit demo_exit(void)
{
	kthread_stop(demo_task);
	ml_destroy(&demo_site);
}
module_exit(demo_exit);

MODULE_DESCRIPTION("ML_LIB: a consumer to copy");
MODULE_LICENSE("GPL");
