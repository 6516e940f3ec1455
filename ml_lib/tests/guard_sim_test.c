// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the mode machine by simulation: models that are good, useless,
 * harmful, or change from one to the other. guard_sim_test.null_models=N
 * simulates N useless models for every distribution of the reward instead of a
 * few; make bench-guard does.
 */

#include <kunit/test.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sort.h>

#include "guard_test.h"

static unsigned int null_models = 1280;
module_param(null_models, uint, 0400);
MODULE_PARM_DESC(null_models, "useless models for each distribution");

/*
 * Simulations. A decision is made as decide.c makes it: the arm from the upper
 * bits of a hash of its number, with the mode's share; the reward from the
 * lower ones, the model's effect more in treatment.
 */

enum dist {
	UNIFORM,
	SUM_OF_4,	/* of uniforms, nearly normal */
	SKEWED,		/* nearly exponential */
	SKEWED_DOWN,
	RARE,		/* something else than 0 once in 64 decisions */
	TWO_VALUED,
	PHASES,		/* levels that hold for 200 to 1200 decisions */
	CLUSTERS,	/* slots of 8 decisions with one arm and one level */
	NR_DISTS
};

/* Standard deviations in the unit of the rewards, for effects */
static const struct {
	const char *name;
	s32 deviation;
} dists[NR_DISTS] = {
	[UNIFORM] = { "uniform", 1182 },
	[SUM_OF_4] = { "sum of 4", 591 },
	[SKEWED] = { "skewed up", 1478 },
	[SKEWED_DOWN] = { "skewed down", 1478 },
	[RARE] = { "rare events", 508 },
	[TWO_VALUED] = { "two-valued", 1000 },
	[PHASES] = { "phases", 4738 },
	[CLUSTERS] = { "clusters of 8", 1219 },
};

struct sim {
	struct ml_guard guard;
	struct ml_batch batch;
	enum dist dist;
	s32 effect;
	u64 seed;
	u64 id;		/* of the last decision */
	u64 count;	/* of the decisions */
	s32 level;	/* of the phase or cluster */
	u32 left;	/* decisions that it goes on */
	unsigned int arm;	/* of the cluster */
	u64 slot;	/* number of the phase or cluster */
};

/* As in decide.c: the arms */
static u64 mix_arm(u64 x)
{
	x *= 0xbf58476d1ce4e5b9ULL;
	return (x ^ (x >> 32)) * 0x94d049bb133111ebULL;
}

/* Another one, splitmix64's, for the rewards */
static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The mean is of no interest */
static s32 draw_reward(struct sim *sim, u64 draw)
{
	u32 r = draw, k;

	switch (sim->dist) {
	case UNIFORM:
		return r & 0xfff;
	case SUM_OF_4:
		return (draw & 0x3ff) + (draw >> 10 & 0x3ff) +
		       (draw >> 20 & 0x3ff) + (draw >> 30 & 0x3ff);
	case SKEWED:
	case SKEWED_DOWN:
		/* -log2 of a fraction, linear between the powers of 2 */
		r |= 1;
		k = __builtin_clz(r);
		k = (k << 10) + 2048 - ((r << k) >> 21);
		return sim->dist == SKEWED ? k : -(s32)k;
	case RARE:
		return draw & 63 ? 0 : 4096;
	case TWO_VALUED:
		return draw & 1 ? 2000 : 0;
	case PHASES:
	case CLUSTERS:
		return sim->level + (s32)(draw & 0x3ff);
	default:
		return 0;
	}
}

static void next_stretch(struct sim *sim)
{
	u64 draw = mix(~sim->seed ^ sim->id);

	sim->slot++;
	if (sim->dist == PHASES) {
		sim->left = 199 + (draw & 1023);
		sim->level = draw >> 20 & 0x3fff;
	} else {
		sim->left = 7;
		sim->level = draw >> 20 & 0xfff;
		sim->arm = mix_arm(~sim->seed + sim->id) >> 60 <
			   ml_mode_share[sim->guard.mode];
	}
}

static void sim_start(struct sim *sim, enum dist dist, u64 seed)
{
	memset(sim, 0, sizeof(*sim));
	sim->dist = dist;
	sim->seed = mix(seed);
	setup(&sim->guard);
}

static __always_inline void sim_step(struct sim *sim)
{
	struct ml_batch *batch = &sim->batch;
	unsigned int arm;
	s32 reward;
	bool ripe;
	u64 draw;

	sim->id += 1 << 16;
	sim->count++;
	draw = mix(sim->seed ^ sim->id);
	arm = mix_arm(sim->seed + sim->id) >> 60 <
	      ml_mode_share[sim->guard.mode];
	if (sim->dist >= PHASES && !sim->left--)
		next_stretch(sim);
	if (sim->dist == CLUSTERS)
		arm = sim->arm;
	reward = draw_reward(sim, draw) + (arm ? sim->effect : 0);
	if (batch->trial != sim->guard.trial)
		*batch = (struct ml_batch) {
			.trial = sim->guard.trial,
			.pivot = reward,
		};
	if (sim->dist == CLUSTERS)
		ripe = ml_batch_add_slot(batch, sim->slot, arm, reward, 1);
	else
		ripe = ml_batch_add(batch, arm, reward);
	if (ripe)
		ml_guard_judge(&sim->guard, batch, NOW);
}

/* Decide until the mode is another one; false if @most were not enough */
static bool sim_run(struct sim *sim, u64 most)
{
	enum ml_mode mode = sim->guard.mode;
	u64 end = sim->count + most;

	while (sim->guard.mode == mode && sim->count < end)
		sim_step(sim);
	cond_resched();
	return sim->guard.mode != mode;
}

/* In percent of a standard deviation */
static s32 effect_of(enum dist dist, int percent)
{
	return dists[dist].deviation * percent / 100;
}

#define NR_RUNS		41

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void tell(struct kunit *test, const char *what, enum dist dist,
		 int percent, u64 *runs)
{
	sort(runs, NR_RUNS, sizeof(*runs), compare, NULL);
	kunit_info(test,
		   "%s, %s, effect %d/100 sd: decisions: least %llu, median %llu, most %llu",
		   what, dists[dist].name, percent, runs[0],
		   runs[NR_RUNS / 2], runs[NR_RUNS - 1]);
}

/* From learning to recommendation, and never down on the way */
static void climb(struct kunit *test, enum dist dist, int percent, u64 most)
{
	u64 runs[NR_RUNS];
	struct sim sim;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, dist, 1000 + i);
		sim.effect = effect_of(dist, percent);
		while (sim.guard.mode < ML_MODE_RECOMMENDATION &&
		       sim.guard.mode > ML_MODE_EMERGENCY && sim.count < most)
			sim_run(&sim, most - sim.count);
		KUNIT_ASSERT_EQ_MSG(test, sim.guard.mode,
				    ML_MODE_RECOMMENDATION, "run %d", i);
		runs[i] = sim.count;
	}
	tell(test, "to recommendation", dist, percent, runs);
}

static void guard_sim_good(struct kunit *test)
{
	climb(test, UNIFORM, 10, 150000);
	climb(test, UNIFORM, 25, 40000);
	climb(test, UNIFORM, 100, 12000);
	climb(test, SKEWED, 25, 40000);
	climb(test, RARE, 25, 40000);
	climb(test, TWO_VALUED, 25, 40000);
	climb(test, CLUSTERS, 25, 300000);
}

/* From @mode to emergency */
static void fall(struct kunit *test, enum ml_mode mode, enum dist dist,
		 int percent, u64 most)
{
	u64 runs[NR_RUNS];
	struct sim sim;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, dist, 2000 + i);
		sim.guard.mode = mode;
		sim.effect = effect_of(dist, percent);
		while (sim.guard.mode > ML_MODE_EMERGENCY && sim.count < most)
			sim_run(&sim, most - sim.count);
		KUNIT_EXPECT_EQ_MSG(test, sim.guard.mode, ML_MODE_EMERGENCY,
				    "run %d", i);
		KUNIT_EXPECT_EQ(test, sim.guard.reason, ML_REASON_HARM);
		runs[i] = sim.count;
	}
	tell(test, mode == ML_MODE_LEARNING ? "out from learning" :
	     "out from recommendation", dist, percent, runs);
}

static void guard_sim_harmful(struct kunit *test)
{
	fall(test, ML_MODE_LEARNING, UNIFORM, -25, 15000);
	fall(test, ML_MODE_LEARNING, UNIFORM, -100, 2500);
	fall(test, ML_MODE_LEARNING, UNIFORM, -400, 2500);
	fall(test, ML_MODE_RECOMMENDATION, UNIFORM, -25, 30000);
	fall(test, ML_MODE_RECOMMENDATION, UNIFORM, -100, 5000);
	fall(test, ML_MODE_RECOMMENDATION, UNIFORM, -400, 5000);
	fall(test, ML_MODE_RECOMMENDATION, SKEWED, -100, 5000);
	fall(test, ML_MODE_RECOMMENDATION, RARE, -100, 5000);
}

/*
 * The least k for which more than k of @n trials, each successful with
 * probability 1/1024, are less probable than 1e-6: 9 of 1280 (1.25 are
 * expected), 28 of 10000 (9.8 are expected). 60 fraction bits.
 */
static u32 binomial_limit(u32 n)
{
	u64 p = 1ULL << 60, below;
	u32 k;

	for (k = 0; k < n; k++)
		p -= p >> 10;
	below = p;
	for (k = 0; k < n && (1ULL << 60) - below > (1ULL << 60) / 1000000;) {
		k++;
		p = div64_u64(p, 1023ULL * k) * (n - k + 1);
		below += p;
	}
	return k;
}

static void guard_sim_limit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, binomial_limit(1280), 9);
	KUNIT_EXPECT_EQ(test, binomial_limit(10000), 28);
}

/*
 * Models whose actions make no difference, one whole trial each: those that
 * rise must not be more than the promised 1/1024. In learning, where the arms
 * differ most in size; with clusters, which take 8 times as many decisions, in
 * collaboration.
 */
static void guard_sim_useless(struct kunit *test)
{
	enum dist dist = *(const enum dist *)test->param_value;
	enum ml_mode mode = dist == CLUSTERS ? ML_MODE_COLLABORATION :
					       ML_MODE_LEARNING;
	u32 limit, judged = 0, up = 0, harm = 0, i;
	u64 count = 0, batches = 0;
	struct sim *sim;

	sim = kunit_kzalloc(test, sizeof(*sim), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sim);
	null_models = clamp(null_models, 100U, 20000U);
	limit = binomial_limit(null_models);
	for (i = 0; i < null_models; i++) {
		u32 trial;

		sim_start(sim, dist, (u64)dist << 32 | i);
		sim->guard.mode = mode;
		trial = sim->guard.trial;
		while (sim->guard.trial == trial) {
			judged = sim->guard.batches;
			sim_step(sim);
		}
		batches += judged + 1;
		up += sim->guard.mode > mode;
		harm += sim->guard.reason == ML_REASON_HARM;
		count += sim->count;
		KUNIT_EXPECT_NE(test, sim->guard.reason, ML_REASON_ATTRITION);
		cond_resched();
	}
	kunit_info(test,
		   "%s: %u of %u useless models promoted, %u allowed; %u in %llu batches taken for harmful; %llu decisions",
		   dists[dist].name, up, null_models, limit, harm, batches,
		   count);
	KUNIT_EXPECT_LE(test, up, limit);
	/* One in 1024 batches, and as far off as chance can be: 5 sigma */
	KUNIT_EXPECT_LE(test, harm, div_u64(batches, 1024) +
			5 * int_sqrt64(div_u64(batches, 1024)));
	/* A test that cannot promote anybody would pass as well */
	KUNIT_EXPECT_GT(test, count, (u64)null_models * 10000);
}

static const enum dist dist_params[NR_DISTS] = {
	UNIFORM, SUM_OF_4, SKEWED, SKEWED_DOWN, RARE, TWO_VALUED, PHASES,
	CLUSTERS,
};

static void dist_name(const enum dist *dist, char *name)
{
	strscpy(name, dists[*dist].name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(dist, dist_params, dist_name);

/* Climb as far as it goes; the decisions it took */
static u64 to_the_top(struct kunit *test, struct sim *sim)
{
	u64 from = sim->count;

	while (sim->guard.mode < ML_MODE_RECOMMENDATION)
		KUNIT_ASSERT_TRUE(test, sim_run(sim, 100000));
	return sim->count - from;
}

/* A good model turns bad, is thrown out, and its successor climbs again */
static void guard_sim_drift(struct kunit *test)
{
	u64 up[NR_RUNS], down[NR_RUNS], again[NR_RUNS];
	struct sim sim;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, SUM_OF_4, 3000 + i);
		sim.effect = effect_of(SUM_OF_4, 50);
		up[i] = to_the_top(test, &sim);
		/* It has done well for a while */
		while (sim.guard.batches < 100 &&
		       sim.guard.mode == ML_MODE_RECOMMENDATION &&
		       sim.count < up[i] + 20000)
			sim_step(&sim);
		KUNIT_ASSERT_EQ(test, sim.guard.mode, ML_MODE_RECOMMENDATION);

		down[i] = sim.count;
		sim.effect = effect_of(SUM_OF_4, -50);
		while (sim.guard.mode != ML_MODE_EMERGENCY) {
			KUNIT_ASSERT_TRUE(test, sim_run(&sim, 50000));
			KUNIT_EXPECT_EQ(test, sim.guard.reason,
					ML_REASON_HARM);
		}
		down[i] = sim.count - down[i];

		sim.effect = effect_of(SUM_OF_4, 50);
		ml_guard_new_model(&sim.guard, NOW);
		KUNIT_ASSERT_EQ(test, sim.guard.mode, ML_MODE_LEARNING);
		again[i] = to_the_top(test, &sim);
	}
	tell(test, "up at first", SUM_OF_4, 50, up);
	tell(test, "turned bad, out", SUM_OF_4, -50, down);
	tell(test, "its successor up", SUM_OF_4, 50, again);
}

/* A good model turns useless: it lapses to learning and stays there */
static void guard_sim_fade(struct kunit *test)
{
	u64 runs[NR_RUNS];
	struct sim sim;
	u32 harm = 0;
	int i;

	for (i = 0; i < NR_RUNS; i++) {
		sim_start(&sim, UNIFORM, 4000 + i);
		sim.effect = effect_of(UNIFORM, 50);
		to_the_top(test, &sim);
		runs[i] = sim.count;
		sim.effect = 0;
		while (sim.guard.mode > ML_MODE_LEARNING) {
			KUNIT_ASSERT_TRUE(test, sim_run(&sim, 2000000));
			if (sim.guard.reason == ML_REASON_HARM)
				harm++;
			else
				KUNIT_EXPECT_EQ(test, sim.guard.reason,
						ML_REASON_LAPSED);
		}
		runs[i] = sim.count - runs[i];
	}
	tell(test, "turned useless, at learning", UNIFORM, 0, runs);
	/* Two times 512 batches a run, of which one in 1024 may look like harm */
	kunit_info(test, "%u of %u steps down were for harm", harm,
		   2 * NR_RUNS);
	KUNIT_EXPECT_LE(test, harm, NR_RUNS);
}

/*
 * Rewards that come late, or seldom, in both arms alike are no attrition. The
 * delay is a number of decisions; one in @one_in gets a reward at all.
 */
#define DELAY		30000

static void late(struct kunit *test, struct sim *sim, u8 *arms, u32 one_in)
{
	u32 i, told = 0, tallied = 0;
	struct ml_tally tally = {};

	for (i = 0; i < 40 * DELAY; i++) {
		u64 draw = mix(sim->seed ^ i);
		unsigned int arm = draw >> 60 <
				   ml_mode_share[sim->guard.mode];
		unsigned int old = arms[i % DELAY];

		if (sim->batch.trial != sim->guard.trial)
			sim->batch = (struct ml_batch) {
				.trial = sim->guard.trial,
			};
		if (tallied != sim->guard.trial) {
			tallied = sim->guard.trial;
			tally = (struct ml_tally) {};
		}
		tally.asked[arm]++;
		arms[i % DELAY] = arm;
		if (i < DELAY || (draw & 0xffff) % one_in)
			continue;
		told++;
		tally.told[old]++;
		ml_guard_attrition(&sim->guard, &tally, NOW);
		if (ml_batch_add(&sim->batch, old, draw >> 20 & 0xff))
			ml_guard_judge(&sim->guard, &sim->batch, NOW);
	}
	KUNIT_EXPECT_GT(test, told, 39 * DELAY / one_in / 2);
	KUNIT_EXPECT_EQ(test, sim->guard.emergencies, 0);
}

static void guard_sim_late(struct kunit *test)
{
	static const u32 one_in[] = { 1, 16, 100, 1000 };
	unsigned int i, mode;
	struct sim sim;
	u8 *arms;

	arms = kunit_kmalloc(test, DELAY, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, arms);
	for (mode = ML_MODE_LEARNING; mode < ML_NR_MODES; mode++) {
		for (i = 0; i < ARRAY_SIZE(one_in); i++) {
			sim_start(&sim, UNIFORM, 5000 + i);
			ml_guard_limit(&sim.guard, mode, mode, NOW);
			late(test, &sim, arms, one_in[i]);
		}
	}
}

/* Of the treated decisions nothing is heard any more: out */
static void guard_sim_attrition(struct kunit *test)
{
	unsigned int mode;

	for (mode = ML_MODE_LEARNING; mode < ML_NR_MODES; mode++) {
		struct ml_tally tally = {};
		struct sim sim;
		u32 i;

		sim_start(&sim, UNIFORM, 6000 + mode);
		sim.guard.mode = mode;
		sim.batch.trial = sim.guard.trial;
		for (i = 0; i < 200000 && sim.guard.mode == mode; i++) {
			u64 draw = mix(sim.seed ^ i);
			unsigned int arm = draw >> 60 < ml_mode_share[mode];

			tally.asked[arm]++;
			tally.told[arm] += arm == ML_ARM_CONTROL;
			ml_guard_attrition(&sim.guard, &tally, NOW);
		}
		expect_mode(test, &sim.guard, ML_MODE_EMERGENCY,
			    ML_REASON_ATTRITION);
		kunit_info(test,
			   "nothing heard of treatment in mode %u: out after %u decisions",
			   mode, i);
	}
}

static struct kunit_case guard_sim_cases[] = {
	KUNIT_CASE(guard_sim_good),
	KUNIT_CASE(guard_sim_harmful),
	KUNIT_CASE(guard_sim_limit),
	KUNIT_CASE_PARAM_ATTR(guard_sim_useless, dist_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(guard_sim_drift),
	KUNIT_CASE(guard_sim_fade),
	KUNIT_CASE(guard_sim_late),
	KUNIT_CASE(guard_sim_attrition),
	{}
};

static struct kunit_suite guard_sim_suite = {
	.name = "ml_lib_guard_sim",
	.test_cases = guard_sim_cases,
};

kunit_test_suite(guard_sim_suite);

MODULE_DESCRIPTION("Simulations of ML_LIB's mode machine");
MODULE_LICENSE("GPL");
