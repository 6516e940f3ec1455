// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test: writing. Which hints count, for what and for how long.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "device.h"

#define TTL_LONG 60000000 /* the longest that is allowed */

/* An agent whose hints count for half the decisions, and who is alive */
static int agent_at_work(void)
{
	int fd = open_agent(O_NONBLOCK);

	set_backend(ML_BACKEND_AGENT);
	set_pin(ML_MODE_COLLABORATION);
	wait_mode(fd, ML_MODE_COLLABORATION);
	return fd;
}

static const struct ml_sample *as_sample(const struct ml_record *record)
{
	return record->type == ML_RECORD_SAMPLE ? (const void *)record : NULL;
}

static bool any_context(const struct ml_record *record, void *arg)
{
	const struct ml_sample *sample = as_sample(record);

	if (!sample)
		return false;
	*(uint64_t *)arg = sample->context;
	return true;
}

static bool give_hint(int fd, uint64_t context, unsigned int action,
		      unsigned int ttl_us)
{
	struct ml_hint hint = { .context = context,
				.ttl_us = ttl_us,
				.action = action };

	return CHECK_EQ(write(fd, &hint, sizeof(hint)), sizeof(hint));
}

/* What became of a hint: samples of its context and of the others */
struct effect {
	uint64_t context, from, until;
	unsigned int action;
	unsigned int treated, controlled, others, late;
};

/*
 * Records have the time of their decision: it tells, whenever they are read,
 * whether the hint was there. Clocks may differ by less than a millisecond.
 */
#define SLACK_NS 1000000

static bool check_effect(const struct ml_record *record, void *arg)
{
	const struct ml_sample *sample = as_sample(record);
	struct effect *effect = arg;

	if (!sample || sample->time_ns < effect->from + SLACK_NS)
		return false;
	CHECK_EQ(sample->backend, ML_BACKEND_AGENT);
	if (sample->arm == ML_ARM_CONTROL) {
		CHECK_EQ(sample->action, STOCK);
		effect->controlled += sample->context == effect->context;
	} else if (sample->context != effect->context) {
		CHECK_EQ(sample->action, STOCK);
		CHECK_EQ(sample->flags, 0);
		effect->others++;
	} else if (sample->time_ns + SLACK_NS < effect->until) {
		CHECK_EQ(sample->action, effect->action);
		CHECK_EQ(sample->flags, ML_SAMPLE_ANSWERED);
		effect->treated++;
	} else if (sample->time_ns > effect->until + SLACK_NS) {
		CHECK_EQ(sample->action, STOCK);
		CHECK_EQ(sample->flags, 0);
		effect->late++;
	}
	return false;
}

static bool applied(const struct ml_record *record, void *arg)
{
	struct effect *effect = arg;

	check_effect(record, arg);
	return effect->treated >= 50 && effect->controlled >= 50 &&
	       effect->others >= 1000;
}

static bool expired(const struct ml_record *record, void *arg)
{
	check_effect(record, arg);
	return ((struct effect *)arg)->late >= 50;
}

static void hint_applies(void)
{
	struct effect effect = { .until = UINT64_MAX };
	unsigned int action;
	int fd = agent_at_work();

	if (!read_records(fd, any_context, &effect.context))
		return;
	for (action = SKIP; action > STOCK; action--) {
		uint64_t hints = stats().hints;

		effect.treated = effect.controlled = effect.others = 0;
		effect.action = action;
		give_hint(fd, effect.context, action, TTL_LONG);
		effect.from = now_ns();
		CHECK_EQ(stats().hints, hints + 1);
		read_records(fd, applied, &effect);
	}
	close(fd);
}

static void hint_expires(void)
{
	struct effect effect = { .action = LARGE };
	int fd = agent_at_work();
	uint64_t before;
	int i;

	if (!read_records(fd, any_context, &effect.context))
		return;
	/* Should this machine sleep through the whole life of one, another */
	for (i = 0; i < 20 && !effect.treated; i++) {
		drain(fd, NULL, NULL);
		before = now_ns();
		give_hint(fd, effect.context, LARGE, 300000);
		effect.from = now_ns();
		/* It lives from some moment between the two on */
		effect.until = before + 300000000ULL;
		effect.treated = effect.late = 0;
		if (effect.from - before > SLACK_NS / 2)
			continue;
		read_records(fd, expired, &effect);
	}
	CHECK(effect.treated > 0);
	CHECK(effect.late >= 50);
	close(fd);
}

/* Those of the last agent, or of the last model, say nothing about the next */
static void hints_forgotten(void)
{
	const struct ml_hint new_model = { .flags = ML_HINT_NEW_MODEL };
	struct effect effect = { .until = UINT64_MAX, .action = SMALL };
	unsigned int model;
	int fd = agent_at_work();

	if (!read_records(fd, any_context, &effect.context))
		return;
	give_hint(fd, effect.context, SMALL, TTL_LONG);
	effect.from = now_ns();
	read_records(fd, applied, &effect);

	model = stats().model;
	CHECK_EQ(write(fd, &new_model, sizeof(new_model)), sizeof(new_model));
	CHECK_EQ(stats().model, model + 1);
	effect.from = effect.until = now_ns();
	read_records(fd, expired, &effect);

	effect.late = 0;
	effect.until = UINT64_MAX;
	give_hint(fd, effect.context, SMALL, TTL_LONG);
	close(fd);
	fd = open_agent(O_NONBLOCK);
	effect.from = effect.until = now_ns();
	read_records(fd, expired, &effect);
	close(fd);
}

static const struct ml_hint invalid[] = {
	{ .context = 1, .ttl_us = 1000, .action = NR_ACTIONS },
	{ .context = 1, .ttl_us = 1000, .action = 0x7fff },
	{ .context = 1, .ttl_us = 1000, .action = 0xffff },
	{ .context = 1, .ttl_us = 0, .action = 1 },
	{ .context = 1, .ttl_us = ML_HINT_TTL_MAX_US + 1, .action = 1 },
	{ .context = 1, .ttl_us = 0xffffffff, .action = 1 },
	{ .flags = ML_HINT_ALIVE | ML_HINT_NEW_MODEL },
	{ .flags = 1 << 2 },
	{ .flags = 1 << 15 },
	{ .flags = 0xffff },
	{ .context = 1, .ttl_us = 1000, .action = 1, .flags = 1 << 3 },
	{ .flags = ML_HINT_ALIVE, .context = 1 },
	{ .flags = ML_HINT_ALIVE, .context = 1ULL << 63 },
	{ .flags = ML_HINT_ALIVE, .ttl_us = 1 },
	{ .flags = ML_HINT_ALIVE, .action = 1 },
	{ .flags = ML_HINT_NEW_MODEL, .context = 1 },
	{ .flags = ML_HINT_NEW_MODEL, .ttl_us = 1 },
	{ .flags = ML_HINT_NEW_MODEL, .action = 1 },
	{},
};

static const struct ml_hint valid[] = {
	{ .context = 0, .ttl_us = 1, .action = 0 },
	{ .context = UINT64_MAX, .ttl_us = ML_HINT_TTL_MAX_US, .action = 3 },
};

static void invalid_hints(void)
{
	struct ml_hint many[2 * ARRAY_SIZE(invalid) * ARRAY_SIZE(valid)];
	int fd = open_agent(0);
	struct ml_stats before;
	unsigned int i, j, n = 0;

	for (i = 0; i < ARRAY_SIZE(invalid); i++) {
		before = stats();
		CHECK_EQ(write(fd, &invalid[i], sizeof(*invalid)),
			 sizeof(*invalid));
		if (!CHECK_EQ(stats().hints_invalid,
			      before.hints_invalid + 1) ||
		    !CHECK_EQ(stats().hints, before.hints) ||
		    !CHECK_EQ(stats().model, before.model))
			say("invalid hint %u", i);
	}
	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		before = stats();
		CHECK_EQ(write(fd, &valid[i], sizeof(*valid)), sizeof(*valid));
		CHECK_EQ(stats().hints, before.hints + 1);
		CHECK_EQ(stats().hints_invalid, before.hints_invalid);
	}
	/* Mixed in one write, each is judged for itself */
	for (i = 0; i < ARRAY_SIZE(invalid); i++) {
		for (j = 0; j < ARRAY_SIZE(valid); j++) {
			many[n++] = invalid[i];
			many[n++] = valid[j];
		}
	}
	before = stats();
	CHECK_EQ(write(fd, many, sizeof(many)), sizeof(many));
	CHECK_EQ(stats().hints, before.hints + n / 2);
	CHECK_EQ(stats().hints_invalid, before.hints_invalid + n / 2);
	/* A sign of life or a new model is no hint, and is not counted as one */
	before = stats();
	CHECK(alive(fd));
	many[0] = (struct ml_hint){ .flags = ML_HINT_NEW_MODEL };
	CHECK_EQ(write(fd, many, sizeof(*many)), sizeof(*many));
	CHECK_EQ(stats().hints, before.hints);
	CHECK_EQ(stats().hints_invalid, before.hints_invalid);
	close(fd);
}

static void lengths(void)
{
	struct ml_hint hints[40];
	uint8_t *bytes = (void *)hints;
	struct iovec pieces[40 * 3];
	struct ml_stats before;
	unsigned int i;
	size_t size;
	int fd;

	for (i = 0; i < ARRAY_SIZE(hints); i++)
		hints[i] = valid[i % ARRAY_SIZE(valid)];
	set_backend(ML_BACKEND_RULE);
	set_pin(ML_MODE_LEARNING);
	fd = open_agent(0);
	before = stats();
	for (size = 1; size < sizeof(hints); size++)
		if (size % sizeof(*hints))
			CHECK_ERRNO(write(fd, hints, size), EINVAL);
	CHECK_EQ(write(fd, hints, 0), 0);
	check_unchanged(&before, "writes of odd lengths");
	for (i = 1; i <= ARRAY_SIZE(hints); i++) {
		before = stats();
		size = i * sizeof(*hints);
		CHECK_EQ(write(fd, hints, size), size);
		CHECK_EQ(stats().hints, before.hints + i);
	}
	/* It is the sum that counts, not the pieces */
	for (i = 0, size = 0; i < ARRAY_SIZE(pieces); i++) {
		static const unsigned int part[] = { 5, 10, 1 };

		pieces[i] = (struct iovec){ bytes + size, part[i % 3] };
		size += part[i % 3];
	}
	before = stats();
	CHECK_EQ(writev(fd, pieces, ARRAY_SIZE(pieces)), sizeof(hints));
	CHECK_EQ(stats().hints, before.hints + ARRAY_SIZE(hints));
	CHECK_ERRNO(writev(fd, pieces, ARRAY_SIZE(pieces) - 1), EINVAL);
	CHECK_EQ(stats().hints, before.hints + ARRAY_SIZE(hints));
	close(fd);
}

static void bad_memory(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ml_hint *hint = (void *)map;
	struct ml_stats before;
	size_t i, at;
	ssize_t len;
	int fd;

	CHECK(map != MAP_FAILED);
	CHECK_EQ(munmap(map + page, page), 0);
	for (i = 0; i < page / sizeof(*hint); i++)
		hint[i] = valid[1];
	set_backend(ML_BACKEND_RULE);
	set_pin(ML_MODE_LEARNING);
	fd = open_agent(0);
	before = stats();
	CHECK_ERRNO(write(fd, nowhere, 160), EFAULT);
	CHECK_ERRNO(write(fd, map + page, 160), EFAULT);
	CHECK_ERRNO(write(fd, map + page - 8, 16), EFAULT);
	check_unchanged(&before, "writes from bad memory");
	/* What lies before the end is taken, and the count says how much */
	for (at = page - 1024; at < (size_t)page; at += 8) {
		before = stats();
		len = write(fd, map + at, 2048);
		if (len == -1) {
			CHECK_EQ(errno, EFAULT);
			len = 0;
		}
		CHECK_EQ(len % sizeof(*hint), 0);
		CHECK(len <= page - (long)at);
		CHECK_EQ(stats().hints - before.hints + stats().hints_invalid -
				 before.hints_invalid,
			 len / sizeof(*hint));
	}
	munmap(map, page);
	close(fd);
}

/* Many contexts: more than there is room for. The newest is always kept. */
static void table_full(void)
{
	struct effect effect = { .until = UINT64_MAX, .action = SKIP };
	struct ml_hint hints[1024];
	struct ml_stats before;
	unsigned int i, round;
	int fd = agent_at_work();

	if (!read_records(fd, any_context, &effect.context))
		return;
	before = stats();
	srand(1);
	for (round = 0; round < 16; round++) {
		for (i = 0; i < ARRAY_SIZE(hints); i++)
			hints[i] = (struct ml_hint){
				.context = ((uint64_t)rand() << 33) ^ rand(),
				.ttl_us = TTL_LONG,
				.action = rand() % NR_ACTIONS,
			};
		CHECK_EQ(write(fd, hints, sizeof(hints)), sizeof(hints));
	}
	CHECK(round * i > info.hint_slots);
	CHECK_EQ(stats().hints, before.hints + round * i);
	give_hint(fd, effect.context, SKIP, TTL_LONG);
	effect.from = now_ns();
	read_records(fd, applied, &effect);
	close(fd);
}

/* No hint at all: every treated decision is unanswered, and is stock's */
static void unanswered(void)
{
	struct ml_stats before, now;
	int i, fd = agent_at_work();

	before = settled();
	wait_decisions(fd, 20000);
	for (i = 0; i < 100; i++) {
		now = settled();
		if (now.unanswered - before.unanswered ==
		    now.decisions[1] - before.decisions[1])
			break;
		sleep_ms(1);
	}
	CHECK_EQ(now.unanswered - before.unanswered,
		 now.decisions[1] - before.decisions[1]);
	CHECK(now.decisions[1] > before.decisions[1]);
	CHECK_EQ(now.invalid_actions, before.invalid_actions);
	close(fd);
}

const struct test hint_tests[] = {
	{ "hints: one applies to its context in treatment", hint_applies },
	{ "hints: one expires", hint_expires },
	{ "hints: the next agent or model begins without", hints_forgotten },
	{ "hints: each invalid one is counted, and no other", invalid_hints },
	{ "write: lengths that are no multiple are EINVAL", lengths },
	{ "write: from bad memory", bad_memory },
	{ "hints: more than there is room for", table_full },
	{ "hints: none: treatment is unanswered and stock's", unanswered },
	{ NULL, NULL },
};
