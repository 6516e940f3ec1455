// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reward: how a decision turned out.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "pattern.h"

/**
 * DOC: The reward
 *
 * A decision is judged by what happens to the pages it answers for, see
 * account.c. All time that readers wait in requests for these pages, for this
 * decision's I/O or for other I/O, is added up;
 * so is the price of the pages that were fetched and not read, and the time
 * that others had to wait while these pages were fetched::
 *
 *	reward = -1000 * (time + wasted * price + others) / (read * latency)
 *
 * in thousandths of a miss for each page read: -1000 is a reader that waits for
 * the device page by page, 0 one that never waits. The latency is what misses
 * cost on this device of late; it makes devices comparable and is the same for
 * both arms. The reward is observed once for each page read
 * (ml_observe_many()), so that the mean over decisions is that over pages, and
 * windows of different size are comparable.
 *
 * The price of a page is the device's time for it, at the best bandwidth seen,
 * and a miss times the share of fetched pages that had been in memory before
 * and were evicted: fetching everything is cheap on a fast device while memory
 * is plenty, and costs more than it saves when either is short.
 *
 * While a fetch keeps the device busy, others wait. That grows with the square
 * of the fetch, see ra_device_others_wait_ns(), so that a scan beside somebody
 * who waits for single pages gets windows that are long enough for itself and
 * no longer.
 *
 * A reader gains nothing by reading what it does not want: what it waits for
 * is in the reward, and what it finds costs it the time for the copy, which is
 * not, being the same for all decisions.
 */

#define RA_REWARD_MIN	(-20000)

/**
 * ra_reward() - how a decision turned out
 * @cost_ns: time that readers waited in requests for these pages, and others
 *	for their being fetched
 * @used: pages that were read, 0 counts as 1
 * @wasted: pages that were fetched and not read
 * @page_ns: price of a wasted page
 * @latency_us: of a miss, 0 counts as 1
 *
 * Return: Thousandths of a miss, RA_REWARD_MIN .. 0.
 */
s32 ra_reward(u64 cost_ns, u32 used, u32 wasted, u32 page_ns, u32 latency_us)
{
	u64 cost = min_t(u64, cost_ns, NSEC_PER_SEC * 100) +
		   (u64)wasted * page_ns;
	u64 miss = (u64)max(used, 1u) * max(latency_us, 1u);

	/* 1000 / (ns per us) is 1 */
	return -(s32)min_t(u64, div64_u64(cost, miss), -RA_REWARD_MIN);
}
