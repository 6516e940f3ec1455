// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_hints.c - libFuzzer target for the hint parser and the hint table
 *
 * An input is two bytes, the table's order and the number of actions, and then
 * steps of 17 bytes: what to do, and a struct ml_hint as an agent might write
 * it. A model that remembers the last hint of every context knows what the
 * table may answer: that hint while it holds, or nothing.
 *
 * fuzz: ml_lib/hints.c
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ml_lib/hints.h"

#define STEP (1 + sizeof(struct ml_hint))
#define MAX_STEPS 256
#define MAX_ORDER 6

/* The byte before a hint: bits 0 to 2 tell what to do, the others how */
enum {
	PUT = 0,
	PUT_TOO = 1, /* more often than the rest */
	PUT_REPAIRED = 2, /* made valid first */
	GET = 3,
	WAIT = 4,
	CLEAR = 5,
	WRITER = 6, /* a reader meets a writer */
	REPEAT = 7, /* the hint of the step before, as it is */
};

#define FEW_CONTEXTS 8 /* so that they meet again */
#define SHIFTED 16 /* the context's bits where the set is chosen */

/* What the agent said last about a context; expires == 0: nothing that holds */
struct memory {
	uint64_t context;
	uint64_t expires;
	int action;
};

struct fuzz {
	struct ml_hints hints;
	struct memory memory[MAX_STEPS];
	unsigned int nr;
	uint32_t nr_actions;
	uint64_t now;
};

static void require(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_hints: %s\n", what);
	abort();
}

static struct memory *recall(struct fuzz *fuzz, uint64_t context)
{
	unsigned int i;

	for (i = 0; i < fuzz->nr; i++)
		if (fuzz->memory[i].context == context)
			return &fuzz->memory[i];
	return NULL;
}

/* The rules of linux/ml_lib.h, written down once more */
static enum ml_hint_kind kind_of(const struct ml_hint *hint,
				 uint32_t nr_actions)
{
	int empty = !hint->context && !hint->ttl_us && !hint->action;

	if (hint->flags == ML_HINT_ALIVE && empty)
		return ML_HINT_KIND_ALIVE;
	if (hint->flags == ML_HINT_NEW_MODEL && empty)
		return ML_HINT_KIND_NEW_MODEL;
	if (!hint->flags && hint->action < nr_actions && hint->ttl_us >= 1 &&
	    hint->ttl_us <= ML_HINT_TTL_MAX_US)
		return ML_HINT_KIND_HINT;
	return ML_HINT_KIND_INVALID;
}

static void get(struct fuzz *fuzz, uint64_t context)
{
	const struct memory *last = recall(fuzz, context);
	int action = ml_hints_get(&fuzz->hints, context, fuzz->now);

	if (action == -ENOENT)
		return;
	require(last != NULL, "a hint that nobody gave");
	require(fuzz->now < last->expires, "a hint that has expired");
	require(action == last->action, "another hint than the last");
	require((uint32_t)action < fuzz->nr_actions, "no such action");
}

static void put(struct fuzz *fuzz, const struct ml_hint *hint)
{
	struct memory *last;

	require(ml_hint_check(hint, fuzz->nr_actions) ==
			kind_of(hint, fuzz->nr_actions),
		"parser and rules do not agree");
	if (ml_hint_check(hint, fuzz->nr_actions) != ML_HINT_KIND_HINT)
		return;
	ml_hints_put(&fuzz->hints, hint, fuzz->now);
	last = recall(fuzz, hint->context);
	if (!last)
		last = &fuzz->memory[fuzz->nr++];
	last->context = hint->context;
	last->expires = fuzz->now + hint->ttl_us * 1000ULL;
	last->action = hint->action;

	require(ml_hints_get(&fuzz->hints, hint->context, fuzz->now) ==
			hint->action,
		"a hint is not there");
	require(ml_hints_get(&fuzz->hints, hint->context, last->expires - 1) ==
			hint->action,
		"a hint is gone before its time");
	require(ml_hints_get(&fuzz->hints, hint->context, last->expires) ==
			-ENOENT,
		"a hint outlives its time");
}

/* While a set's number is odd it has no hints; afterwards it has them again */
static void meet_writer(struct fuzz *fuzz, const struct ml_hint *hint)
{
	uint32_t nr_sets = 1U << fuzz->hints.order, set;
	int before = ml_hints_get(&fuzz->hints, hint->context, fuzz->now);

	for (set = 0; set < nr_sets; set++)
		fuzz->hints.sets[set].seq++;
	require(ml_hints_get(&fuzz->hints, hint->context, fuzz->now) == -ENOENT,
		"a hint from under the writer's hands");
	for (set = 0; set < nr_sets; set++)
		fuzz->hints.sets[set].seq++;
	require(ml_hints_get(&fuzz->hints, hint->context, fuzz->now) == before,
		"another hint after a writer that changed nothing");
}

static void clear(struct fuzz *fuzz)
{
	unsigned int i;

	ml_hints_clear(&fuzz->hints);
	for (i = 0; i < fuzz->nr; i++) {
		fuzz->memory[i].expires = 0;
		require(ml_hints_get(&fuzz->hints, fuzz->memory[i].context,
				     fuzz->now) == -ENOENT,
			"a hint outlives a clearing");
	}
}

static void step(struct fuzz *fuzz, uint8_t what, struct ml_hint *hint)
{
	if (what & FEW_CONTEXTS)
		hint->context %= 16;
	if (what & SHIFTED)
		hint->context <<= 56;
	switch (what % 8) {
	case PUT_REPAIRED:
		hint->flags = 0;
		hint->action %= fuzz->nr_actions;
		hint->ttl_us = 1 + hint->ttl_us % ML_HINT_TTL_MAX_US;
		/* fallthrough */
	case PUT:
	case PUT_TOO:
	case REPEAT:
		put(fuzz, hint);
		break;
	case GET:
		get(fuzz, hint->context);
		break;
	case WAIT:
		fuzz->now += hint->ttl_us % (2 * ML_HINT_TTL_MAX_US) * 1000ULL;
		break;
	case CLEAR:
		clear(fuzz);
		break;
	case WRITER:
		meet_writer(fuzz, hint);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = { .now = 1 };
	struct ml_hint hint = { 0 };
	unsigned int i;
	size_t bytes;

	if (size < 2)
		return -1;
	fuzz.hints.order = data[0] % (MAX_ORDER + 1);
	fuzz.nr_actions = 2 + data[1] % (ML_MAX_ACTIONS - 1);
	/* Exactly as large as promised, so that the sanitizer sees what is not */
	bytes = sizeof(*fuzz.hints.sets) << fuzz.hints.order;
	fuzz.hints.sets = aligned_alloc(sizeof(*fuzz.hints.sets), bytes);
	require(fuzz.hints.sets != NULL, "out of memory");
	memset(fuzz.hints.sets, 0, bytes);
	data += 2;
	size -= 2;
	for (i = 0; i < MAX_STEPS && size >= STEP; i++) {
		if (*data % 8 != REPEAT)
			memcpy(&hint, data + 1, sizeof(hint));
		step(&fuzz, *data, &hint);
		data += STEP;
		size -= STEP;
	}
	for (i = 0; i < fuzz.nr; i++)
		get(&fuzz, fuzz.memory[i].context);
	free(fuzz.hints.sets);
	return 0;
}
