/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The I/O scheduler ml, for its own files: what it keeps of a request queue.
 */
#ifndef _ML_BLOCK_IOSCHED_QUEUE_H
#define _ML_BLOCK_IOSCHED_QUEUE_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/hrtimer.h>
#include <linux/ml_lib.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "blk-mq-debugfs.h"
#include "elevator.h"

#include "depth.h"
#include "iosched.h"

/* Fewer demand reads in a window are a stream's beginning, or its metadata */
#define ML_DEMAND_READS	4

enum ml_event {
	ML_INSERTED,
	ML_MERGED,
	ML_DISPATCHED,
	ML_COMPLETED,
	ML_REQUEUED,
	ML_EXPIRED,
	ML_NR_EVENTS,
};

/*
 * For each class the wait after which a request is urgent, and two more times
 */
enum ml_tunable {
	ML_DEMAND_EXPIRE = ML_DEMAND,
	ML_SPECULATIVE_EXPIRE = ML_SPECULATIVE,
	ML_WRITE_EXPIRE = ML_WRITE,
	ML_DEMAND_WINDOW,	/* for which some demand reads are demand */
	ML_SPECULATIVE_TURN,	/* the most that it takes */
	ML_NR_TUNABLES,
};

/**
 * struct ml_queue - the scheduler of one request queue
 * @lock: protects all of it but the tunables
 * @q: the queue
 * @head: requests that go before all others
 * @fifo: queued requests of a class, oldest first
 * @sorted: the same by sector
 * @position: where the last dispatched request ends
 * @s: what the choice depends on, see depth.c
 * @held: there are requests and none should go now
 * @demand_at: when the last demand reads came
 * @demand_next: the oldest of these
 * @turn_end: of the turn of speculation, see depth.c
 * @served_at: when the last read of the stream was completed
 * @freed_at: when it left room for one that was held; 0: there is none
 * @timer: ends a hold
 * @rule: the depth by rule
 * @piece: the length of speculative reads beside demand
 * @epoch_at: when the epoch began
 * @area: of this epoch: requests of a class times the ns they were here
 * @area_at: until when
 * @reads: of this epoch: completed requests of a class
 * @read_sectors: of this epoch: completed speculative sectors
 * @sectors: of this epoch: all completed
 * @latency: published to ml_iosched_latency()
 * @decision: the proxy's, on this epoch
 * @async_depth: of each word of the tags' bitmap, for all but demand
 * @tunable_ms: see enum ml_tunable
 * @events: counters since the scheduler was chosen
 * @holds: number of holds
 * @node: in ml_queues
 * @rcu: frees it
 */
struct ml_queue {
	spinlock_t lock; /* see above */
	struct request_queue *q;
	struct list_head head;
	struct list_head fifo[ML_NR_CLASSES];
	struct rb_root sorted[ML_NR_CLASSES];
	sector_t position;
	struct ml_queue_state s;
	bool held;
	u64 demand_at[ML_DEMAND_READS];
	unsigned int demand_next;
	u64 turn_end;
	u64 served_at;
	u64 freed_at;
	struct hrtimer timer;
	struct ml_depth rule;
	struct ml_piece piece;
	u64 epoch_at;
	u64 area[ML_NR_CLASSES];
	u64 area_at;
	u32 reads[ML_NR_CLASSES];
	u64 read_sectors;
	u64 sectors;
	struct ml_iosched_latency latency;
	struct ml_decision decision;
	unsigned int async_depth;
	unsigned int tunable_ms[ML_NR_TUNABLES];
	unsigned long events[ML_NR_EVENTS][ML_NR_CLASSES];
	unsigned long holds;
	struct hlist_node node;
	struct rcu_head rcu;
};

/* iosched_attrs.c */
extern struct elv_fs_entry ml_attrs[];
#ifdef CONFIG_BLK_DEBUG_FS
extern const struct blk_mq_debugfs_attr ml_debugfs_attrs[];
#endif

#endif /* _ML_BLOCK_IOSCHED_QUEUE_H */
