// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readahead by hints: the proxy "readahead".
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/ml_lib.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include "account.h"
#include "bounds.h"
#include "device.h"
#include "files.h"
#include "readahead.h"

/**
 * DOC: Readahead by hints
 *
 * The readahead code asks before it issues I/O (linux/readahead_policy.h), and
 * tells what is read. For each file that has missed lately there is a struct
 * ra_file in a table of fixed size, in shards with a lock each (files.c). A shard
 * that another CPU is at is left alone: that decision is stock's, and that
 * request is not seen.
 *
 * A decision:
 *
 * 1. The features are filled in from the file's pattern (pattern.c), the device
 *    and the state of memory (device.c), see features.c.
 * 2. ml_decide() gives an action: stock, exactly what is asked for, a window of
 *    64 KiB to 2 MiB, or 16 or 64 pieces ahead of a strided reader. A stride
 *    that is not there is stock. See actions.c.
 * 3. The decision answers for its pages from then on (account.c). When they
 *    have been read, or will not be, the reward is computed (reward.c) and
 *    observed, once for each page read.
 *
 * Strides keep going by marks: every so many pieces one has the readahead mark,
 * and when the reader comes to it, the decision is made again, for the pieces
 * that are missing to the full number ahead. An answer that is not a stride
 * lets the pipeline run out.
 *
 * A window shows in the requests that come after it, so the decisions of one
 * file within 134 ms are of one arm, and a random backend draws one action for
 * them (arm_slot_order).
 */

static DEFINE_ML_SITE(ra_site);

/* jiffies, when a decision was last the model's; see note_arm() */
static unsigned long treated_at;

/* The pages are the file's, whoever has opened it */
static u64 key_of(const struct file *file)
{
	return hash_64((unsigned long)file->f_mapping, 64);
}

/* Windows */

/* ra_account.close: what came of a decision */
static void observe(struct ra_account *account, unsigned int window)
{
	struct ra_shard *shard = container_of(account, struct ra_shard,
					      account);
	const struct ra_window *w = &account->windows[window];
	const struct ra_claim *claim = &shard->claims[window];
	u32 wasted = w->fetched > w->used ? w->fetched - w->used : 0;
	s32 reward;

	reward = ra_reward(w->cost_ns, w->used, wasted,
			   ra_device_page_price_ns(claim->device),
			   ra_device_latency_us(claim->device));
	ml_observe_many(&ra_site, &claim->decision, reward, w->used);
}

/* A request that misses is the fault of the window it was to be found in */
static void blame(struct ra_shard *shard, struct ra_file *f,
		  const struct readahead_request *rq)
{
	int window = ra_account_find(&shard->account, key_of(rq->file),
				     (u64)rq->index << (PAGE_SHIFT -
							RA_PAGE_SHIFT));

	ra_release(shard, &f->blamed);
	if (window < 0)
		return;
	shard->account.windows[window].held++;
	f->blamed = window;
}

static void claim(struct ra_shard *shard, struct ra_file *f,
		  const struct file *file, const struct ra_pieces *where,
		  const struct ml_decision *decision, u64 now_ns)
{
	int window = ra_account_open(&shard->account, now_ns);
	u64 key = key_of(file), first, last;
	s64 pos = where->pos;
	unsigned int i;

	ra_release(shard, &f->answering);
	if (window < 0)
		return;
	shard->claims[window] = (struct ra_claim) {
		.decision = *decision,
		.device = f->device,
	};
	f->answering = window;
	shard->account.windows[window].strided = where->count > 1;
	for (i = 0; i < where->count && pos >= 0; i++, pos += where->stride) {
		first = pos >> RA_PAGE_SHIFT;
		last = (pos + max(where->len, 1u) - 1) >> RA_PAGE_SHIFT;
		ra_account_add(&shard->account, window, key, first,
			       last - first + 1);
	}
}

/* What is not this file's of what its device does */
static void look_at_others(struct ra_file *f, u64 now_ns)
{
	const struct ra_device *d = f->device;
	u32 misses = READ_ONCE(d->miss_rate), pages = READ_ONCE(d->page_rate);
	u32 streamed = READ_ONCE(d->stream_rate);
	u32 bandwidth = READ_ONCE(d->bandwidth);
	u64 since = now_ns - f->own_since_ns;

	/* The means are of the same intervals, or their difference is noise */
	if (f->own_samples != READ_ONCE(d->samples) && (s64)since > 0) {
		f->own_samples = READ_ONCE(d->samples);
		f->own_rate = ra_mean_rate(f->own_rate, f->own_misses, since);
		f->own_page_rate = ra_mean_rate(f->own_page_rate, f->own_pages,
						since);
		f->own_stream_rate = ra_mean_rate(f->own_stream_rate,
						  f->own_streamed, since);
		f->own_since_ns = now_ns;
		f->own_misses = 0;
		f->own_pages = 0;
		f->own_streamed = 0;
	}
	f->others = misses > f->own_rate ? misses - f->own_rate : 0;
	/* Not quite the same */
	if (f->others < misses / 8)
		f->others = 0;
	pages -= min(pages, f->own_page_rate);
	streamed -= min(streamed, f->own_stream_rate);
	f->beside_stream = streamed > bandwidth / 16;
	f->crowded = pages > bandwidth / 4 || f->beside_stream;
}

/* Decisions */

static void fill_state(struct ra_file *f, const struct readahead_request *rq,
		       u64 now_ns, struct ra_state *s)
{
	const struct inode *inode = rq->file->f_mapping->host;

	look_at_others(f, now_ns);
	f->file_pages = ((u64)i_size_read(inode) + PAGE_SIZE - 1) >> PAGE_SHIFT;
	*s = (struct ra_state) {
		.fault = ra_is_fault(rq),
		.sync = rq->site == READAHEAD_SYNC,
		.async = rq->site == READAHEAD_ASYNC,
		.marker = rq->site == READAHEAD_MARKER,
		.index = rq->index,
		.request = rq->req_count,
		.stock = ra_stock_pages(f, rq),
		.file = f->file_pages,
		.used = f->fetched ? (u64)f->found * RA_SHARE_ONE / f->fetched :
				     RA_SHARE_ONE,
		.fetched = f->fetched_ever,
		.room = ra_memory_room(),
		.refault = ra_memory_refaults(),
		.latency_us = ra_device_latency_us(f->device),
		.bandwidth = READ_ONCE(f->device->bandwidth) / MSEC_PER_SEC,
		.load = READ_ONCE(f->device->load),
		.others = f->others,
	};
}

/* Has the last window of a stream been long enough? */
static void look_at_waiting(struct ra_file *f,
			    const struct readahead_request *rq, u64 now_ns)
{
	if (ra_is_single(f, rq))
		return;
	if (!f->enough)
		f->enough = READ_ONCE(f->device->enough);
	f->enough = ra_enough(max(f->enough, rq->ra->ra_pages), f->waited_ns,
			      now_ns - f->enough_ns);
	ra_device_sufficed(f->device, f->enough);
	f->enough_ns = now_ns;
	f->waited_ns = 0;
}

/*
 * What is stock's only because its slot is of the control arm, has not been in
 * vain: files that slept for that would go on without help when the slot is over.
 * Where there has been no model for a second, it has.
 */
static void note_arm(struct ra_file *f, const struct ml_decision *decision)
{
	unsigned long now = jiffies;

	f->control = decision->arm == ML_ARM_CONTROL &&
		     time_before(now, READ_ONCE(treated_at) + HZ);
	if (decision->arm != ML_ARM_CONTROL && READ_ONCE(treated_at) != now)
		WRITE_ONCE(treated_at, now);
}

static bool decide(struct ra_shard *shard, struct ra_file *f,
		   struct readahead_request *rq, u64 now_ns)
{
	struct ml_decision decision;
	s32 features[RA_NR_FEATURES];
	struct ra_pieces where = {};
	struct ra_state state;
	unsigned int action;
	bool answered;

	ra_device_sample(f->device, rq->file->f_mapping->host, now_ns);
	ra_pattern_asked(&f->pattern, now_ns);
	look_at_waiting(f, rq, now_ns);
	fill_state(f, rq, now_ns, &state);
	ra_features_fill(features, &f->pattern, &state);
	action = ml_decide(&ra_site, (unsigned long)rq->file, features,
			   &decision);
	if (!decision.id)
		return false;
	note_arm(f, &decision);
	if (rq->site == READAHEAD_MARKER)
		answered = ra_act_at_mark(f, rq, action, &where);
	else
		answered = ra_act(f, rq, action, &where);
	rq->cookie = decision.id;
	f->decided_ns = now_ns;
	claim(shard, f, rq->file, &where, &decision, now_ns);
	return answered;
}

/* Is the marked page one of a stride's? */
static bool stride_mark(struct ra_shard *shard,
			const struct readahead_request *rq)
{
	int window = ra_account_find(&shard->account, key_of(rq->file),
				     (u64)rq->index << (PAGE_SHIFT -
							RA_PAGE_SHIFT));

	return window >= 0 && shard->account.windows[window].strided;
}

static void miss(struct ra_shard *shard, struct ra_file *f,
		 const struct readahead_request *rq, u64 now_ns)
{
	f->missed = true;
	f->random = rq->site == READAHEAD_RANDOM ||
		    rq->site == READAHEAD_LONE;
	if (!f->waits_since_ns)
		f->waits_since_ns = now_ns;
	blame(shard, f, rq);
}

static bool readahead_decide(struct readahead_request *rq)
{
	struct ra_shard *shard = ra_shard_of(rq->file);
	bool answered = false;
	struct ra_file *f;
	u64 now_ns;

	if (!ml_on(&ra_site) ||
	    !ra_is_chosen(rq->file->f_mapping->host))
		return false;
	f = ra_find_file(shard, rq->file);
	if (f && ra_sleeps(f) && !ra_is_fresh(rq)) {
		if (ra_is_single(f, rq) && rq->site != READAHEAD_ASYNC)
			ra_miss_asleep(f);
		return false;
	}
	if (!spin_trylock(&shard->lock))
		return false;
	now_ns = local_clock();
	f = ra_get_file(shard, rq, now_ns);
	if (f->sleeps)
		ra_awaken(shard, f);
	f->used_at = jiffies;
	if (rq->site == READAHEAD_MARKER) {
		if (stride_mark(shard, rq))
			answered = decide(shard, f, rq, now_ns);
	} else {
		if (rq->site != READAHEAD_ASYNC)
			miss(shard, f, rq, now_ns);
		if (!ra_pass_over(f, rq)) {
			answered = decide(shard, f, rq, now_ns);
			if (!f->control)
				ra_count_in_vain(shard, f, rq, answered);
		}
	}
	spin_unlock(&shard->lock);
	return answered;
}

/* Of fewer pages, most of the time is not for pages */
#define ISSUED_PAGES	16

static void readahead_issued(const struct readahead_request *rq)
{
	u32 fetched = rq->fetched << (PAGE_SHIFT - RA_PAGE_SHIFT);
	struct ra_shard *shard = ra_shard_of(rq->file);
	struct ra_window *w;
	struct ra_file *f;

	ra_memory_fetched(rq->fetched);
	if (!rq->cookie || !spin_trylock(&shard->lock))
		return;
	f = ra_find_file(shard, rq->file);
	if (f && f->answering >= 0 &&
	    shard->claims[f->answering].decision.id == rq->cookie) {
		w = &shard->account.windows[f->answering];
		w->fetched += fetched;
		f->fetched += fetched;
		f->fetched_ever += fetched;
		f->own_pages += fetched;
		if (!ra_is_single(f, rq) &&
		    f->pattern.sequential >= RA_SHARE_ONE / 2) {
			ra_device_streamed(f->device, fetched);
			f->own_streamed += fetched;
		}
		if (fetched >= ISSUED_PAGES)
			ra_device_issued(f->device, fetched,
					 max_t(s64, 0, local_clock() -
						       f->decided_ns));
		w->cost_ns += ra_device_others_wait_ns(f->device, fetched,
						       f->others);
	}
	spin_unlock(&shard->lock);
}

static void take_in(struct ra_shard *shard, struct ra_file *f,
		    const struct file *file, s64 pos, u32 len, bool fault)
{
	u64 now_ns = 0, ns = 0, first, last;
	bool missed = f->missed || f->put_off;

	if (f->waits_since_ns)
		now_ns = local_clock();
	/* The clocks of two CPUs may differ a little; and who has gone, has */
	if (now_ns > f->waits_since_ns &&
	    now_ns - f->waits_since_ns < RA_HORIZON_NS)
		ns = now_ns - f->waits_since_ns;
	first = (fault ? ra_pattern_faulted_from(&f->pattern, pos) : pos) >>
		RA_PAGE_SHIFT;
	last = (pos + len - 1) >> RA_PAGE_SHIFT;
	/* Waits that overlap do not tell what a miss takes */
	if (f->missed && !f->put_off)
		ra_device_waited(f->device, ns);
	if (missed && f->random)
		ra_device_missed(f->device);
	if (missed)
		f->own_misses += f->random;
	if (f->blamed >= 0) {
		ra_account_blame(&shard->account, f->blamed, last - first + 1,
				 ns);
		ra_release(shard, &f->blamed);
	}
	f->found += ra_account_read(&shard->account, key_of(file), first,
				    last - first + 1, ns);
	f->found = min(f->found, f->fetched);
	f->unread = ra_stays_unread(f->unread, f->fetched, f->found);
	/* 64 MiB are late enough */
	if (f->fetched >= SZ_64M >> RA_PAGE_SHIFT) {
		f->fetched /= 2;
		f->found /= 2;
	}
	f->waited_ns += ns;
	ra_release(shard, &f->answering);
	ra_pattern_read(&f->pattern, pos, len, fault, missed);
	if (!f->missed && f->put_off)
		f->put_off--;
	f->missed = false;
	/* The others go on waiting */
	f->waits_since_ns = f->put_off ? now_ns : 0;
}

/*
 * A request has failed, or will be tried again when the pages are there, as
 * io_uring does: then one of those that come is it.
 */
static void put_off(struct ra_shard *shard, struct ra_file *f)
{
	if (f->missed && f->put_off < U8_MAX)
		f->put_off++;
	if (!f->put_off)
		f->waits_since_ns = 0;
	f->missed = false;
	ra_release(shard, &f->answering);
}

static void readahead_waits(struct file *file)
{
	struct ra_shard *shard = ra_shard_of(file);
	struct ra_file *f = ra_find_followed(shard, file);

	if (!f || !spin_trylock(&shard->lock))
		return;
	if (ra_is_entry_of(f, file) && !f->waits_since_ns)
		f->waits_since_ns = local_clock();
	spin_unlock(&shard->lock);
}

static noinline void followed_read(struct ra_shard *shard, struct ra_file *f,
				   const struct file *file, s64 pos, size_t len,
				   bool fault)
{
	if (!spin_trylock(&shard->lock))
		return;
	if (ra_is_entry_of(f, file) && len)
		take_in(shard, f, file, pos, min_t(size_t, len, SZ_1G), fault);
	else if (ra_is_entry_of(f, file))
		put_off(shard, f);
	spin_unlock(&shard->lock);
}

/* Most reads are of files that are not followed: what these cost is all here */
static void readahead_read(struct file *file, loff_t pos, size_t len,
			   bool fault)
{
	struct ra_shard *shard = ra_shard_of(file);
	struct ra_file *f = ra_find_followed(shard, file);

	if (f)
		followed_read(shard, f, file, pos, len, fault);
}

static const struct readahead_policy ra_policy = {
	.decide = readahead_decide,
	.issued = readahead_issued,
	.waits = readahead_waits,
	.read = readahead_read,
};

/* On and off, see params.c */

/**
 * ra_create() - make the proxy known, not started
 *
 * Return: 0 or a negative errno.
 */
int __init ra_create(void)
{
	return ml_create(&ra_site, &ra_desc, NULL);
}

/**
 * ra_start() - begin to decide
 *
 * Context: Process; not together with ra_stop().
 * Return: 0 or a negative errno.
 */
int ra_start(void)
{
	int err;

	WRITE_ONCE(treated_at, jiffies - HZ);
	err = ra_make_shards(observe);
	if (err)
		return err;
	err = ml_start(&ra_site);
	if (err)
		goto err_free;
	err = readahead_policy_register(&ra_policy);
	if (err)
		goto err_stop;
	return 0;

err_stop:
	ml_stop(&ra_site);
err_free:
	ra_free_shards();
	return err;
}

/**
 * ra_stop() - decide no more; what has been decided is judged as it stands
 *
 * Context: Process; not together with ra_start().
 */
void ra_stop(void)
{
	readahead_policy_unregister(&ra_policy);
	ra_flush_shards();
	ml_stop(&ra_site);
	ra_free_shards();
}
