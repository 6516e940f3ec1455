/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrival plans: what arrives when, drawn from a seed before the run. */
#ifndef LOADGEN_PLAN_H
#define LOADGEN_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)

enum plan_mode {
	PLAN_POISSON, /* exponential gaps of mean 1 / rate */
	PLAN_PERIODIC, /* one job a period */
	PLAN_BURSTY, /* Poisson in phases that are on; on and off are exponential */
};

struct plan_config {
	enum plan_mode mode;
	uint64_t seed;
	uint64_t length_ns; /* no job arrives at or after this time */
	uint64_t rate; /* jobs a second */
	uint64_t period_ns;
	uint64_t on_ns;
	uint64_t off_ns;
	uint64_t deadline_ns; /* 0: none */
	uint64_t work_min; /* thousand instructions a job, both ends included */
	uint64_t work_max;
};

struct job {
	uint64_t arrival_ns;
	uint64_t kilo_instructions;
};

struct plan {
	struct job *jobs;
	size_t count;
};

/* 0, or -1 when NAME is no mode. */
int plan_mode_parse(const char *name, enum plan_mode *mode);

/* The plan of thread STREAM. 0, or -1 with errno set. */
int plan_create(struct plan *plan, const struct plan_config *cfg,
		unsigned int stream);
void plan_destroy(struct plan *plan);

#endif
