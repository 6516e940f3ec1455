// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readahead by hints: the proxy "readahead".
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/math64.h>
#include <linux/ml_lib.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/part_stat.h>
#include <linux/readahead_policy.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>

#include "pattern.h"

/**
 * DOC: Readahead by hints
 *
 * The readahead code asks before it issues I/O (linux/readahead_policy.h), and
 * tells what is read. For each file that has missed lately there is a struct
 * ra_file in a table of fixed size, found by the address of the struct file,
 * which is compared and never followed: there is no reference, and nobody has
 * to tell when a file is closed. A file whose readahead state is as open()
 * leaves it is a new one, whoever had the address before. When the table is
 * full, the entry that has been used least lately goes. An entry that another
 * CPU is at is left alone: that decision is stock's, and that request is not
 * seen.
 *
 * A decision:
 *
 * 1. The features are filled in from the file's pattern, the device, and the
 *    state of memory, see pattern.c.
 * 2. ml_decide() gives an action: stock, exactly what is asked for, a window of
 *    64 KiB to 2 MiB, or 16 or 64 pieces ahead of a strided reader. A stride
 *    that is not there is stock.
 * 3. What was decided is remembered as a struct ra_window, which takes note
 *    of the requests that fall into it. When all of it has been read, or it is
 *    the oldest of RA_WINDOWS and a new one needs its place, the reward is
 *    computed and observed.
 *
 * Strides keep going by marks: every so many pieces one has the readahead mark,
 * and when the reader comes to it, the decision is made again, for the pieces
 * that are missing to the full number ahead. An answer that is not a stride
 * lets the pipeline run out.
 *
 * A window shows in the requests that come after it, so the decisions of one
 * file within 134 ms are of one arm (arm_slot_order).
 */

#define RA_WAYS		4
#define RA_SET_ORDER	6
#define RA_WINDOWS	8
#define RA_DEVICES	16
#define RA_BITS		512

struct ra_window {
	struct ra_pieces where;
	struct ml_decision decision;
	u64 read_ns;
	u32 fetched;
	u32 used;
	DECLARE_BITMAP(seen, RA_BITS);
};

struct ra_file {
	const struct file *file;
	struct ra_pattern pattern;
	struct ra_device *device;
	s64 next;		/* first piece that is not issued yet */
	s64 next_stride;	/* its stride, 0: nothing is ahead */
	u64 last_demand;	/* ra_demand at the last decision */
	s32 others;		/* mean growth of that, 1/65536 */
	unsigned long used_at;	/* jiffies */
	u32 window_pages;
	u16 used;		/* share of the fetched pages that are read */
	u8 newest;		/* of windows[] */
	bool missed;
	bool treated;		/* ra->size is not stock's */
	struct ra_window windows[RA_WINDOWS];
};

struct ra_set {
	spinlock_t lock;	/* protects the files */
	struct ra_file files[RA_WAYS];
};

/* Written under ra_sample_lock but for @latency_us; read without a lock */
struct ra_device {
	dev_t dev;		/* 0: none */
	u32 latency_us;		/* see learn_latency(), in 1/64 us */
	u32 bandwidth;		/* best of late, pages per s */
	u32 load;		/* 1/16 requests */
	unsigned long next_sample;
	u64 sampled_ns;
	u64 sectors;
	u64 busy_ms;
	u64 wait_ns;
};

static struct ra_set *ra_sets;
static struct ra_device ra_devices[RA_DEVICES];
static DEFINE_SPINLOCK(ra_sample_lock);
static atomic_long_t ra_demand;	/* misses that look random, all files */
static atomic_long_t ra_fetched;

static struct {
	unsigned long next_sample;
	unsigned long refaults;
	unsigned long fetched;
	u32 share;
} ra_refault;

static const struct ml_feature ra_features[RA_NR_FEATURES] = {
	[RA_F_SYNC] = { "sync", "1", "a miss that continues a stream" },
	[RA_F_ASYNC] = { "async", "1", "the mark of a window was hit" },
	[RA_F_FAULT] = { "fault", "1", "a page fault, not a read" },
	[RA_F_MARKER] = { "marker", "1", "the mark of a stride was hit" },
	[RA_F_REQUEST] = { "request", "lg16 page", "asked for" },
	[RA_F_REQUESTS] = { "requests", "lg16", "of this file so far" },
	[RA_F_MISSES] = { "misses", "lg16", "requests that met with a miss" },
	[RA_F_SEQUENTIAL] = { "sequential", "1/1024",
			      "share of requests that continue the last" },
	[RA_F_HITS] = { "hits", "1/1024", "share of requests without a miss" },
	[RA_F_STRIDE] = { "stride", "lg16 page", "distance of runs" },
	[RA_F_STRIDE_SIGN] = { "stride_sign", "1", "-1: backwards" },
	[RA_F_STRIDE_CONF] = { "stride_conf", "1", "0: none .. 16: sure" },
	[RA_F_STRIDE_COVER] = { "stride_cover", "1/1024",
				"share of the file that a strided reader reads" },
	[RA_F_RUN_MEAN] = { "run_mean", "lg16 page", "mean length of runs" },
	[RA_F_RUN_NOW] = { "run_now", "lg16 page", "of the current run" },
	[RA_F_JUMP] = { "jump", "lg16 page", "mean distance of jumps" },
	[RA_F_FORWARD] = { "forward", "1/1024", "share of jumps forward" },
	[RA_F_THINK] = { "think", "lg16 us", "mean time between requests" },
	[RA_F_USED] = { "used", "1/1024", "share of fetched pages that are read" },
	[RA_F_STOCK_WINDOW] = { "stock_window", "lg16 page", "stock's answer" },
	[RA_F_WINDOW] = { "window", "lg16 page", "the answer before" },
	[RA_F_FILE] = { "file", "lg16 page", "size of the file" },
	[RA_F_LEFT] = { "left", "lg16 page", "from here to the file's end" },
	[RA_F_ROOM] = { "room", "lg16 page", "memory that is free or cache" },
	[RA_F_FILE_ROOM] = { "file_room", "lg16", "file / room" },
	[RA_F_REFAULT] = { "refault", "1/1024",
			   "share of fetched pages that had been evicted" },
	[RA_F_LATENCY] = { "latency", "lg16 us", "of a miss on this device" },
	[RA_F_BANDWIDTH] = { "bandwidth", "lg16 page/ms", "best of the device" },
	[RA_F_LOAD] = { "load", "lg16 1/16", "requests in the device" },
	[RA_F_OTHERS] = { "others", "1/256", "random misses of others between two decisions" },
};

static const struct ml_action ra_actions[RA_NR_ACTIONS] = {
	[RA_STOCK] = { "stock", "what the kernel does" },
	[RA_NONE] = { "none", "what is asked for, nothing more" },
	[RA_64K] = { "64k", "a window of 64 KiB" },
	[RA_256K] = { "256k", "a window of 256 KiB" },
	[RA_1M] = { "1m", "a window of 1 MiB" },
	[RA_2M] = { "2m", "a window of 2 MiB" },
	[RA_STRIDE_16] = { "stride16", "16 pieces ahead; stock without stride" },
	[RA_STRIDE_64] = { "stride64", "64 pieces ahead; stock without stride" },
};

static const unsigned int ra_window_pages[RA_NR_ACTIONS] = {
	[RA_64K] = SZ_64K >> RA_PAGE_SHIFT,
	[RA_256K] = SZ_256K >> RA_PAGE_SHIFT,
	[RA_1M] = SZ_1M >> RA_PAGE_SHIFT,
	[RA_2M] = SZ_2M >> RA_PAGE_SHIFT,
};

static const struct ml_ops ra_ops = {
	.rule = ra_rule,
};

static const struct ml_proxy_desc ra_desc = {
	.name = "readahead",
	.features = ra_features,
	.nr_features = RA_NR_FEATURES,
	.actions = ra_actions,
	.nr_actions = RA_NR_ACTIONS,
	.reward_unit = "miss/1000",
	.reward_about = "-(time in reads + price of waste) / (pages read * a miss)",
	.ops = &ra_ops,
	.arm_slot_order = 27,
};

static DEFINE_ML_SITE(ra_site);

static struct ra_set *set_of(const struct file *file)
{
	return &ra_sets[hash_ptr(file, RA_SET_ORDER)];
}

/* Devices and memory */

/* Of the devices beyond the first RA_DEVICES - 1, all share the last place */
static struct ra_device *device_of(const struct inode *inode)
{
	dev_t dev = inode->i_sb->s_dev;
	struct ra_device *d;

	spin_lock(&ra_sample_lock);
	for (d = ra_devices; d < &ra_devices[RA_DEVICES - 1]; d++) {
		if (!d->dev)
			d->dev = dev;
		if (d->dev == dev)
			break;
	}
	spin_unlock(&ra_sample_lock);
	return d;
}

static void sample_device(struct ra_device *d, struct block_device *bdev)
{
	u64 now = ktime_get_ns(), elapsed = now - d->sampled_ns;
	u64 sectors = part_stat_read(bdev, sectors[STAT_READ]);
	u64 busy_ms = jiffies_to_msecs(part_stat_read(bdev, io_ticks));
	u64 wait_ns = part_stat_read(bdev, nsecs[STAT_READ]);
	u32 rate = 0;

	if (d->sampled_ns) {
		if (busy_ms - d->busy_ms >= 4)
			rate = div64_u64((sectors - d->sectors) / 8 *
					 MSEC_PER_SEC, busy_ms - d->busy_ms);
		/* Half is forgotten in 20 seconds of use */
		rate = max(rate, d->bandwidth - d->bandwidth / 1024);
		WRITE_ONCE(d->bandwidth, rate);
		WRITE_ONCE(d->load,
			   min_t(u64, div64_u64((wait_ns - d->wait_ns) * 16,
						max(elapsed, 1)), S16_MAX));
	}
	d->sampled_ns = now;
	d->sectors = sectors;
	d->busy_ms = busy_ms;
	d->wait_ns = wait_ns;
}

static void sample_refaults(void)
{
	unsigned long refaults, fetched, share;

	refaults = global_node_page_state(WORKINGSET_REFAULT_FILE);
	fetched = atomic_long_read(&ra_fetched);
	if (fetched - ra_refault.fetched < 256)
		return;
	share = min(RA_SHARE_ONE, (refaults - ra_refault.refaults) *
		    RA_SHARE_ONE / (fetched - ra_refault.fetched));
	WRITE_ONCE(ra_refault.share, (ra_refault.share * 3 + share) / 4);
	ra_refault.refaults = refaults;
	ra_refault.fetched = fetched;
}

#define SAMPLE_JIFFIES	max(HZ / 32, 1)

static void sample(struct ra_device *d, const struct inode *inode)
{
	if (time_before(jiffies, READ_ONCE(d->next_sample)) &&
	    time_before(jiffies, READ_ONCE(ra_refault.next_sample)))
		return;
	if (!spin_trylock(&ra_sample_lock))
		return;
	if (inode->i_sb->s_bdev && !time_before(jiffies, d->next_sample))
		sample_device(d, inode->i_sb->s_bdev);
	WRITE_ONCE(d->next_sample, jiffies + SAMPLE_JIFFIES);
	if (!time_before(jiffies, ra_refault.next_sample))
		sample_refaults();
	WRITE_ONCE(ra_refault.next_sample, jiffies + SAMPLE_JIFFIES);
	spin_unlock(&ra_sample_lock);
}

static u32 latency_us(const struct ra_device *d)
{
	return READ_ONCE(d->latency_us) / 64;
}

/* The price of a page that is fetched in vain, see ra_reward() */
static u32 page_price_ns(const struct ra_device *d)
{
	u64 miss_ns = (u64)latency_us(d) * NSEC_PER_USEC;
	u32 bandwidth = READ_ONCE(d->bandwidth);
	u64 price = miss_ns / 8;

	if (bandwidth)
		price = min_t(u64, price, NSEC_PER_SEC / bandwidth);
	price += miss_ns * READ_ONCE(ra_refault.share) / RA_SHARE_ONE;
	return min_t(u64, price, U32_MAX);
}

static u64 room_pages(void)
{
	return global_zone_page_state(NR_FREE_PAGES) +
	       global_node_page_state(NR_ACTIVE_FILE) +
	       global_node_page_state(NR_INACTIVE_FILE);
}

/* Windows */

static u32 pieces_pages(const struct ra_pieces *where)
{
	return DIV_ROUND_UP(where->len, RA_PAGE) * where->count;
}

static void close_window(struct ra_file *f, struct ra_window *w)
{
	u32 wasted = w->fetched > w->used ? w->fetched - w->used : 0;
	u32 share;

	if (!w->where.count)
		return;
	w->where.count = 0;
	if (w->fetched) {
		share = (w->fetched - wasted) * RA_SHARE_ONE / w->fetched;
		f->used = (f->used * 7 + share) / 8;
	}
	ml_observe(&ra_site, &w->decision,
		   ra_reward(w->read_ns, w->used, wasted,
			     page_price_ns(f->device), latency_us(f->device)));
}

static void open_window(struct ra_file *f, const struct ra_pieces *where,
			const struct ml_decision *decision)
{
	struct ra_window *w;

	f->newest = (f->newest + 1) % RA_WINDOWS;
	w = &f->windows[f->newest];
	close_window(f, w);
	*w = (struct ra_window) {
		.where = *where,
		.decision = *decision,
	};
}

static void read_window(struct ra_file *f, struct ra_window *w, s64 pos,
			u32 len, u64 ns)
{
	u32 first, nr, i, weight = 1;

	if (!ra_pieces_hit(&w->where, pos, len, &first, &nr))
		return;
	w->read_ns += ns;
	if (w->where.count > 1) {
		weight = DIV_ROUND_UP(w->where.len, RA_PAGE);
	} else if (w->where.len > RA_BITS * RA_PAGE) {
		weight = DIV_ROUND_UP(w->where.len, RA_BITS * RA_PAGE);
		nr = (first + nr - 1) / weight - first / weight + 1;
		first /= weight;
	}
	for (i = first; i < first + nr && i < RA_BITS; i++)
		if (!__test_and_set_bit(i, w->seen))
			w->used += weight;
	if (w->used >= pieces_pages(&w->where))
		close_window(f, w);
}

/* Files */

static struct ra_file *find_file(struct ra_set *set, const struct file *file)
{
	unsigned int i;

	for (i = 0; i < RA_WAYS; i++)
		if (READ_ONCE(set->files[i].file) == file)
			return &set->files[i];
	return NULL;
}

static void forget_file(struct ra_file *f)
{
	unsigned int i;

	if (!f->file)
		return;
	for (i = 1; i <= RA_WINDOWS; i++)
		close_window(f, &f->windows[(f->newest + i) % RA_WINDOWS]);
	WRITE_ONCE(f->file, NULL);
}

static struct ra_file *get_file_entry(struct ra_set *set,
				      const struct readahead_request *rq)
{
	bool fresh = rq->ra->prev_pos == -1 && !rq->ra->size;
	struct ra_file *f = find_file(set, rq->file), *oldest = set->files;
	unsigned int i;

	if (f && !(fresh && f->pattern.requests))
		return f;
	for (i = 0; i < RA_WAYS && !f; i++) {
		if (!set->files[i].file)
			f = &set->files[i];
		else if (time_before(set->files[i].used_at, oldest->used_at))
			oldest = &set->files[i];
	}
	if (!f)
		f = oldest;
	forget_file(f);
	WRITE_ONCE(f->file, rq->file);
	f->device = device_of(file_inode(rq->file));
	f->next_stride = 0;
	f->last_demand = atomic_long_read(&ra_demand);
	f->others = 0;
	f->window_pages = 0;
	f->used = RA_SHARE_ONE;
	f->treated = false;
	ra_pattern_reset(&f->pattern);
	return f;
}

static bool stride_mark(const struct ra_file *f, u64 index)
{
	u32 first, nr;
	unsigned int i;

	for (i = 0; i < RA_WINDOWS; i++)
		if (f->windows[i].where.count > 1 &&
		    ra_pieces_hit(&f->windows[i].where,
				  max_t(s64, index << RA_PAGE_SHIFT,
					f->windows[i].where.pos),
				  RA_PAGE, &first, &nr))
			return true;
	return false;
}

/* Actions: each fills in the request's answer and what it is about */

static bool stock(struct ra_file *f, struct readahead_request *rq)
{
	unsigned int max_pages = max_t(unsigned long, rq->ra->ra_pages,
				       rq->req_count);

	/* Stock never shrinks a window, nor has it made one that large */
	if (rq->site != READAHEAD_ASYNC || !f->treated ||
	    rq->size <= max_pages)
		return false;
	rq->size = max_pages;
	rq->async_size = max_pages;
	return true;
}

static bool none(struct readahead_request *rq)
{
	if (rq->site == READAHEAD_LONE)
		return false;
	rq->start = rq->index;
	rq->size = rq->site == READAHEAD_ASYNC ? 0 : rq->req_count;
	rq->async_size = 0;
	return true;
}

static bool window(const struct ra_pattern *p, struct readahead_request *rq,
		   unsigned int pages)
{
	switch (rq->site) {
	case READAHEAD_ASYNC:
		rq->size = pages;
		rq->async_size = pages;
		return true;
	case READAHEAD_AROUND:
	case READAHEAD_LONE:
		rq->start = rq->index;
		if (p->sequential < RA_SHARE_ONE * 3 / 4)
			rq->start -= min_t(pgoff_t, rq->index, pages / 2);
		rq->size = pages;
		rq->async_size = pages / 2;
		return true;
	default:
		rq->start = rq->index;
		rq->size = max_t(unsigned long, pages, rq->req_count);
		rq->async_size = rq->size > rq->req_count ?
				 rq->size - rq->req_count : rq->size / 2;
		return true;
	}
}

/* Pieces of @ahead that have been issued are left out */
static void skip_issued(const struct ra_file *f, struct ra_pieces *ahead)
{
	s64 skip;

	if (f->next_stride != ahead->stride)
		return;
	skip = div64_s64(f->next - ahead->pos, ahead->stride);
	if (skip <= 0 || skip > ahead->count ||
	    ahead->pos + skip * ahead->stride != f->next)
		return;
	ahead->pos = f->next;
	ahead->count -= skip;
}

static bool stride(struct ra_file *f, struct readahead_request *rq,
		   unsigned int count, struct ra_pieces *where)
{
	struct ra_pieces ahead;
	unsigned long piece;

	if (!ra_pattern_ahead(&f->pattern, rq->index, rq->req_count, count,
			      &ahead))
		return false;
	*where = ahead;
	skip_issued(f, &ahead);
	rq->extra = (struct readahead_ranges) {
		.pos = ahead.pos,
		.stride = ahead.stride,
		.len = ahead.len,
		.count = ahead.count,
		.mark_every = count / 4,
	};
	f->next = ahead.pos + ahead.count * ahead.stride;
	f->next_stride = ahead.stride;
	if (rq->site == READAHEAD_MARKER || rq->site == READAHEAD_ASYNC) {
		if (ahead.count)
			*where = ahead;
		rq->size = 0;
		return true;
	}
	/* The piece that is missed, to its end */
	where->pos -= where->stride;
	where->count++;
	piece = ((where->pos + where->len - 1) >> PAGE_SHIFT) + 1;
	rq->start = rq->index;
	rq->size = rq->req_count;
	if (piece > rq->index && piece - rq->index > rq->size)
		rq->size = piece - rq->index;
	rq->async_size = 0;
	return true;
}

static bool act(struct ra_file *f, struct readahead_request *rq,
		unsigned int action, struct ra_pieces *where)
{
	unsigned int stock_size = rq->size, pages;
	bool answered;

	switch (action) {
	case RA_STRIDE_16:
	case RA_STRIDE_64:
		answered = stride(f, rq, action == RA_STRIDE_16 ? 16 : 64,
				  where);
		if (answered)
			return true;
		break;
	case RA_NONE:
		answered = none(rq);
		break;
	case RA_64K ... RA_2M:
		pages = min_t(u64, ra_window_pages[action],
			      max_t(u64, room_pages() / 32, rq->size));
		answered = window(&f->pattern, rq, pages);
		f->treated = true;
		break;
	default:
		answered = stock(f, rq);
		f->treated = false;
	}
	/* What is fetched, or what stock would have fetched */
	*where = (struct ra_pieces) {
		.pos = (s64)rq->start << PAGE_SHIFT,
		.len = max3(rq->size, stock_size, 1U) << PAGE_SHIFT,
		.count = 1,
	};
	return answered;
}

/* At the mark of a stride: only how many pieces is to be decided */
static bool act_at_mark(struct ra_file *f, struct readahead_request *rq,
			unsigned int action, struct ra_pieces *where)
{
	unsigned int count = action == RA_STRIDE_16 ? 16 : 64;

	if (action != RA_STRIDE_16 && action != RA_STRIDE_64) {
		ra_pattern_ahead(&f->pattern, rq->index, rq->req_count, 16,
				 where);
		skip_issued(f, where);
		return true;
	}
	return stride(f, rq, count, where);
}

static void fill_state(struct ra_file *f,
		       const struct readahead_request *rq, struct ra_state *s)
{
	const struct inode *inode = file_inode(rq->file);
	u64 since = atomic_long_read(&ra_demand) - f->last_demand;

	f->others += ((s32)min_t(u64, since, 16) * 65536 - f->others) / 32;
	*s = (struct ra_state) {
		.fault = rq->site == READAHEAD_AROUND ||
			 rq->site == READAHEAD_LONE,
		.sync = rq->site == READAHEAD_SYNC,
		.async = rq->site == READAHEAD_ASYNC,
		.marker = rq->site == READAHEAD_MARKER,
		.index = rq->index,
		.request = rq->req_count,
		.stock = rq->size,
		.window = f->window_pages,
		.file = (i_size_read(inode) + PAGE_SIZE - 1) >> PAGE_SHIFT,
		.used = f->used,
		.room = room_pages(),
		.refault = READ_ONCE(ra_refault.share),
		.latency_us = latency_us(f->device),
		.bandwidth = READ_ONCE(f->device->bandwidth) / MSEC_PER_SEC,
		.load = READ_ONCE(f->device->load),
		.others = f->others / 256,
	};
}

static bool decide(struct ra_file *f, struct readahead_request *rq)
{
	struct ml_decision decision;
	s32 features[RA_NR_FEATURES];
	struct ra_pieces where = {};
	struct ra_state state;
	unsigned int action;
	bool answered;

	sample(f->device, file_inode(rq->file));
	fill_state(f, rq, &state);
	ra_features_fill(features, &f->pattern, &state);
	action = ml_decide(&ra_site, (unsigned long)rq->file, features,
			   &decision);
	if (!decision.id)
		return false;
	if (rq->site == READAHEAD_MARKER)
		answered = act_at_mark(f, rq, action, &where);
	else
		answered = act(f, rq, action, &where);
	if (rq->site == READAHEAD_RANDOM || rq->site == READAHEAD_LONE)
		atomic_long_inc(&ra_demand);
	f->last_demand = atomic_long_read(&ra_demand);
	f->window_pages = rq->size ?: pieces_pages(&where);
	rq->cookie = decision.id;
	open_window(f, &where, &decision);
	return answered;
}

static bool readahead_decide(struct readahead_request *rq)
{
	struct ra_set *set = set_of(rq->file);
	bool answered = false;
	struct ra_file *f;

	if (!ml_on(&ra_site) || !spin_trylock(&set->lock))
		return false;
	f = get_file_entry(set, rq);
	f->used_at = jiffies;
	if (rq->site == READAHEAD_MARKER) {
		if (stride_mark(f, rq->index))
			answered = decide(f, rq);
	} else {
		if (rq->site != READAHEAD_ASYNC)
			f->missed = true;
		answered = decide(f, rq);
	}
	spin_unlock(&set->lock);
	return answered;
}

static void readahead_issued(const struct readahead_request *rq)
{
	struct ra_set *set = set_of(rq->file);
	struct ra_file *f;
	unsigned int i;

	atomic_long_add(rq->fetched, &ra_fetched);
	if (!rq->cookie || !spin_trylock(&set->lock))
		return;
	f = find_file(set, rq->file);
	for (i = 0; f && i < RA_WINDOWS; i++)
		if (f->windows[i].where.count &&
		    f->windows[i].decision.id == rq->cookie)
			f->windows[i].fetched = rq->fetched;
	spin_unlock(&set->lock);
}

/*
 * What a miss costs when nobody else is in the way: follows a shorter time
 * eight times as fast as a longer one, or windows that keep the device busy
 * would make it look slow, which asks for longer windows.
 */
static void learn_latency(struct ra_device *d, u64 ns)
{
	u32 us64 = min_t(u64, div_u64(ns * 64, NSEC_PER_USEC), S32_MAX);
	u32 was = READ_ONCE(d->latency_us), now = us64;

	if (was && us64 < was)
		now = was - (was - us64) / 8;
	else if (was)
		now = was + (us64 - was) / 64;
	WRITE_ONCE(d->latency_us, now);
}

static void readahead_read(struct file *file, loff_t pos, size_t len, u64 ns,
			   bool fault)
{
	struct ra_set *set = set_of(file);
	struct ra_file *f = find_file(set, file);
	u32 bytes = min_t(size_t, len, S32_MAX);
	unsigned int i;

	if (!f || !len || !spin_trylock(&set->lock))
		return;
	if (f->file != file)
		goto out;
	if ((s64)ns < 0)
		ns = 0;
	if (f->missed)
		learn_latency(f->device, ns);
	for (i = 0; i < RA_WINDOWS; i++)
		if (f->windows[i].where.count)
			read_window(f, &f->windows[i], pos, bytes, ns);
	ra_pattern_read(&f->pattern, pos, bytes, fault, f->missed,
			ktime_get_ns());
	f->missed = false;
out:
	spin_unlock(&set->lock);
}

static const struct readahead_policy ra_policy = {
	.decide = readahead_decide,
	.issued = readahead_issued,
	.read = readahead_read,
};

/* On and off */

static bool enable;

static int ra_start(void)
{
	unsigned int i;
	int err;

	ra_sets = kvcalloc(1 << RA_SET_ORDER, sizeof(*ra_sets), GFP_KERNEL);
	if (!ra_sets)
		return -ENOMEM;
	for (i = 0; i < 1 << RA_SET_ORDER; i++)
		spin_lock_init(&ra_sets[i].lock);
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
	kvfree(ra_sets);
	return err;
}

static void ra_stop(void)
{
	readahead_policy_unregister(&ra_policy);
	ml_stop(&ra_site);
	kvfree(ra_sets);
	ra_sets = NULL;
}

static bool ra_created;

/* Writes of module parameters are serialised by the caller */
static int set_enable(const char *val, const struct kernel_param *kp)
{
	bool on;
	int err;

	err = kstrtobool(val, &on);
	if (err || on == enable)
		return err;
	if (ra_created) {
		err = on ? ra_start() : (ra_stop(), 0);
		if (err)
			return err;
	}
	enable = on;
	return 0;
}

static const struct kernel_param_ops enable_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_enable,
	.get = param_get_bool,
};

module_param_cb(enable, &enable_ops, &enable, 0644);
MODULE_PARM_DESC(enable, "ask for hints (default: off)");

static int __init ra_init(void)
{
	int err = ml_create(&ra_site, &ra_desc, NULL);

	if (err)
		return err;
	kernel_param_lock(THIS_MODULE);
	ra_created = true;
	if (enable)
		err = ra_start();
	if (err) {
		pr_err("ml_readahead: cannot start: %d\n", err);
		enable = false;
	}
	kernel_param_unlock(THIS_MODULE);
	return 0;
}
late_initcall(ra_init);
