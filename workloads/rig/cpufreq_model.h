/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model of a processor core with a variable clock: time, work and energy.
 */
#ifndef RIG_CPUFREQ_MODEL_H
#define RIG_CPUFREQ_MODEL_H

#include <linux/prandom.h>
#include <linux/types.h>

#define RIG_CPU_NR_OPPS		8
#define RIG_CPU_OPP_MAX		(RIG_CPU_NR_OPPS - 1)

/* Mean length of one steal; what an interrupt can be late because of it. */
#define RIG_CPU_STEAL_NS	40000
/* Longest mean run between two steals. */
#define RIG_CPU_WORK_MAX_NS	100000
/* Longest steal at once, however much is owed: a tick must not be lost. */
#define RIG_CPU_STEAL_MAX_NS	500000
/* Most that can be paid ahead. */
#define RIG_CPU_CREDIT_MAX_NS	50000

/**
 * struct rig_cpu_opp - one operating point
 * @khz: frequency
 * @uv: supply voltage in microvolts
 */
struct rig_cpu_opp {
	u32 khz;
	u32 uv;
};

extern const struct rig_cpu_opp rig_cpu_opps[RIG_CPU_NR_OPPS];

/**
 * struct rig_cpu_residency - time spent at each operating point
 * @busy_ns: time not idle, stolen time included
 * @idle_ns: time in the idle state
 */
struct rig_cpu_residency {
	u64 busy_ns[RIG_CPU_NR_OPPS];
	u64 idle_ns[RIG_CPU_NR_OPPS];
};

/**
 * struct rig_cpu_model - state of one modelled core
 * @time: residencies up to @since
 * @since: time up to which everything is accounted for
 * @debt_ns: time still to steal for work done; negative when paid ahead
 * @debt_rem: remainder of the division behind @debt_ns, in 1/khz ns
 * @left_ns: run time left until the next steal is due
 * @opp: index of the operating point
 * @idle: the core is in its idle state
 * @rnd: source of the jitter
 */
struct rig_cpu_model {
	struct rig_cpu_residency time;
	u64 since;
	s64 debt_ns;
	u32 debt_rem;
	u64 left_ns;
	unsigned int opp;
	bool idle;
	struct rnd_state rnd;
};

u32 rig_cpu_busy_uw(unsigned int opp);
u32 rig_cpu_idle_uw(unsigned int opp);
u64 rig_cpu_energy_uj(const struct rig_cpu_residency *time);
u32 rig_cpu_scale(unsigned int opp);
u64 rig_cpu_work_ns(unsigned int opp);

void rig_cpu_init(struct rig_cpu_model *model, u64 now, u64 seed);
void rig_cpu_settle(struct rig_cpu_model *model, u64 now);
void rig_cpu_paid(struct rig_cpu_model *model, u64 now);
void rig_cpu_credit(struct rig_cpu_model *model, u64 ns);
void rig_cpu_set_opp(struct rig_cpu_model *model, unsigned int opp);
u64 rig_cpu_due(const struct rig_cpu_model *model);
void rig_cpu_next(struct rig_cpu_model *model);

#endif /* RIG_CPUFREQ_MODEL_H */
