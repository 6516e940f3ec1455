// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patterns of readers.
 */
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pattern.h"

/**
 * DOC: Patterns
 *
 * What a file's reader does is told by its requests, those that find their
 * data in the page cache included. A request that begins where the last one
 * ended, give or take a page, continues a *run*; any other one is a *jump* and
 * begins a new run. Of the runs three things are kept: how long they are, how
 * far the jumps between them go, and the *stride*, which is the distance from
 * one run's beginning to the next one's. A stride that repeats gains
 * confidence; another one costs it twice that, and takes its place when none
 * is left. So a stride survives a stray request, and a random reader never has
 * one. After a stray it has to come once more before it is followed, and it is
 * followed no farther than it has gone on so far, or as strides of this reader
 * mostly do: pieces that nobody comes to are as much work as the others.
 *
 * Page faults are not requests: where the fault handler maps 16 pages at a
 * time, somebody who reads page by page is seen every 64 KiB. A fault less
 * than that ahead of the last one therefore continues its run, and one behind
 * within the run says nothing.
 *
 * Means are moving ones with a weight of 1/8 for the newest.
 */

/**
 * ra_lg16() - logarithm of an integer
 * @x: any
 *
 * Return: 16 * log2(x + 1), linear between powers of two, at most 1024.
 */
u32 ra_lg16(u64 x)
{
	u32 order;

	if (x == U64_MAX)
		x--;
	x++;
	order = ilog2(x);
	if (order > 4)
		return order * 16 + ((x >> (order - 4)) & 15);
	return order * 16 + ((x << (4 - order)) & 15);
}

/**
 * ra_unlg16() - the number that a logarithm is of
 * @lg: of ra_lg16()
 *
 * Return: The smallest one that has it; 2^60 - 1 at the most.
 */
u64 ra_unlg16(u32 lg)
{
	u32 order = lg / 16;

	if (order >= 60)
		return (1ULL << 60) - 1;
	return ((16ULL + lg % 16) << order) / 16 - 1;
}

static void mean(u16 *mean, u32 value)
{
	int step = (int)value - *mean;

	/* Away from zero, or a mean would stop short of what it goes to */
	*mean += (step + (step > 0 ? 7 : 0)) >> 3;
}

static void mean_share(u16 *share, bool yes)
{
	mean(share, yes ? RA_SHARE_ONE : 0);
}

/**
 * ra_pattern_reset() - a file that nobody has read yet
 * @p: the pattern
 */
void ra_pattern_reset(struct ra_pattern *p)
{
	*p = (struct ra_pattern) {
		.sequential = RA_SHARE_ONE,
		.forward = RA_SHARE_ONE / 2,
		.hits = RA_SHARE_ONE / 2,
	};
}

static void stride_ends(struct ra_pattern *p)
{
	u32 lg = ra_lg16(p->repeats);

	if (p->repeats >= RA_CONF_SURE && !p->repeats_lg)
		p->repeats_lg = lg;
	else if (p->repeats >= RA_CONF_SURE)
		mean(&p->repeats_lg, lg);
	p->repeats = 0;
}

static void learn_stride(struct ra_pattern *p, s64 stride)
{
	if (stride == p->stride) {
		p->confidence = min(p->confidence + 1, RA_CONF_MAX);
		p->repeats = min(p->repeats + 1, U16_MAX);
		return;
	}
	stride_ends(p);
	p->confidence -= min_t(u8, p->confidence, 2);
	if (!p->confidence) {
		p->stride = stride;
		p->confidence = 1;
		p->repeats = 1;
	}
}

static void jump(struct ra_pattern *p, s64 pos)
{
	u32 len = min_t(u64, p->end - p->run, U32_MAX);

	p->len = len;
	mean(&p->run_lg, ra_lg16(ra_pages(len)));
	mean(&p->jump_lg, ra_lg16(ra_pages(ra_distance(p->run, pos))));
	mean_share(&p->forward, pos > p->run);
	p->jumps = min(p->jumps + 1, U8_MAX);
	learn_stride(p, pos - p->run);
	p->run = pos;
}

/**
 * ra_pattern_read() - take in a request
 * @p: the pattern
 * @pos: where it began
 * @len: bytes that were read
 * @fault: a page fault
 * @missed: it had to wait for a miss
 */
void ra_pattern_read(struct ra_pattern *p, s64 pos, u32 len, bool fault,
		     bool missed)
{
	s64 slack = fault ? RA_FAULT_AROUND : RA_PAGE - 1;
	bool on;

	if (!p->requests) {
		p->run = pos;
		p->end = pos;
		p->run_lg = ra_lg16(ra_pages(len));
		on = true;
	} else if (p->resumed) {
		p->run = pos;
		on = true;
	} else {
		if (fault && pos >= p->run && pos < p->end)
			return;
		on = pos >= p->end && pos - p->end <= slack;
		mean_share(&p->sequential, on);
		mean_share(&p->hits, !missed);
	}
	if (!on)
		jump(p, pos);
	p->resumed = false;
	p->pos = pos;
	p->end = pos + len;
	if (p->requests < U32_MAX)
		p->requests++;
	if (missed && p->misses < U32_MAX)
		p->misses++;
}

/**
 * ra_pattern_resume() - requests have not been taken in for a while
 * @p: the pattern
 * @misses: that there were of them
 *
 * The next one begins a run that nothing leads to.
 */
void ra_pattern_resume(struct ra_pattern *p, u32 misses)
{
	p->misses = min_t(u64, (u64)p->misses + misses, U32_MAX);
	p->requests = max(p->requests, p->misses);
	p->asked_ns = 0;
	p->resumed = true;
}

/**
 * ra_pattern_asked() - readahead is asked for: how fast is the reader?
 * @p: the pattern
 * @now_ns: the time
 *
 * Only here, because the clock would be most of what a request that finds its
 * pages costs. Requests in between are taken to be as long as each other.
 */
void ra_pattern_asked(struct ra_pattern *p, u64 now_ns)
{
	u32 requests = p->requests - p->asked_requests;
	s64 ns = now_ns - p->asked_ns;

	/* 1.024 us are near enough */
	if (requests && p->asked_ns && ns >= 0)
		mean(&p->think_lg, max_t(s32, 0, ra_lg16(ns >> 10) -
						 ra_lg16(requests - 1)));
	p->asked_ns = now_ns;
	p->asked_requests = p->requests;
}

/**
 * ra_pattern_faulted_from() - what has been gone through up to a page fault?
 * @p: the pattern, before the fault is taken in
 * @pos: of the fault
 *
 * Pages that are mapped around a fault are not faulted in themselves.
 *
 * Return: Where the run continues that @pos is part of, or @pos.
 */
s64 ra_pattern_faulted_from(const struct ra_pattern *p, s64 pos)
{
	if (p->requests && pos >= p->end && pos - p->end <= RA_FAULT_AROUND)
		return p->end;
	return pos;
}

/**
 * ra_pattern_strided() - is there a stride worth following?
 * @p: the pattern
 *
 * Return: true if the reader jumps by equal distances, over something.
 */
bool ra_pattern_strided(const struct ra_pattern *p)
{
	return p->confidence >= RA_CONF_SURE && p->repeats && p->len &&
	       (p->stride < 0 || p->stride > p->len);
}

/* Pieces: to where strides mostly end or, past that, as far as it has gone past */
static u32 trusted_ahead(const struct ra_pattern *p)
{
	return max(ra_distance(p->repeats, ra_unlg16(p->repeats_lg)), 1);
}

/**
 * ra_pattern_ahead() - where a strided reader will be next
 * @p: the pattern
 * @index: page that it asks for now
 * @request: pages that it asks for
 * @count: of pieces, at the most
 * @ahead: the pieces after the one that @index lies in
 *
 * Return: false if @p has no stride, or @index is no part of it.
 */
bool ra_pattern_ahead(const struct ra_pattern *p, u64 index, u32 request,
		      u32 count, struct ra_pieces *ahead)
{
	s64 page = index << RA_PAGE_SHIFT, base, next = p->run + p->stride;

	if (!ra_pattern_strided(p))
		return false;
	/* The run that @index continues, or the one expected next */
	if (page >= round_down(p->run, RA_PAGE) && page <= p->end)
		base = p->run;
	else if (page >= round_down(next, RA_PAGE) && page <= next + p->len)
		base = next;
	else
		return false;
	*ahead = (struct ra_pieces) {
		.pos = base + p->stride,
		.stride = p->stride,
		.len = max(p->len, request << RA_PAGE_SHIFT),
		.count = min(count, trusted_ahead(p)),
	};
	if (p->stride > 0)
		ahead->len = min_t(u64, ahead->len, p->stride);
	return true;
}
