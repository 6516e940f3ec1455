/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The proxy "ra_depth": how many speculative reads, for the I/O scheduler ml.
 */
#ifndef _ML_BLOCK_RA_DEPTH_H
#define _ML_BLOCK_RA_DEPTH_H

#include <linux/ml_lib.h>

#include "depth.h"

/**
 * struct ra_depth_state - what the choice is made from
 * @rule: the rule's answer
 * @demand_us: mean service time of a demand read
 * @demand_wait_us: mean wait of one before that
 * @speculative_us: mean service time of a speculative read
 * @reads: completed in the last epoch, of each class
 * @here: queued and in flight, of each class
 * @speculative_kb: read by speculation in the last epoch
 * @epoch_ns: how long that was
 * @tags: requests that the device takes
 * @rotational: it rotates
 */
struct ra_depth_state {
	unsigned int rule;
	u32 demand_us;
	u32 demand_wait_us;
	u32 speculative_us;
	u32 reads[ML_NR_CLASSES];
	u32 here[ML_NR_CLASSES];
	u64 speculative_kb;
	u64 epoch_ns;
	u32 tags;
	bool rotational;
};

bool ra_depth_on(void);
unsigned int ra_depth_choose(const void *context,
			     const struct ra_depth_state *s,
			     struct ml_decision *decision);
void ra_depth_observe(struct ml_decision *decision, s32 reward);
int ra_depth_init(void);
void ra_depth_exit(void);

#endif /* _ML_BLOCK_RA_DEPTH_H */
