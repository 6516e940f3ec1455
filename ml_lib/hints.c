// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hints: what the agent recommends for a context, and for how long.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "hints.h"

/**
 * DOC: The hint table
 *
 * A fixed number of sets of three hints, one cache line each; a context
 * belongs to one set. A new hint replaces that of the same context, else one
 * that has expired, else the one that expires first. Nothing is allocated
 * when a hint comes and nothing has to be cleaned up when it has expired.
 *
 * One writer at a time (the device sees to that) and any number of readers,
 * which neither lock nor try again: the writer makes the set's sequence number
 * odd while it works, and a reader that meets an odd number, or another one
 * after than before, takes it that there is no hint. Then the stock action is
 * taken, as it is for a context that never had one.
 */

static struct ml_hint_set *set_of(const struct ml_hints *hints, u64 context)
{
	/* Fibonacci hashing; contexts are hashes already, hostile ones not */
	u64 hash = context * 0x9e3779b97f4a7c15ULL;

	return &hints->sets[hints->order ? hash >> (64 - hints->order) : 0];
}

/**
 * ml_hint_check() - what is this entry of a write()?
 * @hint: the agent's entry, in kernel memory
 * @nr_actions: of the proxy
 *
 * Return: Its kind; ML_HINT_KIND_INVALID if any field is out of bounds.
 */
enum ml_hint_kind ml_hint_check(const struct ml_hint *hint, u32 nr_actions)
{
	if (hint->flags) {
		if (hint->context || hint->ttl_us || hint->action)
			return ML_HINT_KIND_INVALID;
		switch (hint->flags) {
		case ML_HINT_ALIVE:
			return ML_HINT_KIND_ALIVE;
		case ML_HINT_NEW_MODEL:
			return ML_HINT_KIND_NEW_MODEL;
		}
		return ML_HINT_KIND_INVALID;
	}
	if (hint->action >= nr_actions || !hint->ttl_us ||
	    hint->ttl_us > ML_HINT_TTL_MAX_US)
		return ML_HINT_KIND_INVALID;
	return ML_HINT_KIND_HINT;
}

/**
 * ml_hints_put() - enter a hint
 * @hints: the table
 * @hint: one that ml_hint_check() calls a hint
 * @now: current time, ns
 *
 * Context: One caller at a time.
 */
void ml_hints_put(struct ml_hints *hints, const struct ml_hint *hint, u64 now)
{
	struct ml_hint_set *set = set_of(hints, hint->context);
	unsigned int way, victim = 0;

	for (way = 0; way < ML_HINT_WAYS; way++) {
		if (set->way[way].context == hint->context) {
			victim = way;
			break;
		}
		if (set->way[way].expires < set->way[victim].expires)
			victim = way;
	}

	WRITE_ONCE(set->seq, set->seq + 1);
	smp_wmb(); /* odd before any change, see ml_hints_get() */
	WRITE_ONCE(set->way[victim].context, hint->context);
	WRITE_ONCE(set->way[victim].expires, now + hint->ttl_us * 1000ULL);
	WRITE_ONCE(set->action[victim], hint->action);
	smp_wmb(); /* all changes before even */
	WRITE_ONCE(set->seq, set->seq + 1);
}

/**
 * ml_hints_clear() - forget all hints
 * @hints: the table
 *
 * Context: As ml_hints_put(). Readers may be under way.
 */
void ml_hints_clear(struct ml_hints *hints)
{
	unsigned int i, way;

	for (i = 0; i < 1U << hints->order; i++)
		for (way = 0; way < ML_HINT_WAYS; way++)
			WRITE_ONCE(hints->sets[i].way[way].expires, 0);
}

/**
 * ml_hints_get() - the hint for a context
 * @hints: the table
 * @context: as the agent knows it
 * @now: current time, ns
 *
 * Context: Any. Never waits for a writer.
 * Return: An action, or -ENOENT: none, expired, or just being written.
 */
int ml_hints_get(const struct ml_hints *hints, u64 context, u64 now)
{
	const struct ml_hint_set *set = set_of(hints, context);
	u32 seq = READ_ONCE(set->seq);
	unsigned int way;
	u64 expires;
	u16 action;

	smp_rmb(); /* the number before the hint, see ml_hints_put() */
	for (way = 0; way < ML_HINT_WAYS; way++)
		if (READ_ONCE(set->way[way].context) == context)
			break;
	if (way == ML_HINT_WAYS)
		return -ENOENT;
	expires = READ_ONCE(set->way[way].expires);
	action = READ_ONCE(set->action[way]);
	smp_rmb(); /* the hint before the number again */
	if (expires <= now || seq & 1 || READ_ONCE(set->seq) != seq)
		return -ENOENT;
	return action;
}
