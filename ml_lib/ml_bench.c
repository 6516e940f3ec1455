// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the calls of the hot path cost.
 *
 * Meant for an emulator where an instruction takes a nanosecond: the TSC then
 * counts instructions. A consumer like any other, whose proxy "bench" is set
 * up from user space (mode, backend, table, a reader or none); every
 * 100 ms it measures a series of decisions and tells the medians in the kernel
 * log, by arm and apart for decisions that were recorded.
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/ml_lib.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sort.h>
#include <asm/tsc.h>

#include "core.h"

#define SERIES		512
#define NR_FEATURES	8

static const struct ml_feature bench_features[NR_FEATURES] = {
	{ "f0", "1" }, { "f1", "1" }, { "f2", "1" }, { "f3", "1" },
	{ "f4", "1" }, { "f5", "1" }, { "f6", "1" }, { "f7", "1" },
};

static const struct ml_action bench_actions[] = {
	{ "stock" }, { "other" },
};

static unsigned int bench_rule(const s32 *features)
{
	return 1;
}

static const struct ml_ops bench_ops = {
	.rule = bench_rule,
};

static const struct ml_proxy_desc bench_desc = {
	.name = "bench",
	.features = bench_features,
	.nr_features = NR_FEATURES,
	.actions = bench_actions,
	.nr_actions = ARRAY_SIZE(bench_actions),
	.reward_unit = "1",
	.reward_about = "noise",
	.ops = &bench_ops,
	.ring_order = 20,
};

static DEFINE_ML_SITE(bench_site);

/*
 * What a call site is while the proxy is off: the runner disassembles the two
 * and compares. They do the same, but the second could ask.
 */
static noinline __used unsigned int ml_bench_stock_site(const s32 *x)
{
	return READ_ONCE(x[0]) + 1;
}

static noinline unsigned int ask(const s32 *x)
{
	struct ml_decision decision;

	return ml_decide(&bench_site, 1, x, &decision);
}

static noinline __used unsigned int ml_bench_off_site(const s32 *x)
{
	if (ml_on(&bench_site))
		return ask(x);
	return READ_ONCE(x[0]) + 1;
}

/* One measured decision: instructions, and which kind it was */
struct taken {
	u32 decide;
	u32 observe;
	u8 arm;
	u8 flags;
};

static struct taken taken[SERIES];
static u32 sorted[SERIES];

/* What two readings of the TSC take with nothing between them */
static u32 empty_cost(void)
{
	u64 from = rdtsc();

	return rdtsc() - from;
}

static void measure(struct taken *to, const s32 *features, s32 reward)
{
	struct ml_decision decision;
	unsigned long irqs;
	u64 from;

	local_irq_save(irqs);
	from = rdtsc();
	ml_decide(&bench_site, 1, features, &decision);
	to->decide = rdtsc() - from - empty_cost();
	from = rdtsc();
	ml_observe(&bench_site, &decision, reward);
	to->observe = rdtsc() - from - empty_cost();
	local_irq_restore(irqs);
	to->arm = decision.arm;
	to->flags = decision.flags;
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void tell(const char *call, unsigned int arm, unsigned int n)
{
	sort(sorted, n, sizeof(*sorted), compare, NULL);
	pr_info("ml_bench: %s %s n %u min %u median %u max %u\n", call,
		arm == ML_ARM_CONTROL ? "control" : "treatment", n, sorted[0],
		sorted[n / 2], sorted[n - 1]);
}

static void tell_arm(unsigned int arm)
{
	unsigned int i, n = 0;

	for (i = 0; i < SERIES; i++)
		if (taken[i].arm == arm)
			sorted[n++] = taken[i].decide;
	if (!n)
		return;
	tell("decide", arm, n);
	for (i = 0, n = 0; i < SERIES; i++)
		if (taken[i].arm == arm)
			sorted[n++] = taken[i].observe;
	tell("observe", arm, n);
}

static int bench_thread(void *unused)
{
	s32 features[NR_FEATURES];
	struct rnd_state rnd;
	unsigned int i, j;

	prandom_seed_state(&rnd, 1);
	while (!kthread_should_stop()) {
		for (i = 0; i < SERIES; i++) {
			for (j = 0; j < NR_FEATURES; j++)
				features[j] = prandom_u32_state(&rnd) % 1000;
			measure(&taken[i], features,
				prandom_u32_state(&rnd) % 1000);
		}
		tell_arm(ML_ARM_CONTROL);
		tell_arm(ML_ARM_TREATMENT);
		msleep(100);
	}
	return 0;
}

static struct task_struct *bench_task;

static int __init bench_init(void)
{
	int err = ml_create(&bench_site, &bench_desc, NULL);

	if (err)
		return err;
	err = ml_start(&bench_site);
	if (err)
		goto err_destroy;
	pr_info("ml_bench: bytes proxy %zu cpu %zu hints %zu\n",
		sizeof(struct ml_proxy), sizeof(struct ml_cpu),
		(size_t)1 << 16);
	bench_task = kthread_run(bench_thread, NULL, "ml_bench");
	if (!IS_ERR(bench_task))
		return 0;
	err = PTR_ERR(bench_task);
err_destroy:
	ml_destroy(&bench_site);
	return err;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	kthread_stop(bench_task);
	ml_destroy(&bench_site);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("ML_LIB: cost of the hot path");
MODULE_LICENSE("GPL");
