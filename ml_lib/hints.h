/* SPDX-License-Identifier: GPL-2.0-only */
/* The hint table: see the DOC block in hints.c. */
#ifndef _ML_LIB_HINTS_H
#define _ML_LIB_HINTS_H

#include <linux/types.h>
#include <linux/ml_lib.h>

#define ML_HINT_WAYS	3

/**
 * struct ml_hint_set - one cache line of hints
 * @seq: odd while the agent's write changes the set
 * @action: of each hint
 * @reserved: zero
 * @way: whose hint, and until when it holds; expires == 0: none
 */
struct ml_hint_set {
	u32 seq;
	u16 action[ML_HINT_WAYS];
	u16 reserved[3];
	struct {
		u64 context;
		u64 expires;
	} way[ML_HINT_WAYS];
} __aligned(64);

/**
 * struct ml_hints - context -> action, until a time
 * @sets: 1 << order of them
 * @order: log2 of their number
 */
struct ml_hints {
	struct ml_hint_set *sets;
	u32 order;
};

/* What an entry that the agent wrote turned out to be */
enum ml_hint_kind {
	ML_HINT_KIND_INVALID,
	ML_HINT_KIND_HINT,
	ML_HINT_KIND_ALIVE,
	ML_HINT_KIND_NEW_MODEL,
};

enum ml_hint_kind ml_hint_check(const struct ml_hint *hint, u32 nr_actions);
void ml_hints_put(struct ml_hints *hints, const struct ml_hint *hint, u64 now);
void ml_hints_clear(struct ml_hints *hints);
int ml_hints_get(const struct ml_hints *hints, u64 context, u64 now);

#endif /* _ML_LIB_HINTS_H */
