// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated cpufreq driver: slows the work of a virtual CPU in proportion to
 * the chosen frequency and counts the energy that a real one would have used.
 *
 * See cpufreq_model.c for the arithmetic and Documentation/rig/cpufreq.rst for
 * the files it shows.
 */

#define pr_fmt(fmt) "rig_cpufreq: " fmt

#include <linux/cpu.h>
#include <linux/cpufreq.h>
#include <linux/delay.h>
#include <linux/energy_model.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <trace/events/irq.h>
#include <trace/events/power.h>
#include <asm/cpufeature.h>
#include <asm/topology.h>
#include <asm/trace/irq_vectors.h>

#include "cpufreq_model.h"

/**
 * DOC: cpufreq driver
 *
 * All state of a CPU is touched on that CPU only, with interrupts off; others
 * ask it by a function call interrupt. There are no locks.
 *
 * - A pinned hrtimer in hard-irq context runs while the CPU is busy below its
 *   highest frequency. Its handler pays the debt by executing instructions
 *   that do nothing, and so, with interrupt-time accounting off, charges the
 *   time to the running task, as slow hardware would.
 * - Idle begins at the cpu_idle tracepoint and ends at the first interrupt
 *   after it, or at cpu_idle's exit event if there was none. Work done in
 *   interrupts is therefore slowed like any other.
 * - What the handler costs outside itself (interrupt entry, timer queue,
 *   return) cannot be read off a clock inside it. It is measured once at start,
 *   as the delay per interrupt of a fixed amount of work, and credited.
 * - Frequency invariance: arch_freq_scale is written at each switch, which is
 *   what the kernel derives from APERF/MPERF on a CPU that has them.
 */

/* As the device tree of the part states it */
#define RIG_TRANSITION_NS	40000
/* The least time ahead that the timer is set to */
#define RIG_TIMER_MIN_NS	500

/**
 * struct rig_cpu - one simulated CPU
 * @model: time, debt and energy
 * @timer: goes off when the next steal is due
 * @active: a policy uses this CPU
 * @stolen_ns: time spent in the timer's handler
 * @steals: number of times the handler ran
 * @fast: frequency changes made by the scheduler
 * @slow: frequency changes made by a sleeping governor
 */
struct rig_cpu {
	struct rig_cpu_model model;
	struct hrtimer timer;
	bool active;
	u64 stolen_ns;
	u64 steals;
	u64 fast;
	u64 slow;
};

static DEFINE_PER_CPU(struct rig_cpu, rig_cpus);

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "rig_cpufreq."

static bool enable;
module_param(enable, bool, 0444);
MODULE_PARM_DESC(enable, "Simulate the CPU's clock (default: no)");

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the jitter of the steals (default: 1)");

/* Set once at start */
static bool calibrating __ro_after_init;
static u32 overhead_ns __ro_after_init;
static u32 spin_ns __ro_after_init;

static struct cpufreq_frequency_table rig_freq_table[RIG_CPU_NR_OPPS + 1];

/*
 * No-ops, because an emulator drops them from the code it generates but not
 * from the count of instructions that is its clock: stealing is nearly free.
 */
static void spin(u32 loops)
{
	asm volatile("1:\n\t"
		     ".rept 126\n\t"
		     "nop\n\t"
		     ".endr\n\t"
		     "dec %0\n\t"
		     "jnz 1b"
		     : "+r" (loops) : : "cc");
}

/* Returns the time, which is later than or equal to @end. */
static u64 spin_until(u64 end)
{
	u64 now;

	while ((now = ktime_get_ns()) < end) {
		/* the last turn and the clock's reading must not overshoot */
		u64 loops = (end - now) / spin_ns;

		if (loops > 1)
			spin(loops - 1);
	}

	return now;
}

static void rig_cpu_arm(struct rig_cpu *c)
{
	u64 ns = max_t(u64, c->model.left_ns, RIG_TIMER_MIN_NS);

	hrtimer_start(&c->timer, ns_to_ktime(c->model.since + ns),
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

static enum hrtimer_restart rig_cpu_steal(struct hrtimer *timer)
{
	struct rig_cpu *c = container_of(timer, struct rig_cpu, timer);
	u64 start = ktime_get_ns();

	rig_cpu_settle(&c->model, start);
	rig_cpu_credit(&c->model, overhead_ns);
	if (!calibrating)
		spin_until(start + rig_cpu_due(&c->model));
	rig_cpu_next(&c->model);
	rig_cpu_paid(&c->model, ktime_get_ns());
	c->stolen_ns += c->model.since - start;
	c->steals++;

	hrtimer_set_expires(timer, ns_to_ktime(c->model.since +
					       c->model.left_ns));
	return HRTIMER_RESTART;
}

static void rig_cpu_idle_enter(struct rig_cpu *c)
{
	rig_cpu_settle(&c->model, ktime_get_ns());
	c->model.idle = true;
	if (c->model.opp != RIG_CPU_OPP_MAX)
		hrtimer_try_to_cancel(&c->timer);
}

static void rig_cpu_idle_exit(struct rig_cpu *c)
{
	rig_cpu_settle(&c->model, ktime_get_ns());
	c->model.idle = false;
	if (c->model.opp != RIG_CPU_OPP_MAX) {
		rig_cpu_arm(c);
		rig_cpu_paid(&c->model, ktime_get_ns());
	}
}

static void probe_cpu_idle(void *data, unsigned int state, unsigned int cpu)
{
	struct rig_cpu *c = this_cpu_ptr(&rig_cpus);

	if (!c->active)
		return;

	if (state != PWR_EVENT_EXIT)
		rig_cpu_idle_enter(c);
	else if (c->model.idle)
		rig_cpu_idle_exit(c);
}

static void interrupt_entry(void)
{
	struct rig_cpu *c = this_cpu_ptr(&rig_cpus);

	if (c->model.idle)
		rig_cpu_idle_exit(c);
}

static void probe_vector(void *data, int vector)
{
	interrupt_entry();
}

static void probe_irq(void *data, int irq, struct irqaction *action)
{
	interrupt_entry();
}

/* Runs on the CPU concerned, interrupts off */
static void rig_cpu_switch(struct rig_cpu *c, unsigned int opp)
{
	rig_cpu_settle(&c->model, ktime_get_ns());
	rig_cpu_set_opp(&c->model, opp);
	this_cpu_write(arch_freq_scale, rig_cpu_scale(opp));

	if (c->model.idle)
		return;
	if (opp == RIG_CPU_OPP_MAX)
		hrtimer_try_to_cancel(&c->timer);
	else
		rig_cpu_arm(c);
	rig_cpu_paid(&c->model, ktime_get_ns());
}

static void switch_local(void *info)
{
	struct rig_cpu *c = this_cpu_ptr(&rig_cpus);

	c->slow++;
	rig_cpu_switch(c, *(unsigned int *)info);
}

static int rig_target_index(struct cpufreq_policy *policy, unsigned int index)
{
	return smp_call_function_single(policy->cpu, switch_local, &index, 1);
}

static unsigned int rig_fast_switch(struct cpufreq_policy *policy,
				    unsigned int target_freq)
{
	struct rig_cpu *c = this_cpu_ptr(&rig_cpus);
	unsigned int index;

	if (policy->cached_target_freq == target_freq)
		index = policy->cached_resolved_idx;
	else
		index = cpufreq_table_find_index_l(policy, target_freq, false);

	c->fast++;
	rig_cpu_switch(c, index);

	return rig_cpu_opps[index].khz;
}

static unsigned int rig_get(unsigned int cpu)
{
	return rig_cpu_opps[READ_ONCE(per_cpu(rig_cpus, cpu).model.opp)].khz;
}

static void start_local(void *info)
{
	struct rig_cpu *c = this_cpu_ptr(&rig_cpus);

	c->active = true;
	/* what was counted before the CPU went away stays counted */
	c->model.since = ktime_get_ns();
}

static void stop_local(void *info)
{
	struct rig_cpu *c = this_cpu_ptr(&rig_cpus);

	rig_cpu_switch(c, RIG_CPU_OPP_MAX);
	c->active = false;
}

static int rig_init(struct cpufreq_policy *policy)
{
	policy->freq_table = rig_freq_table;
	policy->cpuinfo.transition_latency = RIG_TRANSITION_NS;
	policy->fast_switch_possible = true;
	policy->cur = rig_get(policy->cpu);

	return smp_call_function_single(policy->cpu, start_local, NULL, 1);
}

static void rig_exit(struct cpufreq_policy *policy)
{
	smp_call_function_single(policy->cpu, stop_local, NULL, 1);
}

static int rig_active_power(struct device *dev, unsigned long *power,
			    unsigned long *freq)
{
	int i;

	for (i = 0; i < RIG_CPU_NR_OPPS; i++) {
		if (rig_cpu_opps[i].khz < *freq)
			continue;
		*freq = rig_cpu_opps[i].khz;
		*power = rig_cpu_busy_uw(i);
		return 0;
	}

	return -EINVAL;
}

static void rig_register_em(struct cpufreq_policy *policy)
{
	struct em_data_callback em_cb = EM_DATA_CB(rig_active_power);

	em_dev_register_perf_domain(get_cpu_device(policy->cpu),
				    RIG_CPU_NR_OPPS, &em_cb, policy->cpus,
				    true);
}

static void read_local(void *info)
{
	struct rig_cpu *c = this_cpu_ptr(&rig_cpus);

	rig_cpu_settle(&c->model, ktime_get_ns());
	*(struct rig_cpu *)info = *c;
}

static ssize_t show_rig_energy_uj(struct cpufreq_policy *policy, char *buf)
{
	struct rig_cpu c;
	int ret = smp_call_function_single(policy->cpu, read_local, &c, 1);

	if (ret)
		return ret;

	return sysfs_emit(buf, "%llu\n", rig_cpu_energy_uj(&c.model.time));
}

static ssize_t show_rig_residency(struct cpufreq_policy *policy, char *buf)
{
	struct rig_cpu c;
	int ret = smp_call_function_single(policy->cpu, read_local, &c, 1);
	int i, len = 0;

	if (ret)
		return ret;

	for (i = 0; i < RIG_CPU_NR_OPPS; i++)
		len += sysfs_emit_at(buf, len, "%u %llu %llu\n",
				     rig_cpu_opps[i].khz,
				     c.model.time.busy_ns[i],
				     c.model.time.idle_ns[i]);

	return len;
}

static ssize_t show_rig_power(struct cpufreq_policy *policy, char *buf)
{
	int i, len = 0;

	for (i = 0; i < RIG_CPU_NR_OPPS; i++)
		len += sysfs_emit_at(buf, len, "%u %u %u %u\n",
				     rig_cpu_opps[i].khz, rig_cpu_opps[i].uv,
				     rig_cpu_busy_uw(i), rig_cpu_idle_uw(i));

	return len;
}

static ssize_t show_rig_stats(struct cpufreq_policy *policy, char *buf)
{
	struct rig_cpu c;
	int ret = smp_call_function_single(policy->cpu, read_local, &c, 1);

	if (ret)
		return ret;

	return sysfs_emit(buf,
			  "stolen_ns %llu\nsteals %llu\nfast_switches %llu\nslow_switches %llu\noverhead_ns %u\n",
			  c.stolen_ns, c.steals, c.fast, c.slow, overhead_ns);
}

cpufreq_freq_attr_ro(rig_energy_uj);
cpufreq_freq_attr_ro(rig_residency);
cpufreq_freq_attr_ro(rig_power);
cpufreq_freq_attr_ro(rig_stats);

static struct freq_attr *rig_attr[] = {
	&rig_energy_uj,
	&rig_residency,
	&rig_power,
	&rig_stats,
	NULL
};

static struct cpufreq_driver rig_driver = {
	.name		= "rig",
	.init		= rig_init,
	.exit		= rig_exit,
	.verify		= cpufreq_generic_frequency_table_verify,
	.target_index	= rig_target_index,
	.fast_switch	= rig_fast_switch,
	.get		= rig_get,
	.register_em	= rig_register_em,
	.attr		= rig_attr,
};

/* Time that a fixed amount of work takes, the shortest of some attempts */
static u64 __init time_spin(u32 loops)
{
	u64 best = U64_MAX, start;
	int i;

	for (i = 0; i < 5; i++) {
		start = ktime_get_ns();
		spin(loops);
		best = min(best, ktime_get_ns() - start);
	}

	return best;
}

/*
 * What an interrupt of the timer adds to the time of the work that it
 * interrupts, beyond what its handler sees. The handler runs as it will later,
 * at the frequency where it comes most often, but steals nothing.
 */
static void __init calibrate(void)
{
	struct rig_cpu *c;
	u64 alone, with;
	u32 loops;

	preempt_disable();
	c = this_cpu_ptr(&rig_cpus);

	spin_ns = DIV_ROUND_UP(time_spin(1000), 1000);
	/* about 5 ms: several hundred interrupts, a few ticks */
	loops = 5 * NSEC_PER_MSEC / spin_ns;
	alone = time_spin(loops);

	calibrating = true;
	c->model.opp = 0;
	c->model.since = ktime_get_ns();
	local_irq_disable();
	rig_cpu_arm(c);
	local_irq_enable();
	with = ktime_get_ns();
	spin(loops);
	with = ktime_get_ns() - with;
	hrtimer_cancel(&c->timer);
	calibrating = false;

	if (c->steals && with > alone + c->stolen_ns)
		overhead_ns = div64_u64(with - alone - c->stolen_ns, c->steals);
	preempt_enable();
}

static void __init init_cpus(void)
{
	struct rig_cpu *c;
	int cpu;

	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(&rig_cpus, cpu);
		memset(c, 0, sizeof(*c));
		rig_cpu_init(&c->model, ktime_get_ns(), seed + cpu);
		hrtimer_init(&c->timer, CLOCK_MONOTONIC,
			     HRTIMER_MODE_ABS_PINNED_HARD);
		c->timer.function = rig_cpu_steal;
	}
}

static int __init register_probes(void)
{
	int ret;

	ret = register_trace_cpu_idle(probe_cpu_idle, NULL);
	if (ret)
		return ret;
	ret = register_trace_local_timer_entry(probe_vector, NULL);
	if (ret)
		goto no_timer;
	ret = register_trace_irq_handler_entry(probe_irq, NULL);
	if (ret)
		goto no_irq;

	return 0;

no_irq:
	unregister_trace_local_timer_entry(probe_vector, NULL);
no_timer:
	unregister_trace_cpu_idle(probe_cpu_idle, NULL);
	return ret;
}

static void __init unregister_probes(void)
{
	unregister_trace_irq_handler_entry(probe_irq, NULL);
	unregister_trace_local_timer_entry(probe_vector, NULL);
	unregister_trace_cpu_idle(probe_cpu_idle, NULL);
}

static int __init rig_cpufreq_init(void)
{
	int i, ret;

	if (!enable)
		return 0;
	if (boot_cpu_has(X86_FEATURE_APERFMPERF)) {
		/* the tick would overwrite arch_freq_scale */
		pr_err("this CPU reports its real frequency: not simulated\n");
		return -ENODEV;
	}
	if (!boot_cpu_has(X86_FEATURE_CONSTANT_TSC))
		pr_warn("no constant TSC: fast switching will be refused\n");

	/* the first ticks after boot turn high-resolution timers on */
	for (i = 0; i < 100 && hrtimer_resolution != 1; i++)
		msleep(20);
	if (hrtimer_resolution != 1) {
		pr_err("no high-resolution timers: not simulated\n");
		return -ENODEV;
	}

	for (i = 0; i < RIG_CPU_NR_OPPS; i++)
		rig_freq_table[i].frequency = rig_cpu_opps[i].khz;
	rig_freq_table[i].frequency = CPUFREQ_TABLE_END;

	ret = register_probes();
	if (ret)
		return ret;
	init_cpus();
	calibrate();
	init_cpus();

	static_branch_enable(&arch_scale_freq_key);
	ret = cpufreq_register_driver(&rig_driver);
	if (ret) {
		pr_err("cannot register the driver: %d\n", ret);
		static_branch_disable(&arch_scale_freq_key);
		unregister_probes();
		return ret;
	}
	pr_info("%u to %u kHz, %u ns overhead per steal, frequency invariance %s\n",
		rig_cpu_opps[0].khz, rig_cpu_opps[RIG_CPU_OPP_MAX].khz,
		overhead_ns,
		arch_scale_freq_invariant() ? "on" : "off");

	return 0;
}
late_initcall(rig_cpufreq_init);
