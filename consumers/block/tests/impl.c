// SPDX-License-Identifier: GPL-2.0-only
/* The code under test, where it is not built in */
#include "../account.c"
#include "../pattern.c"
#include "../features.c"
#include "../bounds.c"
#include "../rule.c"
#include "../reward.c"
