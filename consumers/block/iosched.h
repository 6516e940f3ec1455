/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The I/O scheduler ml, for the readahead consumer.
 */
#ifndef _ML_BLOCK_IOSCHED_H
#define _ML_BLOCK_IOSCHED_H

#include <linux/kconfig.h>
#include <linux/types.h>

struct block_device;

/**
 * struct ml_iosched_latency - what a disk's reads take of late
 * @demand_us: service time of a demand read in the device, mean; 0: none yet
 * @demand_wait_us: what it waited in the scheduler before that, mean
 * @speculative_us: service time of a speculative read, mean; 0: none yet
 * @depth: speculative reads that the device gets at a time beside demand
 * @demand: demand reads that are queued or in flight
 * @speculative: speculative reads that are queued or in flight
 */
struct ml_iosched_latency {
	u32 demand_us;
	u32 demand_wait_us;
	u32 speculative_us;
	u32 depth;
	u32 demand;
	u32 speculative;
};

#if IS_ENABLED(CONFIG_MQ_IOSCHED_ML)
bool ml_iosched_latency(struct block_device *bdev,
			struct ml_iosched_latency *latency);
#else
static inline bool ml_iosched_latency(struct block_device *bdev,
				      struct ml_iosched_latency *latency)
{
	return false;
}
#endif

#endif /* _ML_BLOCK_IOSCHED_H */
