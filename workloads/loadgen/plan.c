// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrival plans
 *
 * Integers and comparisons only: a plan is the same with every compiler and C
 * library.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* More jobs than any sensible run has; a bound for a mistyped --rate. */
#define MAX_JOBS 1000000

/* SplitMix64: one word of state, any seed is good. */
static uint64_t random_u64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/*
 * An exponential variate of mean MEAN by von Neumann's comparisons: the length
 * of a falling run of uniform numbers is odd with probability exp(-u) given
 * that it started at u; each failed try adds one whole mean. No logarithm.
 */
static uint64_t random_exponential(uint64_t *state, uint64_t mean)
{
	for (uint64_t whole = 0;; whole++) {
		uint32_t first = random_u64(state) >> 32;
		uint32_t last = first, next;
		unsigned int length = 1;

		while ((next = random_u64(state) >> 32) < last) {
			last = next;
			length++;
		}
		if (length & 1)
			return whole * mean +
			       (uint64_t)(((unsigned __int128)mean * first) >>
					  32);
	}
}

static uint64_t random_range(uint64_t *state, uint64_t min, uint64_t max)
{
	return min + (((random_u64(state) >> 32) * (max - min + 1)) >> 32);
}

int plan_mode_parse(const char *name, enum plan_mode *mode)
{
	static const char *const names[] = {
		[PLAN_POISSON] = "poisson",
		[PLAN_PERIODIC] = "periodic",
		[PLAN_BURSTY] = "bursty",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i])) {
			*mode = i;
			return 0;
		}
	}
	return -1;
}

static int plan_add(struct plan *plan, size_t *room, uint64_t arrival_ns,
		    uint64_t kilo_instructions)
{
	if (plan->count == *room) {
		size_t more = *room ? 2 * *room : 1024;
		struct job *jobs;

		if (plan->count >= MAX_JOBS) {
			errno = E2BIG;
			return -1;
		}
		jobs = reallocarray(plan->jobs, more, sizeof(*jobs));
		if (!jobs)
			return -1;
		plan->jobs = jobs;
		*room = more;
	}
	plan->jobs[plan->count].arrival_ns = arrival_ns;
	plan->jobs[plan->count].kilo_instructions = kilo_instructions;
	plan->count++;
	return 0;
}

int plan_create(struct plan *plan, const struct plan_config *cfg,
		unsigned int stream)
{
	/* Two draws, so that neighbouring seeds and streams share nothing. */
	uint64_t mix = cfg->seed;
	uint64_t state = random_u64(&mix) ^
			 (UINT64_C(0xd1342543de82ef95) * stream);
	uint64_t at = 0, phase_end = 0;
	size_t room = 0;

	memset(plan, 0, sizeof(*plan));
	if (cfg->mode == PLAN_BURSTY)
		phase_end = random_exponential(&state, cfg->on_ns);
	for (;;) {
		if (cfg->mode != PLAN_PERIODIC)
			at += random_exponential(&state,
						 NSEC_PER_SEC / cfg->rate);
		/* Poisson arrivals have no memory: skip the silence and go on. */
		while (cfg->mode == PLAN_BURSTY && at >= phase_end) {
			uint64_t off = random_exponential(&state, cfg->off_ns);

			at += off;
			phase_end +=
				off + random_exponential(&state, cfg->on_ns);
		}
		if (at >= cfg->length_ns)
			return 0;
		if (plan_add(plan, &room, at,
			     random_range(&state, cfg->work_min,
					  cfg->work_max))) {
			int err = errno;

			plan_destroy(plan);
			errno = err;
			return -1;
		}
		if (cfg->mode == PLAN_PERIODIC)
			at += cfg->period_ns;
	}
}

void plan_destroy(struct plan *plan)
{
	free(plan->jobs);
	memset(plan, 0, sizeof(*plan));
}
