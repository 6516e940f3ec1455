// SPDX-License-Identifier: GPL-2.0-only
/*
 * Actions: what each makes of a request for readahead.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>

#include "device.h"
#include "readahead.h"

static const unsigned int ra_window_pages[RA_NR_ACTIONS] = {
	[RA_64K] = SZ_64K >> RA_PAGE_SHIFT,
	[RA_256K] = SZ_256K >> RA_PAGE_SHIFT,
	[RA_1M] = SZ_1M >> RA_PAGE_SHIFT,
	[RA_2M] = SZ_2M >> RA_PAGE_SHIFT,
};

/**
 * ra_stock_pages() - what stock would read by itself
 * @f: the file
 * @rq: the request
 *
 * At a mark stock never shrinks a window, but it has not made the large one
 * that is there.
 *
 * Return: Pages.
 */
unsigned int ra_stock_pages(const struct ra_file *f,
			    const struct readahead_request *rq)
{
	if (rq->site != READAHEAD_ASYNC || !f->treated)
		return rq->size;
	return min_t(unsigned long, rq->size,
		     max_t(unsigned long, rq->ra->ra_pages, rq->req_count));
}

static bool stock(struct ra_file *f, struct readahead_request *rq)
{
	unsigned int pages = ra_stock_pages(f, rq);

	if (rq->size == pages)
		return false;
	rq->size = pages;
	rq->async_size = pages;
	return true;
}

static bool none(struct readahead_request *rq)
{
	if (rq->site == READAHEAD_LONE)
		return false;
	rq->async_size = 0;
	rq->size = 0;
	if (rq->site == READAHEAD_ASYNC)
		return true;
	rq->start = rq->index;
	rq->size = rq->req_count;
	return true;
}

/*
 * Random misses of others, 1/s: any within the last quarter of a second. Who
 * misses seldom waits in the tail of his latency, which is not to grow.
 */
#define OTHERS_FEW	1

/* So much more than what is asked for is worth I/O of its own */
#define SPLIT_PAGES	(SZ_64K >> PAGE_SHIFT)

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
		break;
	default:
		rq->start = rq->index;
		rq->size = max_t(unsigned long, pages, rq->req_count);
		/* A mark in what is asked for would make a stream of it */
		if (rq->size > rq->req_count)
			rq->async_size = rq->size - rq->req_count;
		else
			rq->async_size = rq->site == READAHEAD_SYNC ?
					 rq->size / 2 : 0;
	}
	if (rq->size >= rq->req_count + SPLIT_PAGES)
		rq->first = rq->req_count;
	return true;
}

/* Pieces of @ahead that have been issued are left out */
static void skip_issued(const struct ra_file *f, struct ra_pieces *ahead)
{
	s64 skip;

	if (!f->next_stride || f->next_stride != ahead->stride)
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

/**
 * DOC: Bounds
 *
 * Whatever the model says, a window takes
 *
 * - no more than 1/32 of the memory that readers may fill;
 * - as long as others wait for single pages, or for a miss that looks random while
 *   streams of others are read or the device is busy for them, a quarter of a miss
 *   of the device's time, and a sixteenth of it of the CPU, which asking for the
 *   pages takes: who waits beside others should not wait for a long window of his
 *   own, too, when it is the tail of his latency that counts. The same for who
 *   spends most of his time otherwise, as a window spares him little;
 * - for a miss that looks random, or a reader who mostly jumps, no more than
 *   its runs, if the file does not fit into memory, or others drive out what is
 *   fetched: what is not read now will be gone before it is.
 *
 * What stock would read is never too much, but for who jumps beside a stream or
 * spends most of his time otherwise: what lies beside an earlier window looks
 * like a stream to stock.
 */
static bool jumps(const struct ra_file *f)
{
	return f->pattern.sequential < RA_SHARE_ONE / 2;
}

static bool thinks(const struct ra_file *f)
{
	return f->pattern.think_lg >
	       ra_lg16(2 * ra_device_latency_us(f->device));
}

static unsigned int never_too_much(const struct ra_file *f,
				   unsigned int stock_size)
{
	return jumps(f) && (f->beside_stream || thinks(f)) ? 1 : stock_size;
}

static u64 window_limit(const struct ra_file *f,
			const struct readahead_request *rq)
{
	u64 room = ra_memory_room(), limit = room / 32;
	bool random = rq->site == READAHEAD_RANDOM ||
		      rq->site == READAHEAD_LONE ||
		      rq->site == READAHEAD_AROUND || jumps(f);
	u64 run = ra_unlg16(f->pattern.run_lg);
	u64 aside = ra_device_aside(f->device);

	if (f->others >= OTHERS_FEW)
		limit = min_t(u64, limit,
			      max_t(u64, aside, rq->ra->ra_pages));
	if (random && (f->file_pages > room - room / 8 ||
		       (f->crowded && ra_memory_refaults() > RA_SHARE_ONE / 8)))
		limit = min(limit, run);
	else if (random && (f->crowded || thinks(f)))
		limit = min(limit, aside < ra_window_pages[RA_64K] ? run :
				   max(run, aside));
	return limit;
}

/**
 * ra_act() - carry out an action at a miss or a mark of a window
 * @f: the file
 * @rq: the request; gets the answer
 * @action: enum ra_action
 * @where: the pages the decision is about: what it fetches or, if that is less,
 *	what stock would have fetched
 *
 * Return: false for the stock answer.
 */
bool ra_act(struct ra_file *f, struct readahead_request *rq,
	    unsigned int action, struct ra_pieces *where)
{
	unsigned int stock_size = ra_stock_pages(f, rq), pages;
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
			      max_t(u64, window_limit(f, rq),
				    never_too_much(f, stock_size)));
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

/**
 * ra_act_at_mark() - carry out an action at the mark of a stride
 * @f: the file
 * @rq: the request; gets the answer
 * @action: only how many pieces is to be decided: enum ra_action
 * @where: the pieces the decision is about
 *
 * Return: false if there is no stride any more.
 */
bool ra_act_at_mark(struct ra_file *f, struct readahead_request *rq,
		    unsigned int action, struct ra_pieces *where)
{
	unsigned int count = action == RA_STRIDE_16 ? 16 : 64;

	if (action != RA_STRIDE_16 && action != RA_STRIDE_64) {
		/* The mark may be another reader's of the same pages */
		if (!ra_pattern_ahead(&f->pattern, rq->index, rq->req_count,
				      16, where))
			return false;
		skip_issued(f, where);
		return true;
	}
	return stride(f, rq, count, where);
}

