// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of the simulated CPU's model. */

#include <kunit/test.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/time64.h>

#include "../cpufreq_model.h"

#define DAY_NS	(24ULL * 3600 * NSEC_PER_SEC)

static struct rig_cpu_model *new_cpu(struct kunit *test, unsigned int opp,
				     u64 seed)
{
	struct rig_cpu_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	rig_cpu_init(m, 1000, seed);
	rig_cpu_set_opp(m, opp);
	rig_cpu_next(m);

	return m;
}

/* Frequency and power rise; voltage and idle power do not fall. */
static void table_is_monotone(struct kunit *test)
{
	int i;

	for (i = 1; i < RIG_CPU_NR_OPPS; i++) {
		KUNIT_EXPECT_GT(test, rig_cpu_opps[i].khz,
				rig_cpu_opps[i - 1].khz);
		KUNIT_EXPECT_GE(test, rig_cpu_opps[i].uv,
				rig_cpu_opps[i - 1].uv);
		KUNIT_EXPECT_GT(test, rig_cpu_busy_uw(i),
				rig_cpu_busy_uw(i - 1));
		KUNIT_EXPECT_GE(test, rig_cpu_idle_uw(i),
				rig_cpu_idle_uw(i - 1));
		KUNIT_EXPECT_GT(test, rig_cpu_scale(i), rig_cpu_scale(i - 1));
	}
	KUNIT_EXPECT_EQ(test, rig_cpu_scale(RIG_CPU_OPP_MAX), 1024);
}

/*
 * Figures worked out by hand from C * V^2 * f + L * V^2; the first is
 * (436 * 408 + 100000) * 0.825^2.
 */
static void power_follows_formula(struct kunit *test)
{
	static const u32 busy_uw[RIG_CPU_NR_OPPS] = {
		189137, 246114, 310212, 413045,
		562438, 753693, 969316, 1274112
	};
	static const u32 idle_uw[RIG_CPU_NR_OPPS] = {
		68062, 68062, 68062, 76562,
		90250, 105062, 121000, 144000
	};
	int i;

	for (i = 0; i < RIG_CPU_NR_OPPS; i++) {
		KUNIT_EXPECT_EQ(test, rig_cpu_busy_uw(i), busy_uw[i]);
		KUNIT_EXPECT_EQ(test, rig_cpu_idle_uw(i), idle_uw[i]);
	}
}

/* 2 s busy and 3 s idle at 1800 MHz, 10 s busy and 0.5 s idle at 408 MHz. */
static void energy_of_schedule(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, 7, 1);
	u64 now = 1000;

	rig_cpu_settle(m, now += 2 * NSEC_PER_SEC);
	m->idle = true;
	rig_cpu_settle(m, now += 3 * NSEC_PER_SEC);
	m->idle = false;
	rig_cpu_set_opp(m, 0);
	rig_cpu_settle(m, now += 4 * NSEC_PER_SEC);
	/* stolen time costs what working does */
	rig_cpu_paid(m, now += 6 * NSEC_PER_SEC);
	m->idle = true;
	rig_cpu_settle(m, now += NSEC_PER_SEC / 2);

	KUNIT_EXPECT_EQ(test, rig_cpu_energy_uj(&m->time),
			2 * 1274112 + 3 * 144000 + 10 * 189137 + 68062 / 2);
}

/* Every state for a century: the sum of the powers times the time. */
static void energy_does_not_overflow(struct kunit *test)
{
	struct rig_cpu_residency *time;
	u64 uw = 0;
	int i;

	time = kunit_kzalloc(test, sizeof(*time), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, time);
	for (i = 0; i < RIG_CPU_NR_OPPS; i++) {
		time->busy_ns[i] = 36500 * DAY_NS + NSEC_PER_SEC - 1;
		time->idle_ns[i] = 36500 * DAY_NS + NSEC_PER_SEC - 1;
		uw += rig_cpu_busy_uw(i) + rig_cpu_idle_uw(i);
	}
	/* a nanosecond less than the full second: just below */
	KUNIT_EXPECT_EQ(test, rig_cpu_energy_uj(time),
			uw * (36500ULL * 24 * 3600 + 1) - 1);
}

/* Whatever happens, the residencies sum up to the time that went by. */
static void residency_sums_to_elapsed(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, 3, 1);
	struct rnd_state rnd;
	u64 now = 1000, sum = 0;
	int i;

	prandom_seed_state(&rnd, 2);
	for (i = 0; i < 10000; i++) {
		now += prandom_u32_state(&rnd) % 1000000;
		switch (prandom_u32_state(&rnd) % 4) {
		case 0:
			rig_cpu_settle(m, now);
			m->idle = !m->idle;
			break;
		case 1:
			rig_cpu_settle(m, now);
			rig_cpu_set_opp(m, prandom_u32_state(&rnd) %
					RIG_CPU_NR_OPPS);
			break;
		case 2:
			rig_cpu_paid(m, now);
			break;
		default:
			rig_cpu_settle(m, now);
			break;
		}
	}
	for (i = 0; i < RIG_CPU_NR_OPPS; i++)
		sum += m->time.busy_ns[i] + m->time.idle_ns[i];
	KUNIT_EXPECT_EQ(test, sum, now - 1000);
}

/* The debt of many odd pieces is that of the whole, to the nanosecond. */
static void debt_does_not_drift(struct kunit *test)
{
	int opp;

	for (opp = 0; opp < RIG_CPU_NR_OPPS; opp++) {
		u64 khz = rig_cpu_opps[opp].khz;
		u64 above = rig_cpu_opps[RIG_CPU_OPP_MAX].khz - khz;
		struct rig_cpu_model *m = new_cpu(test, opp, 1);
		u64 ran = 0;
		int i;

		for (i = 0; i < 100000; i++) {
			ran += 1 + i % 97;
			rig_cpu_settle(m, 1000 + ran);
		}
		KUNIT_EXPECT_EQ(test, (u64)m->debt_ns,
				div64_u64(ran * above, khz));
	}
}

/* Seventeen days in one piece: 408000 kHz owes 1392000/408000 = 58/17 of it. */
static void debt_of_long_stretch(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, 0, 1);

	rig_cpu_settle(m, 1000 + 17 * DAY_NS);
	KUNIT_EXPECT_EQ(test, (u64)m->debt_ns, 58 * DAY_NS);
	KUNIT_EXPECT_EQ(test, rig_cpu_due(m), RIG_CPU_STEAL_MAX_NS);
}

static void nothing_owed_at_fmax_or_idle(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, RIG_CPU_OPP_MAX, 1);
	u64 left = m->left_ns;

	rig_cpu_settle(m, 1000 + DAY_NS);
	rig_cpu_credit(m, 5000);
	rig_cpu_paid(m, 2000 + DAY_NS);
	KUNIT_EXPECT_EQ(test, m->debt_ns, 0);
	KUNIT_EXPECT_EQ(test, m->left_ns, left);

	rig_cpu_set_opp(m, 0);
	left = m->left_ns;
	m->idle = true;
	rig_cpu_settle(m, 2000 + 2 * DAY_NS);
	KUNIT_EXPECT_EQ(test, m->debt_ns, 0);
	KUNIT_EXPECT_EQ(test, m->left_ns, left);
	KUNIT_EXPECT_EQ(test, rig_cpu_due(m), 0);
}

/* 600 MHz owes twice what ran, 1200 MHz half of it. */
static void switch_inside_stretch(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, 1, 1);

	rig_cpu_settle(m, 1000 + 7000);
	rig_cpu_set_opp(m, 4);
	rig_cpu_settle(m, 1000 + 7000 + 5000);
	KUNIT_EXPECT_EQ(test, m->debt_ns, 2 * 7000 + 5000 / 2);
	rig_cpu_paid(m, m->since + 16500);
	KUNIT_EXPECT_EQ(test, m->debt_ns, 0);
}

/* What is left of a stretch keeps its share of the mean stretch. */
static void switch_keeps_share_of_stretch(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, 5, 1);

	m->left_ns = rig_cpu_work_ns(5) / 4;
	rig_cpu_set_opp(m, 1);
	KUNIT_EXPECT_EQ(test, m->left_ns, rig_cpu_work_ns(1) / 4);
	rig_cpu_set_opp(m, RIG_CPU_OPP_MAX);
	KUNIT_EXPECT_EQ(test, m->left_ns,
			rig_cpu_work_ns(RIG_CPU_OPP_MAX) / 4);
}

/* An overhead that was settled as work and credited leaves it unslowed. */
static void overhead_is_paid_back(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, 1, 1);

	/* 9000 of work, 1000 of overhead: 27000 in all, 17000 still to go */
	rig_cpu_settle(m, 1000 + 10000);
	rig_cpu_credit(m, 1000);
	KUNIT_EXPECT_EQ(test, rig_cpu_due(m), 17000);

	rig_cpu_credit(m, NSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, m->debt_ns, -RIG_CPU_CREDIT_MAX_NS);
	KUNIT_EXPECT_EQ(test, rig_cpu_due(m), 0);
	rig_cpu_paid(m, m->since + NSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, m->debt_ns, -RIG_CPU_CREDIT_MAX_NS);
}

/* Half to one and a half times the mean, and the mean within 1 %. */
static void jitter_has_its_mean(struct kunit *test)
{
	int opp;

	for (opp = 0; opp < RIG_CPU_NR_OPPS; opp++) {
		struct rig_cpu_model *m = new_cpu(test, opp, 3);
		u64 mean = rig_cpu_work_ns(opp), sum = 0;
		u64 low = U64_MAX, high = 0;
		int i;

		for (i = 0; i < 20000; i++) {
			rig_cpu_next(m);
			sum += m->left_ns;
			low = min(low, m->left_ns);
			high = max(high, m->left_ns);
		}
		KUNIT_EXPECT_GE(test, low, mean / 2);
		KUNIT_EXPECT_LE(test, high, mean / 2 + mean);
		KUNIT_EXPECT_LT(test, low, mean * 51 / 100);
		KUNIT_EXPECT_GT(test, high, mean * 149 / 100);
		KUNIT_EXPECT_GT(test, sum, 20000 * mean * 99 / 100);
		KUNIT_EXPECT_LT(test, sum, 20000 * mean * 101 / 100);
	}
}

/* A steal at the mean stretch is short, and longer than its own overhead. */
static void steals_are_short(struct kunit *test)
{
	int opp;

	for (opp = 0; opp < RIG_CPU_OPP_MAX; opp++) {
		struct rig_cpu_model *m = new_cpu(test, opp, 1);

		rig_cpu_settle(m, m->since + rig_cpu_work_ns(opp));
		KUNIT_EXPECT_LE(test, rig_cpu_due(m), RIG_CPU_STEAL_NS);
		KUNIT_EXPECT_GE(test, rig_cpu_due(m), 10000);
	}
}

/* Equal seeds draw equal jitter, others do not. */
static void jitter_is_seeded(struct kunit *test)
{
	struct rig_cpu_model *a = new_cpu(test, 2, 7);
	struct rig_cpu_model *b = new_cpu(test, 2, 7);
	struct rig_cpu_model *c = new_cpu(test, 2, 8);
	int i, differ = 0;

	for (i = 0; i < 100; i++) {
		rig_cpu_next(a);
		rig_cpu_next(b);
		rig_cpu_next(c);
		KUNIT_EXPECT_EQ(test, a->left_ns, b->left_ns);
		differ += a->left_ns != c->left_ns;
	}
	KUNIT_EXPECT_GT(test, differ, 50);
}

/*
 * Switching more often than a steal is due must not put it off: at 10 us a
 * switch, a stretch of at most 150 us is over after 16.
 */
static void switching_does_not_starve(struct kunit *test)
{
	struct rig_cpu_model *m = new_cpu(test, 5, 1);
	u64 now = m->since;
	int i;

	for (i = 0; i < 16 && m->left_ns; i++) {
		rig_cpu_settle(m, now += 10000);
		rig_cpu_set_opp(m, i & 1 ? 5 : 2);
	}
	KUNIT_EXPECT_EQ(test, m->left_ns, 0);
}

/*
 * Bursts much shorter than a stretch, with idle time between: run as the
 * driver does, their total is slowed by fmax / f to within one steal.
 */
static void short_bursts_on_average(struct kunit *test)
{
	int opp;

	for (opp = 0; opp < RIG_CPU_NR_OPPS; opp++) {
		u64 khz = rig_cpu_opps[opp].khz, work = 0, stolen = 0, want;
		u64 fmax = rig_cpu_opps[RIG_CPU_OPP_MAX].khz;
		struct rig_cpu_model *m = new_cpu(test, opp, 5);
		u64 now = m->since;
		int i;

		for (i = 0; i < 5000; i++) {
			u64 burst = 5000;

			work += burst;
			while (burst && opp != RIG_CPU_OPP_MAX) {
				u64 run = min(burst, m->left_ns);

				rig_cpu_settle(m, now += run);
				burst -= run;
				if (m->left_ns)
					break;
				stolen += rig_cpu_due(m);
				rig_cpu_paid(m, now += rig_cpu_due(m));
				rig_cpu_next(m);
			}
			m->idle = true;
			rig_cpu_settle(m, now += 50000);
			m->idle = false;
		}
		want = div64_u64(work * (fmax - khz), khz);
		KUNIT_EXPECT_LE(test, stolen, want);
		KUNIT_EXPECT_GE(test, stolen + 2 * RIG_CPU_STEAL_NS, want);
	}
}

static struct kunit_case cpufreq_model_cases[] = {
	KUNIT_CASE(table_is_monotone),
	KUNIT_CASE(power_follows_formula),
	KUNIT_CASE(energy_of_schedule),
	KUNIT_CASE(energy_does_not_overflow),
	KUNIT_CASE(residency_sums_to_elapsed),
	KUNIT_CASE(debt_does_not_drift),
	KUNIT_CASE(debt_of_long_stretch),
	KUNIT_CASE(nothing_owed_at_fmax_or_idle),
	KUNIT_CASE(switch_inside_stretch),
	KUNIT_CASE(switch_keeps_share_of_stretch),
	KUNIT_CASE(overhead_is_paid_back),
	KUNIT_CASE(jitter_has_its_mean),
	KUNIT_CASE(jitter_is_seeded),
	KUNIT_CASE(steals_are_short),
	KUNIT_CASE(switching_does_not_starve),
	KUNIT_CASE(short_bursts_on_average),
	{}
};

static struct kunit_suite cpufreq_model_suite = {
	.name = "rig_cpufreq_model",
	.test_cases = cpufreq_model_cases,
};

kunit_test_suite(cpufreq_model_suite);

MODULE_DESCRIPTION("KUnit tests of the simulated CPU's model");
MODULE_LICENSE("GPL");
