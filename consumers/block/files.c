// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files that have missed lately: which are there, followed, or asleep.
 */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "device.h"
#include "files.h"

/**
 * DOC: Files
 *
 * A file is found by the address of its struct file, which is compared and never
 * followed: there is no reference, and nobody has to tell when a file is closed.
 * A file whose readahead state is as open() leaves it, or that has other pages,
 * is a new one, whoever had the address before. When the table is full, the
 * entry that has been used least lately goes. The table is in shards, each with
 * a lock; the pages of a file are in one of them, whoever has opened it.
 *
 * Following a reader and deciding cost more than a look-up, and where the device
 * is quick that shows. When decisions on single misses have changed nothing some
 * times in a row, most of them are left to stock. After many times the file is
 * not even followed for a while, it *sleeps*, then, after some more times, for
 * twice as long, and so on; but not as long as much of what has been fetched
 * waits to be read, which some decision is to have the credit for. What stock
 * fetches in vain, as beside what a random reader has read, is no reason.
 */

#define IN_VAIN_SOME	8
#define IN_VAIN_MANY	64
#define IN_VAIN_EACH	4
#define SLEEP_JIFFIES	max(HZ / 16, 1)
#define SLEEP_DOUBLED	2
#define SLEEP_UNREAD	32U	/* pages */
#define SLEEP_UNREAD_SHARE 8	/* of what has been fetched */
#define CREDIT_JIFFIES	nsecs_to_jiffies(RA_HORIZON_NS)

struct ra_shard **ra_shards;
unsigned int ra_shard_order;

/**
 * ra_release() - a file's window is not held any more
 * @shard: of the file, locked
 * @window: its number, becomes -1; -1: there is none
 */
void ra_release(struct ra_shard *shard, s16 *window)
{
	if (*window >= 0)
		ra_account_release(&shard->account, *window);
	*window = -1;
}

static void follow(struct ra_shard *shard, struct ra_file *f, bool on)
{
	WRITE_ONCE(shard->followed[f - shard->files], on ? f->file : NULL);
}

static void forget_file(struct ra_shard *shard, struct ra_file *f)
{
	if (!f->file)
		return;
	ra_release(shard, &f->answering);
	ra_release(shard, &f->blamed);
	if (f->pattern.sequential >= RA_SHARE_ONE / 2)
		ra_device_given(f->device, f->fetched, f->found);
	follow(shard, f, false);
	WRITE_ONCE(f->file, NULL);
}

static void new_file(struct ra_shard *shard, struct ra_file *f,
		     const struct file *file, u64 now_ns)
{
	*f = (struct ra_file) {
		.mapping = file->f_mapping,
		.device = ra_device_of(file->f_mapping->host),
		.own_since_ns = now_ns,
		.answered_at = jiffies - CREDIT_JIFFIES,
		.answering = -1,
		.blamed = -1,
	};
	ra_pattern_reset(&f->pattern);
	WRITE_ONCE(f->file, file);
	follow(shard, f, true);
}

/**
 * ra_get_file() - the entry of a file that asks for readahead
 * @shard: of the file, locked
 * @rq: the request
 * @now_ns: local_clock()
 *
 * Return: The entry that it has, or gets.
 */
struct ra_file *ra_get_file(struct ra_shard *shard,
			    const struct readahead_request *rq, u64 now_ns)
{
	struct ra_file *f = ra_find_file(shard, rq->file);
	struct ra_file *set = &shard->files[ra_set_of(rq->file)];
	struct ra_file *oldest = set;
	unsigned int i;

	if (f && f->mapping == rq->file->f_mapping &&
	    !(ra_is_fresh(rq) && f->pattern.requests))
		return f;
	for (i = 0; i < RA_WAYS && !f; i++) {
		if (!set[i].file)
			f = &set[i];
		else if (time_before(set[i].used_at, oldest->used_at))
			oldest = &set[i];
	}
	if (!f)
		f = oldest;
	forget_file(shard, f);
	new_file(shard, f, rq->file, now_ns);
	return f;
}

/* Has some decision still to hear of much that it has fetched? */
static bool awaits_credit(const struct ra_file *f)
{
	return time_before(jiffies, f->answered_at + CREDIT_JIFFIES) &&
	       f->fetched - f->found > max(f->fetched / SLEEP_UNREAD_SHARE,
					   SLEEP_UNREAD);
}

static void put_to_sleep(struct ra_shard *shard, struct ra_file *f)
{
	f->in_vain -= IN_VAIN_SOME;
	if (awaits_credit(f))
		return;
	WRITE_ONCE(f->sleeps_until, jiffies + (SLEEP_JIFFIES << f->doubled));
	WRITE_ONCE(f->sleeps, true);
	f->doubled = min(f->doubled + 1, SLEEP_DOUBLED);
	follow(shard, f, false);
}

/**
 * ra_awaken() - a file has slept long enough
 * @shard: of the file, locked
 * @f: the file
 *
 * What has been missed meanwhile says nothing about pace and runs.
 */
void ra_awaken(struct ra_shard *shard, struct ra_file *f)
{
	u32 misses = READ_ONCE(f->slept_misses);

	WRITE_ONCE(f->sleeps, false);
	follow(shard, f, true);
	f->waits_since_ns = 0;
	f->put_off = 0;
	ra_pattern_resume(&f->pattern, misses);
	f->own_misses += misses;
	WRITE_ONCE(f->slept_misses, 0);
}

/**
 * ra_miss_asleep() - a file that sleeps has missed
 * @f: the file
 *
 * Without the lock: it may be lost, and the entry become another file's. Others
 * have to know of it all the same.
 */
void ra_miss_asleep(struct ra_file *f)
{
	struct ra_device *device = READ_ONCE(f->device);

	WRITE_ONCE(f->slept_misses, READ_ONCE(f->slept_misses) + 1);
	if (device)
		ra_device_missed(device);
}

/**
 * ra_pass_over() - is a miss to be left to stock without a decision?
 * @f: the file, locked
 * @rq: the miss
 *
 * Return: true if decisions have been in vain of late.
 */
bool ra_pass_over(struct ra_file *f, const struct readahead_request *rq)
{
	if (!ra_is_single(f, rq) || f->in_vain < IN_VAIN_SOME)
		return false;
	if (++f->passed_over < IN_VAIN_EACH)
		return true;
	f->passed_over = 0;
	return false;
}

/**
 * ra_count_in_vain() - has a decision changed anything?
 * @shard: of the file, locked
 * @f: the file; may be asleep after that
 * @rq: what was asked, and answered
 * @answered: not the stock answer
 */
void ra_count_in_vain(struct ra_shard *shard, struct ra_file *f,
		      const struct readahead_request *rq, bool answered)
{
	unsigned int stock = rq->site == READAHEAD_RANDOM ? rq->req_count :
							    rq->ra->size;
	bool same = !ra_is_fault(rq) && !rq->extra.count && rq->size <= stock;

	if (answered && !same)
		f->answered_at = jiffies;
	if (!ra_is_single(f, rq) || (answered && !same)) {
		f->in_vain = 0;
		f->doubled = 0;
	} else if (++f->in_vain == IN_VAIN_MANY) {
		put_to_sleep(shard, f);
	}
}

/**
 * ra_make_shards() - an empty table
 * @close: called when the window of a shard's account is closed
 *
 * Some shards for each CPU, so that two of them seldom want the same.
 *
 * Context: Process.
 * Return: 0 or -ENOMEM.
 */
int ra_make_shards(void (*close)(struct ra_account *a, unsigned int window))
{
	struct ra_shard *shard;
	unsigned int i;

	ra_shard_order = clamp(ilog2(nr_cpu_ids) + 3, 3, 6);
	ra_shards = kcalloc(1 << ra_shard_order, sizeof(*ra_shards),
			    GFP_KERNEL);
	if (!ra_shards)
		return -ENOMEM;
	for (i = 0; i < 1 << ra_shard_order; i++) {
		shard = kvzalloc(sizeof(*shard), GFP_KERNEL);
		if (!shard) {
			ra_free_shards();
			return -ENOMEM;
		}
		spin_lock_init(&shard->lock);
		ra_account_init(&shard->account, close);
		ra_shards[i] = shard;
	}
	return 0;
}

/**
 * ra_flush_shards() - forget all files and close all windows
 *
 * Context: Process; nobody asks any more.
 */
void ra_flush_shards(void)
{
	struct ra_shard *shard;
	unsigned int i, j;

	for (i = 0; i < 1 << ra_shard_order; i++) {
		shard = ra_shards[i];
		spin_lock(&shard->lock);
		for (j = 0; j < RA_FILES; j++)
			forget_file(shard, &shard->files[j]);
		ra_account_flush(&shard->account);
		spin_unlock(&shard->lock);
	}
}

/**
 * ra_free_shards() - the table is gone
 */
void ra_free_shards(void)
{
	unsigned int i;

	for (i = 0; ra_shards && i < 1 << ra_shard_order; i++)
		kvfree(ra_shards[i]);
	kfree(ra_shards);
	ra_shards = NULL;
}
