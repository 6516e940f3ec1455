// SPDX-License-Identifier: GPL-2.0-only
/*
 * Model of a processor core with a variable clock: time, work and energy.
 *
 * Pure computation on numbers that the caller supplies: no clock is read and
 * nothing is allocated, so that the tests run anywhere.
 */

#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "cpufreq_model.h"

/**
 * DOC: cpufreq model
 *
 * The machine underneath always runs at one speed. The model calls that speed
 * the highest frequency, fmax, and makes work slower at a lower frequency f by
 * taking time away: work that ran for t owes the core t * (fmax - f) / f, so
 * that it ends after t * fmax / f in all.
 *
 * 1. *Debt.* Whatever ran since the last look at the clock adds to the debt,
 *    at the frequency of that time. The division keeps its remainder, so the
 *    debt does not drift however often it is brought up to date.
 * 2. *Steal.* After a stretch of running, the driver holds the core until the
 *    debt is paid. The stretch is such that one steal is about
 *    %RIG_CPU_STEAL_NS long (an interrupt may be late by that much), but no
 *    longer than %RIG_CPU_WORK_MAX_NS.
 * 3. *Overhead.* The time that the driver itself needs counts as paid: an
 *    interrupt that costs h real time would have cost h * fmax / f, and was
 *    not asked for, so that much is credited. Ahead of time no more than
 *    %RIG_CPU_CREDIT_MAX_NS is credited, so that frequent switches near fmax,
 *    where there is little to steal, do not speed up what comes later.
 * 4. *Jitter.* Each stretch is drawn evenly from half to one and a half times
 *    its mean, and what is left of it, like the debt, is kept over idle time
 *    and frequency changes. A burst shorter than a stretch therefore meets a
 *    steal in proportion to its length: single short bursts vary, their mean
 *    and their sum do not.
 * 5. *Energy* is the sum over operating points of P(busy) * busy time and
 *    P(idle) * idle time. Only the times are kept, so nothing is rounded
 *    until the energy is read. Stolen time is busy time.
 *
 * Frequencies, voltages and the coefficient C are those that Linux states for
 * the Cortex-A72 cores of the Rockchip RK3399
 * (arch/arm64/boot/dts/rockchip/rk3399.dtsi, rk3399-base.dtsi)::
 *
 *     P(busy) = C * V^2 * f + L * V^2     C = 436 uW/(MHz * V^2)
 *     P(idle) = L * V^2                   L = 100 mW/V^2
 *
 * L, the leakage, is an assumption: about a ninth of the power at 1.8 GHz and
 * a third at 408 MHz. Idle is a stopped clock with the supply left on. The
 * three lowest points share one voltage, so the lower two cost more energy for
 * the same work than the third; the Energy Model marks them as inefficient,
 * as it does on the real part, and schedutil passes them over.
 *
 * Not modelled: time and energy of a frequency change, deeper idle states,
 * temperature, memory that keeps its speed when the clock falls (all work
 * scales with f), and cores that share a clock or a supply.
 */

/* uW per MHz and V^2 */
#define RIG_CPU_DYNAMIC		436
/* uW per V^2 */
#define RIG_CPU_LEAKAGE		100000

const struct rig_cpu_opp rig_cpu_opps[RIG_CPU_NR_OPPS] = {
	{ .khz =  408000, .uv =  825000 },
	{ .khz =  600000, .uv =  825000 },
	{ .khz =  816000, .uv =  825000 },
	{ .khz = 1008000, .uv =  875000 },
	{ .khz = 1200000, .uv =  950000 },
	{ .khz = 1416000, .uv = 1025000 },
	{ .khz = 1608000, .uv = 1100000 },
	{ .khz = 1800000, .uv = 1200000 },
};

/* power_uw at one volt, scaled by the square of the point's voltage */
static u32 at_voltage(u64 power_uw, unsigned int opp)
{
	u64 mv = rig_cpu_opps[opp].uv / 1000;

	return div_u64(power_uw * mv * mv, 1000 * 1000);
}

static u32 khz_above(unsigned int opp)
{
	return rig_cpu_opps[RIG_CPU_OPP_MAX].khz - rig_cpu_opps[opp].khz;
}

/**
 * rig_cpu_busy_uw() - power of a core that runs
 * @opp: index of the operating point
 *
 * Context: Any.
 * Return: The power in microwatts.
 */
u32 rig_cpu_busy_uw(unsigned int opp)
{
	u64 mhz = rig_cpu_opps[opp].khz / 1000;

	return at_voltage(RIG_CPU_DYNAMIC * mhz + RIG_CPU_LEAKAGE, opp);
}

/**
 * rig_cpu_idle_uw() - power of a core whose clock is stopped
 * @opp: index of the operating point, which sets the voltage
 *
 * Context: Any.
 * Return: The power in microwatts.
 */
u32 rig_cpu_idle_uw(unsigned int opp)
{
	return at_voltage(RIG_CPU_LEAKAGE, opp);
}

/**
 * rig_cpu_energy_uj() - energy that was used
 * @time: how long the core was busy and idle at each operating point
 *
 * Seconds and the rest are summed apart: no product overflows in centuries,
 * and the result is the exact sum rounded down.
 *
 * Context: Any.
 * Return: The energy in microjoules.
 */
u64 rig_cpu_energy_uj(const struct rig_cpu_residency *time)
{
	u64 uj = 0, fj = 0;
	u32 rem;
	int i;

	for (i = 0; i < RIG_CPU_NR_OPPS; i++) {
		uj += div_u64_rem(time->busy_ns[i], NSEC_PER_SEC, &rem) *
		      rig_cpu_busy_uw(i);
		fj += (u64)rem * rig_cpu_busy_uw(i);
		uj += div_u64_rem(time->idle_ns[i], NSEC_PER_SEC, &rem) *
		      rig_cpu_idle_uw(i);
		fj += (u64)rem * rig_cpu_idle_uw(i);
	}

	return uj + div_u64(fj, NSEC_PER_SEC);
}

/**
 * rig_cpu_scale() - speed for the scheduler's frequency invariance
 * @opp: index of the operating point
 *
 * Context: Any.
 * Return: The frequency as a share of the highest, in 1/1024.
 */
u32 rig_cpu_scale(unsigned int opp)
{
	return div_u64((u64)rig_cpu_opps[opp].khz << 10,
		       rig_cpu_opps[RIG_CPU_OPP_MAX].khz);
}

/**
 * rig_cpu_work_ns() - mean time to run between two steals
 * @opp: index of the operating point
 *
 * Context: Any.
 * Return: The time in nanoseconds.
 */
u64 rig_cpu_work_ns(unsigned int opp)
{
	if (opp == RIG_CPU_OPP_MAX)
		return RIG_CPU_WORK_MAX_NS;

	return min_t(u64, RIG_CPU_WORK_MAX_NS,
		     div_u64((u64)RIG_CPU_STEAL_NS * rig_cpu_opps[opp].khz,
			     khz_above(opp)));
}

/**
 * rig_cpu_init() - start a core: busy, at the highest frequency
 * @model: the core
 * @now: the time
 * @seed: seed of the jitter
 *
 * Context: Any; the caller serializes all calls for one core.
 */
void rig_cpu_init(struct rig_cpu_model *model, u64 now, u64 seed)
{
	memset(model, 0, sizeof(*model));
	model->since = now;
	model->opp = RIG_CPU_OPP_MAX;
	prandom_seed_state(&model->rnd, seed);
	rig_cpu_next(model);
}

/**
 * rig_cpu_settle() - account for the time since the last look
 * @model: the core
 * @now: the time
 *
 * To be called before anything about the core changes.
 *
 * Context: Any; the caller serializes all calls for one core.
 */
void rig_cpu_settle(struct rig_cpu_model *model, u64 now)
{
	u64 ran = now - model->since;
	u32 khz = rig_cpu_opps[model->opp].khz;
	u32 above = khz_above(model->opp);
	u32 rem;

	model->since = now;
	if (model->idle) {
		model->time.idle_ns[model->opp] += ran;
		return;
	}
	model->time.busy_ns[model->opp] += ran;
	if (!above)
		return;

	model->left_ns -= min(ran, model->left_ns);
	/* ran * above / khz in two parts, which cannot overflow */
	model->debt_ns += div_u64_rem(ran, khz, &rem) * above;
	model->debt_ns += div_u64_rem((u64)rem * above + model->debt_rem, khz,
				      &model->debt_rem);
}

/**
 * rig_cpu_paid() - account for time that the simulation took
 * @model: the core
 * @now: the time
 *
 * The time since the last look was a steal, or the driver's own work: it pays
 * off debt and makes none.
 *
 * Context: Any; the caller serializes all calls for one core.
 */
void rig_cpu_paid(struct rig_cpu_model *model, u64 now)
{
	u64 ns = now - model->since;

	model->since = now;
	model->time.busy_ns[model->opp] += ns;
	if (model->opp == RIG_CPU_OPP_MAX)
		return;

	model->debt_ns = max_t(s64, model->debt_ns - (s64)ns,
			       -RIG_CPU_CREDIT_MAX_NS);
}

/**
 * rig_cpu_credit() - take back the debt for time that was not work
 * @model: the core
 * @ns: time that was, or will be, settled as work but is overhead
 *
 * Overhead neither had to be slowed nor had to take its own time, hence
 * ns * fmax / f.
 *
 * Context: Any; the caller serializes all calls for one core.
 */
void rig_cpu_credit(struct rig_cpu_model *model, u64 ns)
{
	u64 wall;

	if (model->opp == RIG_CPU_OPP_MAX)
		return;

	wall = div_u64(ns * rig_cpu_opps[RIG_CPU_OPP_MAX].khz,
		       rig_cpu_opps[model->opp].khz);
	model->debt_ns = max_t(s64, model->debt_ns - (s64)wall,
			       -RIG_CPU_CREDIT_MAX_NS);
}

/**
 * rig_cpu_set_opp() - change the frequency
 * @model: the core, settled
 * @opp: index of the new operating point
 *
 * What is left of the current stretch keeps its share of the mean: a governor
 * that switches often must not put off the next steal for ever.
 *
 * Context: Any; the caller serializes all calls for one core.
 */
void rig_cpu_set_opp(struct rig_cpu_model *model, unsigned int opp)
{
	if (opp == model->opp)
		return;

	model->left_ns = div64_u64(model->left_ns * rig_cpu_work_ns(opp),
				   rig_cpu_work_ns(model->opp));
	model->opp = opp;
	model->debt_rem = 0;
}

/**
 * rig_cpu_due() - how long to hold the core now
 * @model: the core, settled
 *
 * Context: Any; the caller serializes all calls for one core.
 * Return: The time to steal in nanoseconds, 0 if nothing is owed.
 */
u64 rig_cpu_due(const struct rig_cpu_model *model)
{
	return clamp_t(s64, model->debt_ns, 0, RIG_CPU_STEAL_MAX_NS);
}

/**
 * rig_cpu_next() - draw the run time until the next steal
 * @model: the core
 *
 * Context: Any; the caller serializes all calls for one core.
 */
void rig_cpu_next(struct rig_cpu_model *model)
{
	u32 mean = rig_cpu_work_ns(model->opp);

	model->left_ns = mean / 2 + prandom_u32_state(&model->rnd) % (mean + 1);
}
