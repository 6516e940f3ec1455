// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patterns of readers, the features made of them, the rule and the reward.
 */
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>

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
 * one.
 *
 * Page faults are not requests: where the fault handler maps 16 pages at a
 * time, somebody who reads page by page is seen every 64 KiB. A fault less
 * than that ahead of the last one therefore continues its run, and one behind
 * within the run says nothing.
 *
 * Means are moving ones with a weight of 1/8 for the newest.
 */

#define FAULT_AROUND	(16 * RA_PAGE)

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

static u64 distance(s64 from, s64 to)
{
	return from < to ? (u64)to - from : (u64)from - to;
}

static u64 pages(u64 bytes)
{
	return (bytes + RA_PAGE - 1) >> RA_PAGE_SHIFT;
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

static void learn_stride(struct ra_pattern *p, s64 stride)
{
	if (stride == p->stride) {
		p->confidence = min(p->confidence + 1, RA_CONF_MAX);
		return;
	}
	p->confidence -= min_t(u8, p->confidence, 2);
	if (!p->confidence) {
		p->stride = stride;
		p->confidence = 1;
	}
}

static void jump(struct ra_pattern *p, s64 pos)
{
	u32 len = min_t(u64, p->end - p->run, U32_MAX);

	p->len = len;
	mean(&p->run_lg, ra_lg16(pages(len)));
	mean(&p->jump_lg, ra_lg16(pages(distance(p->run, pos))));
	mean_share(&p->forward, pos > p->run);
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
 * @now_ns: when it ended
 */
void ra_pattern_read(struct ra_pattern *p, s64 pos, u32 len, bool fault,
		     bool missed, u64 now_ns)
{
	s64 slack = fault ? FAULT_AROUND : RA_PAGE - 1;
	bool on;

	if (!p->requests) {
		p->run = pos;
		p->end = pos;
		p->run_lg = ra_lg16(pages(len));
		on = true;
	} else {
		if (fault && pos >= p->run && pos < p->end)
			return;
		on = pos >= p->end && pos - p->end <= slack;
		mean(&p->think_lg,
		     ra_lg16(div_u64(now_ns > p->at_ns ? now_ns - p->at_ns : 0,
				     NSEC_PER_USEC)));
		mean_share(&p->sequential, on);
		mean_share(&p->hits, !missed);
	}
	if (!on)
		jump(p, pos);
	p->pos = pos;
	p->end = pos + len;
	p->at_ns = now_ns;
	if (p->requests < U32_MAX)
		p->requests++;
	if (missed && p->misses < U32_MAX)
		p->misses++;
}

/**
 * ra_pattern_strided() - is there a stride worth following?
 * @p: the pattern
 *
 * Return: true if the reader jumps by equal distances, over something.
 */
bool ra_pattern_strided(const struct ra_pattern *p)
{
	return p->confidence >= RA_CONF_SURE && p->len &&
	       (p->stride < 0 || p->stride > p->len);
}

/**
 * ra_pattern_ahead() - where a strided reader will be next
 * @p: the pattern
 * @index: page that it asks for now
 * @request: pages that it asks for
 * @count: of pieces
 * @ahead: the pieces after the one that @index lies in
 *
 * Return: false if @p has no stride.
 */
bool ra_pattern_ahead(const struct ra_pattern *p, u64 index, u32 request,
		      u32 count, struct ra_pieces *ahead)
{
	s64 page = index << RA_PAGE_SHIFT, base;

	if (!ra_pattern_strided(p))
		return false;
	/* The run that @index continues, the one expected next, or neither */
	if (page >= round_down(p->run, RA_PAGE) && page <= p->end)
		base = p->run;
	else if ((p->run + p->stride) >> RA_PAGE_SHIFT == index)
		base = p->run + p->stride;
	else
		base = page;
	*ahead = (struct ra_pieces) {
		.pos = base + p->stride,
		.stride = p->stride,
		.len = max(p->len, request << RA_PAGE_SHIFT),
		.count = count,
	};
	if (p->stride > 0)
		ahead->len = min_t(u64, ahead->len, p->stride);
	return true;
}

static s32 run_now(const struct ra_pattern *p, u64 index)
{
	s64 page = index << RA_PAGE_SHIFT;

	if (!p->requests || page < p->run || page > p->end + FAULT_AROUND)
		return 0;
	return ra_lg16(pages(page - p->run));
}

/**
 * ra_features_fill() - the inputs of a decision
 * @f: RA_NR_FEATURES of them
 * @p: the reader's pattern
 * @s: the rest
 */
void ra_features_fill(s32 *f, const struct ra_pattern *p,
		      const struct ra_state *s)
{
	u64 stride = distance(0, p->stride);

	f[RA_F_SYNC] = s->sync;
	f[RA_F_ASYNC] = s->async;
	f[RA_F_FAULT] = s->fault;
	f[RA_F_MARKER] = s->marker;
	f[RA_F_REQUEST] = ra_lg16(s->request);
	f[RA_F_REQUESTS] = ra_lg16(p->requests);
	f[RA_F_MISSES] = ra_lg16(p->misses);
	f[RA_F_SEQUENTIAL] = p->sequential;
	f[RA_F_HITS] = p->hits;
	f[RA_F_STRIDE] = ra_lg16(pages(stride));
	f[RA_F_STRIDE_SIGN] = (p->stride > 0) - (p->stride < 0);
	f[RA_F_STRIDE_CONF] = ra_pattern_strided(p) ? p->confidence : 0;
	f[RA_F_STRIDE_COVER] = stride ?
		min_t(u64, RA_SHARE_ONE,
		      div64_u64((u64)p->len * RA_SHARE_ONE, stride)) : 0;
	f[RA_F_RUN_MEAN] = p->run_lg;
	f[RA_F_RUN_NOW] = run_now(p, s->index);
	f[RA_F_JUMP] = p->jump_lg;
	f[RA_F_FORWARD] = p->forward;
	f[RA_F_THINK] = p->think_lg;
	f[RA_F_USED] = s->used;
	f[RA_F_STOCK_WINDOW] = ra_lg16(s->stock);
	f[RA_F_WINDOW] = ra_lg16(s->window);
	f[RA_F_FILE] = ra_lg16(s->file);
	f[RA_F_LEFT] = ra_lg16(s->file > s->index ? s->file - s->index : 0);
	f[RA_F_ROOM] = ra_lg16(s->room);
	f[RA_F_FILE_ROOM] = f[RA_F_FILE] - f[RA_F_ROOM];
	f[RA_F_REFAULT] = s->refault;
	f[RA_F_LATENCY] = ra_lg16(s->latency_us);
	f[RA_F_BANDWIDTH] = ra_lg16(s->bandwidth);
	f[RA_F_LOAD] = ra_lg16(s->load);
	f[RA_F_OTHERS] = s->others;
}

/* ra_lg16() of some numbers of pages */
#define LG_8	51
#define LG_16	65
#define LG_64	96
#define LG_256	128
#define LG_512	144
/* ra_lg16() of 1000, which a us * page/ms is more than a page */
#define LG_1000	159
/* ra_lg16() of the share of memory that a file which fits may take: 5/6 */
#define FITS	(-4)
/* ra_lg16() of 3/2 requests in the device: others have some there */
#define BUSY	74

static unsigned int window_of(s32 lg)
{
	if (lg <= (LG_16 + LG_64) / 2)
		return RA_64K;
	if (lg <= (LG_64 + LG_256) / 2)
		return RA_256K;
	if (lg <= (LG_256 + LG_512) / 2)
		return RA_1M;
	return RA_2M;
}

/**
 * DOC: The rule
 *
 * The best that could be done by hand. Its measure is the *pipe*: the pages
 * that the device delivers while it answers one request.
 *
 * - A stride is followed, 64 pieces ahead, or 16 if they are large and the
 *   device is quick. Where the pieces are half of the file, and the reader
 *   goes forward, it is a stream.
 * - A stream gets four pipes, so that it never waits; but it is left to stock
 *   if others read at random meanwhile, who would have to wait for it. If it
 *   has come in runs so far, it gets no more than a run.
 * - What looks random but comes in runs gets a run.
 * - Who has lost as much time by misses in a file as it takes to read all of
 *   it gets a pipe with each miss, if the file fits into memory, pages are not
 *   missed that had been there, and the device works for nobody else. That is
 *   renting skis until they could have been bought: it costs no more than twice
 *   what the best would, whatever the reader does next.
 * - Nothing is read in advance where most of that was evicted before it was
 *   read, and pages are missed that had been there.
 * - All else is left to stock.
 */

static s32 stream_window(const s32 *f, s32 pipe)
{
	bool runs = f[RA_F_SEQUENTIAL] < 1000;

	if (runs && f[RA_F_RUN_MEAN] < LG_256)
		return f[RA_F_RUN_NOW] < f[RA_F_RUN_MEAN] ?
		       f[RA_F_RUN_MEAN] : 0;
	return f[RA_F_OTHERS] > 8 ? 0 : max(pipe + 32, LG_64);
}

static s32 jump_window(const s32 *f)
{
	if (f[RA_F_RUN_MEAN] > f[RA_F_REQUEST] + 8 &&
	    f[RA_F_RUN_NOW] < f[RA_F_RUN_MEAN])
		return f[RA_F_RUN_MEAN];
	return 0;
}

/**
 * ra_rule() - the rule
 * @f: the features
 *
 * Return: The action.
 */
unsigned int ra_rule(const s32 *f)
{
	s32 pipe = max(f[RA_F_LATENCY] + f[RA_F_BANDWIDTH] - LG_1000, LG_8);
	bool stream = f[RA_F_SYNC] || f[RA_F_ASYNC] ||
		      (f[RA_F_FAULT] && f[RA_F_SEQUENTIAL] > 900);
	s32 want;

	if (f[RA_F_STRIDE_CONF] &&
	    (f[RA_F_STRIDE_COVER] < 512 || f[RA_F_STRIDE_SIGN] < 0))
		return f[RA_F_REQUEST] < LG_16 || f[RA_F_LATENCY] > LG_1000 - 16 ?
		       RA_STRIDE_64 : RA_STRIDE_16;
	if (f[RA_F_MARKER])
		return RA_STOCK;
	/* Pages that are thrown away before they are read */
	if (f[RA_F_USED] < 256 && f[RA_F_REFAULT] > 128)
		return f[RA_F_SYNC] || f[RA_F_ASYNC] ? RA_64K : RA_NONE;

	want = stream ? stream_window(f, pipe) : jump_window(f);
	if (f[RA_F_MISSES] + pipe >= f[RA_F_FILE] && f[RA_F_LOAD] < BUSY &&
	    f[RA_F_FILE_ROOM] <= FITS && f[RA_F_REFAULT] < 64)
		want = max(want, pipe);
	return want ? window_of(want) : RA_STOCK;
}

/**
 * ra_pieces_hit() - which of the pieces does a request touch?
 * @w: the pieces
 * @pos: where the request begins
 * @len: its length in bytes
 * @first: first page of it that lies in them, counted from the first piece's
 *	first page, or the number of the piece if there are several
 * @nr: how many pages, or 1
 *
 * Return: Pages that are touched, 0 for none.
 */
u32 ra_pieces_hit(const struct ra_pieces *w, s64 pos, u32 len, u32 *first,
		  u32 *nr)
{
	s64 from, to, k;

	if (!len || !w->count)
		return 0;
	if (w->count == 1) {
		from = max(pos, w->pos) >> RA_PAGE_SHIFT;
		to = (min(pos + len, w->pos + w->len) - 1) >> RA_PAGE_SHIFT;
		if (to < from)
			return 0;
		*first = from - (w->pos >> RA_PAGE_SHIFT);
		*nr = to - from + 1;
		return *nr;
	}
	k = pos - w->pos;
	if (w->stride < 0)
		k = div64_s64(w->pos + w->len - 1 - pos, -w->stride);
	else if (k >= 0)
		k = div64_s64(k, w->stride);
	if (k < 0 || k >= w->count)
		return 0;
	from = w->pos + k * w->stride;
	if (pos < from || pos >= from + w->len)
		return 0;
	*first = k;
	*nr = 1;
	return pages(w->len);
}

/**
 * DOC: The reward
 *
 * A decision is judged by what happens in the part of the file it is about:
 * what it fetches, or, if that is less, what stock would have fetched. All
 * time that the reader spends in requests there, whether they wait for this
 * decision's pages, for other ones, or only copy, is added up until the
 * decision is forgotten; so is each page that was read at least once. To
 * that comes the price of the pages that were fetched and not read::
 *
 *	reward = -1000 * (time + wasted * price) / (read * latency)
 *
 * in thousandths of a miss for each page read: -1000 is a reader that waits for
 * the device page by page, 0 one that never waits. The latency is what misses
 * cost on this device of late; it makes devices comparable and is the same for
 * both arms. Dividing by the pages read makes windows of different size
 * comparable.
 *
 * The price of a page is the device's time for it, at the best bandwidth seen,
 * and a miss times the share of fetched pages that had been in memory before
 * and were evicted: fetching everything is cheap on a fast device while memory
 * is plenty, and costs more than it saves when either is short. A reader gains
 * nothing by reading what it does not want: that costs it time, which is in
 * the reward.
 *
 * What it cannot see: a decision is forgotten when RA_WINDOWS newer ones have
 * been made for its file. Who reads a file at random, all of which stays in
 * memory, finds pages much later than that, and large windows look worse for
 * him than they are.
 */

#define RA_REWARD_MIN	(-20000)

/**
 * ra_reward() - how a decision turned out
 * @read_ns: time the reader spent in requests for these pages
 * @used: pages that were read, 0 counts as 1
 * @wasted: pages that were fetched and not read
 * @page_ns: price of a wasted page
 * @latency_us: of a miss, 0 counts as 1
 *
 * Return: Thousandths of a miss, RA_REWARD_MIN .. 0.
 */
s32 ra_reward(u64 read_ns, u32 used, u32 wasted, u32 page_ns, u32 latency_us)
{
	u64 cost = min_t(u64, read_ns, NSEC_PER_SEC * 100) +
		   (u64)wasted * page_ns;
	u64 miss = (u64)max(used, 1u) * max(latency_us, 1u);

	/* 1000 / (ns per us) is 1 */
	return -(s32)min_t(u64, div64_u64(cost, miss), -RA_REWARD_MIN);
}
