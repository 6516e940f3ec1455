// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: on every CPU a thread and a timer in hard-irq context
 * decide and observe at two sites, in all contexts but NMI, while the sites'
 * proxies are created, started, emptied, stopped and destroyed beneath them.
 * For kernels with debugging options: it is they who find what is wrong.
 *
 * Ends by itself after @seconds and says "ml_stress: done".
 */
#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ml_lib.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

static unsigned int seconds = 10;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "how long");

#define NR_FEATURES	5
#define NR_ACTIONS	3
#define TIMER_NS	500000

static const struct ml_feature stress_features[NR_FEATURES] = {
	{ "f0", "1" }, { "f1", "1" }, { "f2", "1" }, { "f3", "1" },
	{ "f4", "1" },
};

static const struct ml_action stress_actions[NR_ACTIONS] = {
	{ "stock" }, { "other" }, { "third" },
};

static atomic_long_t decisions, corrections;

static void stress_correct(void *priv, enum ml_mode mode,
			   enum ml_reason reason)
{
	atomic_long_inc(&corrections);
	/* Who destroys the proxy meanwhile has to wait */
	usleep_range(100, 200);
}

/* Out of bounds now and then: that is counted, and stock's action taken */
static unsigned int stress_rule(const s32 *features)
{
	return (u32)features[0] % (NR_ACTIONS + 1);
}

static const struct ml_ops stress_ops = {
	.correct = stress_correct,
	.rule = stress_rule,
};

static const struct ml_proxy_desc stress_desc[] = { {
	.name = "stress0",
	.features = stress_features,
	.nr_features = NR_FEATURES,
	.actions = stress_actions,
	.nr_actions = NR_ACTIONS,
	.ops = &stress_ops,
	.ring_order = 12,
	.hint_order = 8,
	.watchdog_ms = 20,
}, {
	.name = "stress1",
	.features = stress_features,
	.nr_features = NR_FEATURES,
	.actions = stress_actions,
	.nr_actions = NR_ACTIONS,
	.ops = &stress_ops,
	.arm_slot_order = 20,
	.watchdog_ms = 100,
} };

static DEFINE_ML_SITE(site0);
static DEFINE_ML_SITE(site1);
static DEFINE_RAW_SPINLOCK(stress_lock);

struct stress_cpu {
	struct hrtimer timer;
	struct task_struct *thread;
	/* Made by the timer, observed by the thread, on whatever CPU */
	struct ml_decision late;
};

static DEFINE_PER_CPU(struct stress_cpu, stress_cpus);
static struct task_struct *life_thread;

/*
 * Numbers for any context: get_random_u32() may not be called with a raw lock
 * held. Two CPUs may get the same one, which does no harm here.
 */
static u32 draw_number(void)
{
	static atomic_t count;

	return hash_32(atomic_inc_return(&count), 32) >> 3;
}

/* A site's key is a constant of its call sites, hence inline */
static __always_inline void step(struct ml_site *site,
				 struct ml_decision *decision)
{
	u32 draw = draw_number();
	s32 features[NR_FEATURES] = { draw, draw >> 3, draw % 7, 0, -1 };
	unsigned int action = ml_decide(site, draw % 97, features, decision);

	WARN_ON_ONCE(action >= NR_ACTIONS);
	atomic_long_inc(&decisions);
}

static void stress_step(void)
{
	struct ml_decision decision;

	step(&site0, &decision);
	ml_observe(&site0, &decision, (s32)draw_number());
	step(&site1, &decision);
	ml_observe_many(&site1, &decision, draw_number() % 100,
			draw_number());
}

static enum hrtimer_restart stress_timer(struct hrtimer *timer)
{
	struct stress_cpu *cpu = container_of(timer, struct stress_cpu, timer);

	stress_step();
	step(&site0, &cpu->late);
	hrtimer_forward_now(timer, TIMER_NS);
	return HRTIMER_RESTART;
}

static void start_timer(void *unused)
{
	struct hrtimer *timer = &this_cpu_ptr(&stress_cpus)->timer;

	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->function = stress_timer;
	hrtimer_start(timer, TIMER_NS, HRTIMER_MODE_REL_PINNED_HARD);
}

static int stress_thread(void *data)
{
	struct stress_cpu *cpu = data;
	struct ml_decision late;
	unsigned long flags;

	while (!kthread_should_stop()) {
		stress_step();
		local_irq_save(flags);
		stress_step();
		late = cpu->late;
		cpu->late.id = 0;
		local_irq_restore(flags);
		/* Perhaps of a proxy that is no more */
		ml_observe(&site0, &late, late.id % 1000);
		raw_spin_lock_irqsave(&stress_lock, flags);
		stress_step();
		raw_spin_unlock_irqrestore(&stress_lock, flags);
		local_bh_disable();
		stress_step();
		local_bh_enable();
		if (get_random_u32() % 64 == 0)
			ml_alarm(get_random_u32() % 2 ? &site0 : &site1);
		cond_resched();
		if (get_random_u32() % 16 == 0)
			usleep_range(50, 500);
	}
	return 0;
}

/* Some steps of a life, in any order: what makes no sense must do no harm */
static int live(struct ml_site *site, const struct ml_proxy_desc *desc)
{
	unsigned int steps = get_random_u32() % 8;
	int err = ml_create(site, desc, NULL);

	if (err)
		return err;
	ml_start(site);
	while (steps--) {
		usleep_range(100, 20000);
		switch (get_random_u32() % 4) {
		case 0:
			ml_stop(site);
			break;
		case 1:
			ml_start(site);
			break;
		case 2:
			ml_reinit(site);
			break;
		case 3:
			WARN_ON(ml_create(site, desc, NULL) != -EBUSY);
			break;
		}
	}
	ml_destroy(site);
	ml_destroy(site);
	return 0;
}

static void stop_cpus(void)
{
	unsigned int i;

	for_each_possible_cpu(i) {
		struct stress_cpu *cpu = per_cpu_ptr(&stress_cpus, i);

		if (cpu->thread)
			kthread_stop(cpu->thread);
		cpu->thread = NULL;
		if (cpu->timer.function)
			hrtimer_cancel(&cpu->timer);
	}
}

static int stress_life(void *unused)
{
	unsigned long end = jiffies + seconds * HZ, lives = 0, failures = 0;

	while (!kthread_should_stop() && time_before(jiffies, end)) {
		/* Failing allocations are part of it */
		if (live(&site0, &stress_desc[0]))
			failures++;
		if (live(&site1, &stress_desc[1]))
			failures++;
		lives += 2;
		usleep_range(100, 5000);
	}
	stop_cpus();
	pr_info("ml_stress: done %ld decisions %lu lives\n",
		atomic_long_read(&decisions), lives - failures);
	pr_info("ml_stress: %lu lives failed to begin, %ld corrections\n",
		failures, atomic_long_read(&corrections));
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static int __init stress_init(void)
{
	unsigned int i;

	for_each_online_cpu(i) {
		struct stress_cpu *cpu = per_cpu_ptr(&stress_cpus, i);
		struct task_struct *thread =
			kthread_run_on_cpu(stress_thread, cpu, i,
					   "ml_stress/%u");

		if (IS_ERR(thread)) {
			stop_cpus();
			return PTR_ERR(thread);
		}
		cpu->thread = thread;
	}
	on_each_cpu(start_timer, NULL, 1);
	life_thread = kthread_run(stress_life, NULL, "ml_stress");
	if (IS_ERR(life_thread)) {
		stop_cpus();
		return PTR_ERR(life_thread);
	}
	return 0;
}
module_init(stress_init);

static void __exit stress_exit(void)
{
	kthread_stop(life_thread);
	/* One that has never run has not done it */
	stop_cpus();
}
module_exit(stress_exit);

MODULE_DESCRIPTION("ML_LIB: stress test");
MODULE_LICENSE("GPL");
