// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O scheduler ml: demand reads before speculative ones.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/hashtable.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sbitmap.h>
#include <linux/slab.h>
#include <trace/events/block.h>

#include "blk.h"
#include "blk-mq.h"
#include "blk-mq-sched.h"
#include "elevator.h"

#include "depth.h"
#include "iosched.h"
#include "iosched_queue.h"
#include "ra_depth.h"

/**
 * DOC: I/O scheduler ml
 *
 * Readahead marks the reads that nobody waits for yet (REQ_SPECULATIVE). The
 * scheduler has three classes of requests, each in the order of arrival and,
 * for disks that rotate, of sectors: demand reads, speculative reads, writes.
 * depth.c tells whose turn it is. Flushes and passthrough do not come here, and
 * what the block layer inserts at the head goes first.
 *
 * A request is of the class of its first bio as long as it is queued here: a
 * demand bio is not merged into a speculative request, nor the other way. In a
 * plug it may be, before the scheduler sees it, and the request is a demand
 * read then.
 *
 * Requests that are there and should not go now are *held*. That is so only
 * while something is in flight whose completion lets them go, and a timer ends
 * it when time alone does, so no request waits for another one to come. All
 * that this depends on changes under the queue's lock: who changes it looks
 * whether the hold is over and, if so, has the hardware queues run. Nobody who
 * waits for a page of a speculative read can tell the block layer so, which is
 * why a hold is short.
 *
 * Time is divided into epochs of ML_EPOCH_NS of activity. After each of them
 * the depth, the number of speculative reads in flight beside demand, is
 * adjusted by the rule of depth.c, or by the proxy "ra_depth", if it is
 * on, see ra_depth.c.
 */

#define ML_EPOCH_NS	(8 * NSEC_PER_MSEC)
#define ML_DEPTH_FIRST	8
/* A stream that does not go on after this has had its turn */
#define ML_TURN_IDLE_NS	(2 * NSEC_PER_MSEC)
/* Sectors from where a disk that rotates is to what lies in its way: 2 MiB */
#define ML_WAY_SECTORS	4096
/* Of the tags, so that there is always one for a demand read */
#define ML_ASYNC_PERCENT 75

/* In struct request's elv.priv[0]: 0, or the class + 1, and where it is */
#define ML_TAG_CLASS	3
#define ML_TAG_IN_FLIGHT 4

/* The queues that have this scheduler, by address of the request queue */
static DEFINE_HASHTABLE(ml_queues, 6);
static DEFINE_SPINLOCK(ml_queues_lock);

/* Requests of each class times the time they are here */
static void ml_integrate(struct ml_queue *mq, u64 now)
{
	unsigned int class;
	u64 ns;

	/* A completion's time may be read before another CPU's insertion */
	if (now <= mq->area_at)
		return;
	ns = now - mq->area_at;
	for (class = 0; class < ML_NR_CLASSES; class++)
		mq->area[class] += ns * (mq->s.queued[class] +
					 mq->s.in_flight[class]);
	mq->area_at = now;
}

static s32 ml_judge(const struct ml_queue *mq)
{
	return ml_depth_reward(div_u64(mq->area[ML_DEMAND], NSEC_PER_USEC),
			       mq->reads[ML_DEMAND],
			       div_u64(mq->area[ML_SPECULATIVE],
				       NSEC_PER_USEC),
			       mq->read_sectors / 2);
}

static void ml_ask(struct ml_queue *mq, u64 span_ns)
{
	struct ra_depth_state state = {
		.rule = mq->rule.depth,
		.demand_us = mq->latency.demand_us,
		.demand_wait_us = mq->latency.demand_wait_us,
		.speculative_us = mq->latency.speculative_us,
		.speculative_kb = mq->read_sectors / 2,
		.epoch_ns = span_ns,
		.tags = mq->q->tag_set->queue_depth,
		.rotational = mq->s.rotational,
	};
	unsigned int class;

	for (class = 0; class < ML_NR_CLASSES; class++) {
		state.reads[class] = mq->reads[class];
		state.here[class] = mq->s.queued[class] +
				    mq->s.in_flight[class];
	}
	mq->s.depth = ra_depth_choose(mq, &state, &mq->decision);
}

/* An epoch may be over: judge the depth, choose the next one */
static void ml_epoch(struct ml_queue *mq, u64 now)
{
	u64 ns = now - mq->epoch_at;
	bool both = mq->reads[ML_DEMAND] && mq->area[ML_SPECULATIVE];

	if ((s64)ns < (s64)ML_EPOCH_NS)
		return;
	if (mq->decision.id)
		ra_depth_observe(&mq->decision, ml_judge(mq));
	ml_piece_step(&mq->piece, mq->sectors, ns, now);
	ml_depth_step(&mq->rule);
	mq->s.depth = mq->rule.depth;
	if (ra_depth_on() && both)
		ml_ask(mq, ns);
	WRITE_ONCE(mq->latency.depth, mq->s.depth);
	memset(mq->area, 0, sizeof(mq->area));
	memset(mq->reads, 0, sizeof(mq->reads));
	mq->read_sectors = 0;
	mq->sectors = 0;
	mq->epoch_at = now;
}

/* Classes, and where a request is */

static enum ml_class ml_class_of(const struct request *rq)
{
	if (req_op(rq) != REQ_OP_READ)
		return ML_WRITE;
	return rq->cmd_flags & REQ_SPECULATIVE ? ML_SPECULATIVE : ML_DEMAND;
}

static unsigned long ml_tag(const struct request *rq)
{
	return (unsigned long)rq->elv.priv[0];
}

static void ml_set_tag(struct request *rq, unsigned long tag)
{
	rq->elv.priv[0] = (void *)tag;
}

/* Of a request that is queued or in flight: the class it was counted for */
static enum ml_class ml_counted(const struct request *rq)
{
	return (ml_tag(rq) & ML_TAG_CLASS) - 1;
}

static void ml_count(struct ml_queue *mq, enum ml_event event,
		     enum ml_class class)
{
	mq->events[event][class]++;
}

static void ml_enqueue(struct ml_queue *mq, struct request *rq)
{
	enum ml_class class = ml_class_of(rq);
	struct request *pos;

	elv_rb_add(&mq->sorted[class], rq);
	/* A class that changed brings its age along */
	list_for_each_entry_reverse(pos, &mq->fifo[class], queuelist)
		if (pos->fifo_time <= rq->fifo_time)
			break;
	list_add(&rq->queuelist, &pos->queuelist);
	mq->s.queued[class]++;
	ml_set_tag(rq, class + 1);
}

static void ml_dequeue(struct ml_queue *mq, struct request *rq)
{
	enum ml_class class = ml_counted(rq);

	list_del_init(&rq->queuelist);
	if (!RB_EMPTY_NODE(&rq->rb_node))
		elv_rb_del(&mq->sorted[class], rq);
	mq->s.queued[class]--;
	if (!mq->s.queued[class])
		mq->s.passed[class] = 0;
	ml_set_tag(rq, 0);
}

/* It can be merged with no more */
static void ml_unhash(struct ml_queue *mq, struct request *rq)
{
	elv_rqhash_del(mq->q, rq);
	if (mq->q->last_merge == rq)
		mq->q->last_merge = NULL;
}

static struct request *ml_oldest(struct ml_queue *mq, enum ml_class class)
{
	return list_first_entry_or_null(&mq->fifo[class], struct request,
					queuelist);
}

/* Choosing */

static u64 ml_tunable_ns(const struct ml_queue *mq, enum ml_tunable tunable)
{
	return READ_ONCE(mq->tunable_ms[tunable]) * (u64)NSEC_PER_MSEC;
}

/* When the oldest of a class has waited too long */
static u64 ml_expiry(struct ml_queue *mq, enum ml_class class)
{
	struct request *rq = ml_oldest(mq, class);
	u64 since;

	if (!rq)
		return U64_MAX;
	since = rq->fifo_time;
	/* What is left over from its turn waits for the next one */
	if (class == ML_SPECULATIVE)
		since = max(since, mq->turn_end);
	return since + ml_tunable_ns(mq, (enum ml_tunable)class);
}

/* The block layer splits what comes from now on */
static void ml_limit_pieces(struct ml_queue *mq)
{
	unsigned int sectors = mq->s.demand && !mq->s.rotational ?
			       mq->piece.sectors : 0;

	if (mq->q->speculative_sectors != sectors)
		WRITE_ONCE(mq->q->speculative_sectors, sectors);
}

/* The first one that is not behind the disk's head, or NULL */
static struct request *ml_ahead(const struct ml_queue *mq, enum ml_class class)
{
	struct rb_node *node = mq->sorted[class].rb_node;
	struct request *rq = NULL, *pos;

	while (node) {
		pos = rb_entry_rq(node);
		if (blk_rq_pos(pos) >= mq->position) {
			rq = pos;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return rq;
}

static bool ml_is_near(const struct ml_queue *mq, enum ml_class class)
{
	struct request *rq = ml_ahead(mq, class);

	return rq && blk_rq_pos(rq) - mq->position < ML_WAY_SECTORS;
}

/* It has had its time and demand wants the disk, or it does not go on */
static void ml_end_turn(struct ml_queue *mq, u64 now)
{
	struct ml_queue_state *s = &mq->s;
	bool over = now >= mq->turn_end && s->queued[ML_DEMAND];
	bool idle = !s->queued[ML_SPECULATIVE] &&
		    !s->in_flight[ML_SPECULATIVE] &&
		    !s->in_flight[ML_DEMAND] &&
		    now >= mq->served_at + ML_TURN_IDLE_NS;
	unsigned int i;

	if (!over && !idle)
		return;
	s->turn = false;
	mq->turn_end = now;
	/* Who waits for turns is not seen often, and is demand all the same */
	for (i = 0; over && i < ML_DEMAND_READS; i++)
		mq->demand_at[i] = now;
}

static enum ml_class ml_next_class(struct ml_queue *mq, u64 now)
{
	struct ml_queue_state *s = &mq->s;

	s->demand = s->queued[ML_DEMAND] || s->in_flight[ML_DEMAND] ||
		    now < mq->demand_at[mq->demand_next] +
			  ml_tunable_ns(mq, ML_DEMAND_WINDOW);
	ml_limit_pieces(mq);
	if (s->rotational && s->demand) {
		s->near[ML_DEMAND] = ml_is_near(mq, ML_DEMAND);
		s->near[ML_SPECULATIVE] = ml_is_near(mq, ML_SPECULATIVE);
	}
	if (s->turn)
		ml_end_turn(mq, now);
	s->expired[ML_SPECULATIVE] = now >= ml_expiry(mq, ML_SPECULATIVE);
	s->expired[ML_WRITE] = now >= ml_expiry(mq, ML_WRITE);
	return ml_queue_next(s);
}

/* On a disk that rotates the next one in its way, else the oldest */
static struct request *ml_next_request(struct ml_queue *mq, enum ml_class class,
				       u64 now)
{
	struct request *oldest = ml_oldest(mq, class);

	if (!mq->s.rotational ||
	    (class == ML_DEMAND && !mq->s.turn &&
	     now >= ml_expiry(mq, ML_DEMAND)))
		return oldest;
	return ml_ahead(mq, class) ?: rb_entry_rq(rb_first(&mq->sorted[class]));
}

/* Would requests that are queued stay here? Then let a timer look again */
static void ml_hold(struct ml_queue *mq, u64 now)
{
	const struct ml_queue_state *s = &mq->s;
	u64 until = U64_MAX, expiry;
	unsigned int class;
	bool held;

	held = list_empty(&mq->head) &&
	       s->queued[ML_DEMAND] + s->queued[ML_SPECULATIVE] +
	       s->queued[ML_WRITE] &&
	       ml_next_class(mq, now) == ML_NR_CLASSES;
	if (held && !mq->held)
		mq->holds++;
	WRITE_ONCE(mq->held, held);
	if (!held || hrtimer_is_queued(&mq->timer))
		return;
	if (s->turn)
		until = now + ML_TURN_IDLE_NS;
	if (s->turn && mq->turn_end > now)
		until = min(until, mq->turn_end);
	for (class = ML_SPECULATIVE; class < ML_NR_CLASSES; class++) {
		expiry = ml_expiry(mq, class);
		if (expiry > now)
			until = min(until, expiry);
	}
	until = min(until, now + 4 * NSEC_PER_MSEC);
	hrtimer_start(&mq->timer, ns_to_ktime(until - now), HRTIMER_MODE_REL);
}

/* Something has changed; is the hold over? The caller runs the queues then */
static bool ml_release(struct ml_queue *mq, u64 now)
{
	if (!mq->held)
		return false;
	ml_hold(mq, now);
	return !mq->held;
}

static enum hrtimer_restart ml_timer(struct hrtimer *timer)
{
	struct ml_queue *mq = container_of(timer, struct ml_queue, timer);
	unsigned long flags;
	bool run;

	spin_lock_irqsave(&mq->lock, flags);
	run = mq->held;
	/* Dispatching looks again, and sets the timer again */
	WRITE_ONCE(mq->held, false);
	spin_unlock_irqrestore(&mq->lock, flags);
	if (run)
		blk_mq_run_hw_queues(mq->q, true);
	return HRTIMER_NORESTART;
}

static void ml_account_dispatch(struct ml_queue *mq, enum ml_class class,
				u64 now)
{
	struct ml_queue_state *s = &mq->s;
	unsigned int other;

	for (other = 0; other < ML_NR_CLASSES; other++)
		if (other != class && s->queued[other])
			s->passed[other]++;
	/* A batch of writes begins, goes on, or ends for want of them */
	if (class != ML_WRITE)
		s->batch = 0;
	else if (s->batch)
		s->batch--;
	else if (s->passed[ML_WRITE] >= ML_WRITES_STARVED ||
		 s->expired[ML_WRITE])
		s->batch = ML_WRITE_BATCH - 1;
	s->passed[class] = 0;

	if (class != ML_SPECULATIVE)
		return;
	if (mq->freed_at && now > mq->freed_at)
		mq->rule.refill_ns = ml_mean(mq->rule.refill_ns,
					     now - mq->freed_at);
	mq->freed_at = 0;
	if (!s->expired[ML_SPECULATIVE])
		return;
	ml_count(mq, ML_EXPIRED, class);
	if (s->rotational && !s->turn && s->demand) {
		s->turn = true;
		mq->turn_end = now + ml_tunable_ns(mq, ML_SPECULATIVE_TURN);
	}
}

/* The block layer's calls */

static struct request *ml_dispatch_request(struct blk_mq_hw_ctx *hctx)
{
	struct ml_queue *mq = hctx->queue->elevator->elevator_data;
	u64 now = ktime_get_ns();
	struct request *rq = NULL;
	enum ml_class class;
	unsigned long flags;

	spin_lock_irqsave(&mq->lock, flags);
	if (!list_empty(&mq->head)) {
		rq = list_first_entry(&mq->head, struct request, queuelist);
		class = ml_counted(rq);
		ml_dequeue(mq, rq);
	} else {
		class = ml_next_class(mq, now);
		if (class == ML_NR_CLASSES)
			goto out;
		rq = ml_next_request(mq, class, now);
		ml_dequeue(mq, rq);
		ml_unhash(mq, rq);
		ml_account_dispatch(mq, class, now);
	}
	mq->position = blk_rq_pos(rq) + blk_rq_sectors(rq);
	mq->s.in_flight[class]++;
	ml_set_tag(rq, (class + 1) | ML_TAG_IN_FLIGHT);
	ml_count(mq, ML_DISPATCHED, class);
out:
	ml_hold(mq, now);
	if (mq->s.queued[ML_SPECULATIVE] &&
	    mq->s.in_flight[ML_SPECULATIVE] >= mq->s.depth)
		mq->rule.wanted = true;
	spin_unlock_irqrestore(&mq->lock, flags);
	return rq;
}

static bool ml_has_work(struct blk_mq_hw_ctx *hctx)
{
	struct ml_queue *mq = hctx->queue->elevator->elevator_data;
	unsigned int class;

	if (!list_empty_careful(&mq->head))
		return true;
	/* Who ends a hold runs the queues after that */
	if (READ_ONCE(mq->held))
		return false;
	for (class = 0; class < ML_NR_CLASSES; class++)
		if (!list_empty_careful(&mq->fifo[class]))
			return true;
	return false;
}

/* Would rq be merged with a request of another class? */
static bool ml_would_mix(struct request_queue *q, struct request *rq)
{
	struct request *other = q->last_merge;

	if (!rq_mergeable(rq))
		return false;
	if (other && blk_rq_pos(other) + blk_rq_sectors(other) ==
		     blk_rq_pos(rq) && ml_class_of(other) != ml_class_of(rq))
		return true;
	other = elv_rqhash_find(q, blk_rq_pos(rq));
	return other && ml_class_of(other) != ml_class_of(rq);
}

static void ml_insert_request(struct ml_queue *mq, struct request *rq,
			      blk_insert_t flags, struct list_head *free,
			      u64 now)
{
	struct request_queue *q = mq->q;
	enum ml_class class = ml_class_of(rq);

	if (!ml_would_mix(q, rq) && blk_mq_sched_try_insert_merge(q, rq, free))
		return;
	trace_block_rq_insert(rq);
	rq->fifo_time = now;
	if (class == ML_DEMAND) {
		mq->demand_at[mq->demand_next] = now;
		mq->demand_next = (mq->demand_next + 1) % ML_DEMAND_READS;
	}
	ml_count(mq, ML_INSERTED, class);
	if (flags & BLK_MQ_INSERT_AT_HEAD) {
		list_add(&rq->queuelist, &mq->head);
		mq->s.queued[class]++;
		ml_set_tag(rq, class + 1);
		return;
	}
	ml_enqueue(mq, rq);
	if (rq_mergeable(rq)) {
		elv_rqhash_add(q, rq);
		if (!q->last_merge)
			q->last_merge = rq;
	}
}

static void ml_insert_requests(struct blk_mq_hw_ctx *hctx,
			       struct list_head *list, blk_insert_t flags)
{
	struct ml_queue *mq = hctx->queue->elevator->elevator_data;
	u64 now = ktime_get_ns();
	unsigned long irqflags;
	struct request *rq;
	LIST_HEAD(free);

	spin_lock_irqsave(&mq->lock, irqflags);
	ml_integrate(mq, now);
	while (!list_empty(list)) {
		rq = list_first_entry(list, struct request, queuelist);
		list_del_init(&rq->queuelist);
		ml_insert_request(mq, rq, flags, &free, now);
	}
	/* The caller runs the hardware queue */
	ml_release(mq, now);
	spin_unlock_irqrestore(&mq->lock, irqflags);
	blk_mq_free_requests(&free);
}

static bool ml_bio_merge(struct request_queue *q, struct bio *bio,
			 unsigned int nr_segs)
{
	struct ml_queue *mq = q->elevator->elevator_data;
	struct request *free = NULL;
	unsigned long flags;
	bool merged;

	spin_lock_irqsave(&mq->lock, flags);
	merged = blk_mq_sched_try_merge(q, bio, nr_segs, &free);
	spin_unlock_irqrestore(&mq->lock, flags);
	if (free)
		blk_mq_free_request(free);
	return merged;
}

static bool ml_allow_merge(struct request_queue *q, struct request *rq,
			   struct bio *bio)
{
	return !((rq->cmd_flags ^ bio->bi_opf) & REQ_SPECULATIVE);
}

/* A request that begins where the bio ends */
static int ml_request_merge(struct request_queue *q, struct request **found,
			    struct bio *bio)
{
	struct ml_queue *mq = q->elevator->elevator_data;
	struct request *rq;
	unsigned int class;

	for (class = 0; class < ML_NR_CLASSES; class++) {
		rq = elv_rb_find(&mq->sorted[class], bio_end_sector(bio));
		if (!rq || !elv_bio_merge_ok(rq, bio))
			continue;
		*found = rq;
		return blk_discard_mergable(rq) ? ELEVATOR_DISCARD_MERGE :
						  ELEVATOR_FRONT_MERGE;
	}
	return ELEVATOR_NO_MERGE;
}

static void ml_request_merged(struct request_queue *q, struct request *rq,
			      enum elv_merge type)
{
	struct ml_queue *mq = q->elevator->elevator_data;
	struct rb_root *sorted = &mq->sorted[ml_counted(rq)];

	if (type != ELEVATOR_FRONT_MERGE)
		return;
	/* It begins earlier now */
	elv_rb_del(sorted, rq);
	elv_rb_add(sorted, rq);
}

/* Of two requests, next is to be freed and may not have been queued */
static void ml_requests_merged(struct request_queue *q, struct request *rq,
			       struct request *next)
{
	struct ml_queue *mq = q->elevator->elevator_data;
	bool older = false;

	if (ml_tag(next)) {
		ml_count(mq, ML_MERGED, ml_class_of(next));
		older = next->fifo_time < rq->fifo_time;
		ml_dequeue(mq, next);
		ml_unhash(mq, next);
	}
	/* It may have become a demand read, or older */
	if (!older && ml_counted(rq) == ml_class_of(rq))
		return;
	if (older)
		rq->fifo_time = next->fifo_time;
	ml_dequeue(mq, rq);
	ml_enqueue(mq, rq);
}

static void ml_prepare_request(struct request *rq)
{
	ml_set_tag(rq, 0);
}

/* A request has left the device, or comes back undone */
static void ml_left(struct ml_queue *mq, struct request *rq)
{
	mq->s.in_flight[ml_counted(rq)]--;
	ml_set_tag(rq, 0);
}

static void ml_account_completion(struct ml_queue *mq, struct request *rq,
				  enum ml_class class, u64 now)
{
	struct ml_iosched_latency *l = &mq->latency;
	u64 start = rq->io_start_time_ns;
	u64 service = now > start && start ? now - start : 0;
	u64 wait = start > rq->fifo_time ? start - rq->fifo_time : 0;

	mq->reads[class]++;
	mq->sectors += rq->stats_sectors;
	if (class == ML_SPECULATIVE || mq->s.turn)
		mq->served_at = now;
	if (class == ML_DEMAND) {
		ml_piece_demand(&mq->piece, service);
		WRITE_ONCE(l->demand_us, ml_mean(l->demand_us, service / 1000));
		WRITE_ONCE(l->demand_wait_us,
			   ml_mean(l->demand_wait_us, wait / 1000));
	} else if (class == ML_SPECULATIVE) {
		if (!mq->freed_at && mq->held && mq->s.queued[class] &&
		    !mq->s.rotational)
			mq->freed_at = now;
		mq->read_sectors += rq->stats_sectors;
		WRITE_ONCE(l->speculative_us,
			   ml_mean(l->speculative_us, service / 1000));
		ml_depth_account(&mq->rule, rq->stats_sectors, service, now);
	}
}

static void ml_completed_request(struct request *rq, u64 now)
{
	struct ml_queue *mq = rq->q->elevator->elevator_data;
	enum ml_class class;
	unsigned long flags;
	bool run;

	if (!(ml_tag(rq) & ML_TAG_IN_FLIGHT))
		return;
	spin_lock_irqsave(&mq->lock, flags);
	class = ml_counted(rq);
	ml_integrate(mq, now);
	ml_left(mq, rq);
	ml_count(mq, ML_COMPLETED, class);
	ml_account_completion(mq, rq, class, now);
	ml_epoch(mq, now);
	run = ml_release(mq, now);
	spin_unlock_irqrestore(&mq->lock, flags);
	if (run)
		blk_mq_run_hw_queues(rq->q, true);
}

static void ml_abandon(struct request *rq, enum ml_event event)
{
	struct ml_queue *mq = rq->q->elevator->elevator_data;
	u64 now = ktime_get_ns();
	unsigned long flags;
	bool run;

	spin_lock_irqsave(&mq->lock, flags);
	ml_integrate(mq, now);
	ml_count(mq, event, ml_counted(rq));
	ml_left(mq, rq);
	run = ml_release(mq, now);
	spin_unlock_irqrestore(&mq->lock, flags);
	if (run)
		blk_mq_run_hw_queues(rq->q, true);
}

/* It will be inserted again */
static void ml_requeue_request(struct request *rq)
{
	if (ml_tag(rq) & ML_TAG_IN_FLIGHT)
		ml_abandon(rq, ML_REQUEUED);
}

static void ml_finish_request(struct request *rq)
{
	if (ml_tag(rq) & ML_TAG_IN_FLIGHT)
		ml_abandon(rq, ML_COMPLETED);
}

static void ml_limit_depth(blk_opf_t opf, struct blk_mq_alloc_data *data)
{
	struct ml_queue *mq = data->q->elevator->elevator_data;

	if (!op_is_sync(opf) || (opf & REQ_SPECULATIVE))
		data->shallow_depth = mq->async_depth;
}

static void ml_depth_updated(struct blk_mq_hw_ctx *hctx)
{
	struct ml_queue *mq = hctx->queue->elevator->elevator_data;
	struct sbitmap_queue *tags = &hctx->sched_tags->bitmap_tags;

	mq->async_depth = max((1U << tags->sb.shift) * ML_ASYNC_PERCENT / 100,
			      1U);
	sbitmap_queue_min_shallow_depth(tags, mq->async_depth);
}

static int ml_init_hctx(struct blk_mq_hw_ctx *hctx, unsigned int index)
{
	ml_depth_updated(hctx);
	return 0;
}

static struct ml_queue *ml_queue_alloc(struct request_queue *q)
{
	struct ml_queue *mq = kzalloc_node(sizeof(*mq), GFP_KERNEL, q->node);
	bool rotational = !blk_queue_nonrot(q);
	unsigned int class;

	if (!mq)
		return NULL;
	spin_lock_init(&mq->lock);
	mq->q = q;
	INIT_LIST_HEAD(&mq->head);
	for (class = 0; class < ML_NR_CLASSES; class++) {
		INIT_LIST_HEAD(&mq->fifo[class]);
		mq->sorted[class] = RB_ROOT;
	}
	hrtimer_init(&mq->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	mq->timer.function = ml_timer;
	mq->s.rotational = rotational;
	mq->s.depth = ML_DEPTH_FIRST;
	mq->s.write_depth = max(q->tag_set->queue_depth / 4, 2U);
	mq->tunable_ms[ML_DEMAND_EXPIRE] = 100;
	mq->tunable_ms[ML_SPECULATIVE_EXPIRE] = rotational ? 16 : 4;
	mq->tunable_ms[ML_WRITE_EXPIRE] = rotational ? 1000 : 250;
	mq->tunable_ms[ML_DEMAND_WINDOW] = rotational ? 500 : 100;
	/* The time between two turns, some 25 ms, should be a tenth of it */
	mq->tunable_ms[ML_SPECULATIVE_TURN] = 220;
	mq->epoch_at = ktime_get_ns();
	mq->area_at = mq->epoch_at;
	ml_depth_init(&mq->rule, ML_DEPTH_FIRST, mq->epoch_at);
	ml_piece_init(&mq->piece, mq->epoch_at);
	return mq;
}

static int ml_init_sched(struct request_queue *q, struct elevator_type *type)
{
	struct elevator_queue *eq = elevator_alloc(q, type);
	struct ml_queue *mq;

	if (!eq)
		return -ENOMEM;
	mq = ml_queue_alloc(q);
	if (!mq) {
		kobject_put(&eq->kobj);
		return -ENOMEM;
	}
	eq->elevator_data = mq;
	q->elevator = eq;
	/* One order for all hardware queues */
	blk_queue_flag_set(QUEUE_FLAG_SQ_SCHED, q);
	/* Service times */
	blk_stat_enable_accounting(q);
	spin_lock(&ml_queues_lock);
	hash_add_rcu(ml_queues, &mq->node, (unsigned long)q);
	spin_unlock(&ml_queues_lock);
	return 0;
}

static void ml_exit_sched(struct elevator_queue *eq)
{
	struct ml_queue *mq = eq->elevator_data;
	unsigned int class;

	spin_lock(&ml_queues_lock);
	hash_del_rcu(&mq->node);
	spin_unlock(&ml_queues_lock);
	hrtimer_cancel(&mq->timer);
	WRITE_ONCE(mq->q->speculative_sectors, 0);
	blk_stat_disable_accounting(mq->q);
	WARN_ON_ONCE(!list_empty(&mq->head));
	for (class = 0; class < ML_NR_CLASSES; class++)
		WARN_ON_ONCE(mq->s.queued[class] || mq->s.in_flight[class]);
	kfree_rcu(mq, rcu);
}

/**
 * ml_iosched_latency() - what reads from a disk take of late
 * @bdev: the disk or a partition
 * @latency: filled in; its parts are not from the same moment
 *
 * Context: Any. Takes no lock.
 * Return: false if another scheduler, or none, is in charge of the disk.
 */
bool ml_iosched_latency(struct block_device *bdev,
			struct ml_iosched_latency *latency)
{
	struct request_queue *q = bdev_get_queue(bdev);
	const struct ml_queue *mq;

	guard(rcu)();
	hash_for_each_possible_rcu(ml_queues, mq, node, (unsigned long)q) {
		if (mq->q != q)
			continue;
		latency->demand_us = READ_ONCE(mq->latency.demand_us);
		latency->demand_wait_us = READ_ONCE(mq->latency.demand_wait_us);
		latency->speculative_us = READ_ONCE(mq->latency.speculative_us);
		latency->depth = READ_ONCE(mq->latency.depth);
		latency->demand = READ_ONCE(mq->s.queued[ML_DEMAND]) +
				  READ_ONCE(mq->s.in_flight[ML_DEMAND]);
		latency->speculative =
			READ_ONCE(mq->s.queued[ML_SPECULATIVE]) +
			READ_ONCE(mq->s.in_flight[ML_SPECULATIVE]);
		return true;
	}
	return false;
}
EXPORT_SYMBOL_GPL(ml_iosched_latency);

static struct elevator_type ml_elevator = {
	.ops = {
		.init_sched = ml_init_sched,
		.exit_sched = ml_exit_sched,
		.init_hctx = ml_init_hctx,
		.depth_updated = ml_depth_updated,
		.limit_depth = ml_limit_depth,
		.allow_merge = ml_allow_merge,
		.bio_merge = ml_bio_merge,
		.request_merge = ml_request_merge,
		.request_merged = ml_request_merged,
		.requests_merged = ml_requests_merged,
		.next_request = elv_rb_latter_request,
		.former_request = elv_rb_former_request,
		.prepare_request = ml_prepare_request,
		.insert_requests = ml_insert_requests,
		.dispatch_request = ml_dispatch_request,
		.has_work = ml_has_work,
		.completed_request = ml_completed_request,
		.requeue_request = ml_requeue_request,
		.finish_request = ml_finish_request,
	},
#ifdef CONFIG_BLK_DEBUG_FS
	.queue_debugfs_attrs = ml_debugfs_attrs,
#endif
	.elevator_attrs = ml_attrs,
	.elevator_name = "ml",
	.elevator_owner = THIS_MODULE,
};

static int __init ml_iosched_init(void)
{
	int err = ra_depth_init();

	/* The scheduler does without the proxy, but not the other way round */
	if (err)
		pr_warn("ml_iosched: no proxy: %d\n", err);
	err = elv_register(&ml_elevator);
	if (err)
		ra_depth_exit();
	return err;
}
late_initcall(ml_iosched_init);
