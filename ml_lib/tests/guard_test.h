/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the mode machine and its simulations share */
#ifndef _ML_LIB_GUARD_TEST_H
#define _ML_LIB_GUARD_TEST_H

#include <kunit/test.h>
#include <linux/string.h>

#include "../guard.h"

#define NOW		1000000000000ULL

/* A guard with a model at learning */
static inline void setup(struct ml_guard *guard)
{
	memset(guard, 0, sizeof(*guard));
	ml_guard_init(guard, NOW);
	ml_guard_ready(guard, true, NOW);
}

static inline void expect_mode(struct kunit *test, const struct ml_guard *guard,
			       enum ml_mode mode, enum ml_reason reason)
{
	KUNIT_EXPECT_EQ(test, guard->mode, mode);
	KUNIT_EXPECT_EQ(test, guard->reason, reason);
}

#endif /* _ML_LIB_GUARD_TEST_H */
