/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the I/O scheduler ml decides, as functions of plain numbers: which
 * class is next, how many speculative reads the device may hold, and how well
 * that went.
 */
#ifndef _ML_BLOCK_DEPTH_H
#define _ML_BLOCK_DEPTH_H

#include <linux/types.h>

/**
 * enum ml_class - why a request is there
 * @ML_DEMAND: a read that somebody waits for
 * @ML_SPECULATIVE: a read of what may be wanted later
 * @ML_WRITE: all that is not a read
 * @ML_NR_CLASSES: their number; as an answer: none now
 */
enum ml_class {
	ML_DEMAND,
	ML_SPECULATIVE,
	ML_WRITE,
	ML_NR_CLASSES,
};

/* A class that waits has its turn after so many requests of others */
#define ML_SPECULATIVE_STARVED	4
#define ML_WRITES_STARVED	16
#define ML_WRITE_BATCH		8

/**
 * struct ml_queue_state - what the next choice depends on
 * @queued: requests in the scheduler
 * @in_flight: requests that the device has
 * @passed: requests of others that went since one of this class did, while
 *	one was waiting
 * @expired: has the oldest of the class waited too long?
 * @depth: how many speculative reads may be in flight beside demand
 * @write_depth: how many writes may be in flight beside demand
 * @batch: writes that may still go in this batch
 * @demand: has there been demand lately?
 * @near: on a disk that rotates beside demand: a request of the class lies in the
 *	disk's way
 * @turn: it is the turn of speculation on a disk that rotates; whoever sets it
 *	ends it by time
 * @rotational: the device does one thing at a time, best in sector order
 */
struct ml_queue_state {
	unsigned int queued[ML_NR_CLASSES];
	unsigned int in_flight[ML_NR_CLASSES];
	unsigned int passed[ML_NR_CLASSES];
	bool expired[ML_NR_CLASSES];
	unsigned int depth;
	unsigned int write_depth;
	unsigned int batch;
	bool demand;
	bool near[ML_NR_CLASSES];
	bool turn;
	bool rotational;
};

enum ml_class ml_queue_next(const struct ml_queue_state *s);

#define ML_DEPTH_MAX		64
#define ML_DEPTH_SIZES		16	/* of requests: 512 bytes, 1 KiB ... */
#define ML_DEPTH_ENOUGH		4	/* requests that one step is based on */
#define ML_DEPTH_WINDOW_NS	(4ULL * 1000 * 1000 * 1000)
#define ML_DEPTH_PATIENCE	16	/* steps */
#define ML_DEPTH_PATIENCE_MAX	1024

/**
 * struct ml_depth - how many speculative reads keep the device busy
 * @depth: the answer, 1 .. ML_DEPTH_MAX
 * @wait: steps until more may be tried
 * @patience: what @wait is after the next failure
 * @by: as many more are tried next
 * @tried: the last step tried more
 * @wanted: the depth kept a request back since the last step
 * @requests: completed since the last step
 * @ns: they took in the device
 * @least_ns: they would have taken alone
 * @refill_ns: mean time until a request that was completed has a successor
 * @since_ns: when the current window of @least began
 * @least: shortest service of each size in this window and the last one; 0:
 *	none
 */
struct ml_depth {
	unsigned int depth;
	unsigned int wait;
	unsigned int patience;
	unsigned int by;
	bool tried;
	bool wanted;
	u32 requests;
	u64 ns;
	u64 least_ns;
	u32 refill_ns;
	u64 since_ns;
	u64 least[2][ML_DEPTH_SIZES];
};

void ml_depth_init(struct ml_depth *d, unsigned int depth, u64 now_ns);
void ml_depth_account(struct ml_depth *d, unsigned int sectors, u64 service_ns,
		      u64 now_ns);
bool ml_depth_step(struct ml_depth *d);

#define ML_PIECE_MIN		32	/* sectors */
#define ML_PIECE_MAX		2048
#define ML_PIECE_WINDOW_NS	(4ULL * 1000 * 1000 * 1000)

/**
 * struct ml_piece - how long a speculative read may be beside demand
 * @sectors: the answer, ML_PIECE_MIN .. ML_PIECE_MAX, a power of two
 * @since_ns: when the current window began
 * @rate: the most that was read in this window and the last one, sectors/ms
 * @least_us: shortest service of a demand read in the same; 0: none
 */
struct ml_piece {
	unsigned int sectors;
	u64 since_ns;
	u32 rate[2];
	u32 least_us[2];
};

void ml_piece_init(struct ml_piece *p, u64 now_ns);
void ml_piece_demand(struct ml_piece *p, u64 service_ns);
void ml_piece_step(struct ml_piece *p, u64 sectors, u64 span_ns, u64 now_ns);

/* A time that nothing reasonable takes longer than, in us: 16 s */
#define ML_TIME_MAX_US		0x1000000

/* One unit of reward is 1/16 of a doubling of one of its two times */
s32 ml_depth_reward(u64 demand_us, u32 demand_reads, u64 speculative_us,
		    u64 speculative_kb);

/* A mean that forgets: each value has the weight 1/8; 0 is no mean yet */
static inline u32 ml_mean(u32 mean, u64 value)
{
	u32 v = value < U32_MAX / 8 ? value : U32_MAX / 8;

	if (!mean)
		return v ? v : 1;
	mean = mean - mean / 8 + v / 8;
	return mean ? mean : 1;
}

#endif /* _ML_BLOCK_DEPTH_H */
