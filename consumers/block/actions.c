// SPDX-License-Identifier: GPL-2.0-only
/*
 * Actions: what each makes of a request for readahead.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>

#include "bounds.h"
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
	if (ra_is_fault(rq))
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
		/* Runs go forward, and what is no run may go anywhere */
		if (p->sequential < RA_SHARE_ONE * 3 / 4 &&
		    ra_unlg16(p->run_lg) < pages / 2)
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
		.mark_every = max(where->count / 4, 1),
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

/* Does a request go on where the reader's run has come to? */
static bool goes_on(const struct ra_pattern *p,
		    const struct readahead_request *rq)
{
	u64 end = ra_pages(p->end);

	return rq->site != READAHEAD_RANDOM && rq->index + 1 >= end &&
	       rq->index <= end + rq->req_count;
}

/* What an answer has to fit into, see bounds.c */
static void look_around(const struct ra_file *f,
			const struct readahead_request *rq, u32 stock_size,
			struct ra_surroundings *s)
{
	*s = (struct ra_surroundings) {
		.single = rq->site == READAHEAD_RANDOM ||
			  rq->site == READAHEAD_LONE ||
			  rq->site == READAHEAD_AROUND,
		.goes_on = goes_on(&f->pattern, rq),
		.start = rq->site == READAHEAD_ASYNC ? rq->start : rq->index,
		.file = f->file_pages,
		.stock = stock_size,
		.default_window = rq->ra->ra_pages,
		.room = ra_memory_room(),
		.refaults = ra_memory_refaults(),
		.pipe = ra_device_pipe(f->device),
		.aside = ra_device_aside(f->device),
		.enough = f->enough,
		.latency_us = ra_device_latency_us(f->device),
		.others = f->others >= OTHERS_FEW,
		.kept = ra_device_is_kept(f->device, stock_size),
		.beside_stream = f->beside_stream,
		.not_alone = f->beside_stream ||
			     !ra_device_is_known(f->device),
		.crowded = f->crowded,
		.unread = f->unread,
		.vain = ra_in_vain(f->fetched, f->found),
		.wasted = ra_device_wastes(f->device),
	};
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
	struct ra_surroundings around;
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
		look_around(f, rq, stock_size, &around);
		answered = ra_may_be_less(&around) ? none(rq) : stock(f, rq);
		break;
	case RA_64K ... RA_2M:
		look_around(f, rq, stock_size, &around);
		pages = min_t(u64, ra_window_pages[action],
			      ra_window_limit(&f->pattern, &around));
		if (ra_is_fault(rq))
			pages = max(pages, stock_size);
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

