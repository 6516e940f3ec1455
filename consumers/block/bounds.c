// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounds: what a window may take.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/time64.h>

#include "bounds.h"
#include "pattern.h"

/* The longest window that there is, in pages */
#define LONGEST		(SZ_2M >> RA_PAGE_SHIFT)
/* Pages beside others that are worth I/O of their own */
#define WORTHWHILE	(SZ_64K >> RA_PAGE_SHIFT)
/* Of fewer, the mean run is still that of the first request */
#define SOME_JUMPS	4

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
 *   spends a third of his time otherwise, as a window spares him less;
 * - for a stream beside others, what has been enough for it, or for the last ones
 *   before it: stock's longest window and, whenever its reader has waited for a
 *   quarter of the time from one to the next, four times as much. More than is
 *   enough spares him nothing, and all others wait for as long as it keeps the
 *   device or, where that is quick, the CPU;
 * - if the file does not fit into memory, or others drive out what is fetched, no
 *   more than a run for a miss that looks random, or a reader who mostly jumps;
 *   and for whoever jumps at all and has left half of it unread, no more than to
 *   where his runs mostly end or, past that, as much as the present run has gone
 *   past it: what is not read now will be gone before it is;
 * - the same for who will not come back for what he leaves out.
 *   That is who skips forward: nearly all of his jumps go there, and so far that
 *   the next one leads beyond the window, or that reading up to there takes longer
 *   than to miss. And it is whoever goes through a file where, of those that have
 *   been gone through before, a quarter of what was fetched was not read. But not
 *   who has missed so often that all of the file could have been read in that time.
 *
 * What stock would read is never too much, but for who jumps beside a stream, in a
 * file that does not fit, or spends time otherwise: what lies beside an
 * earlier window looks like a stream to stock.
 *
 * A page fault gets no less than from stock. It asks for one page, whatever its
 * reader is about to read, and what he reads of the pages that the handler maps
 * with it is not seen: that less would do, cannot be known. Nor does a run that
 * goes on get less than from stock for no reason. A reason is somebody else who
 * streams, or who waits where stock's window keeps the device for longer than he
 * would wait anyway; pages of the file that were fetched and not read, or pages
 * that come back after they had been evicted.
 */
static bool jumps(const struct ra_pattern *p)
{
	return p->sequential < RA_SHARE_ONE / 2;
}

static bool thinks(const struct ra_pattern *p, const struct ra_surroundings *s)
{
	return p->think_lg > ra_lg16((u64)s->latency_us * 3 / 2);
}

/* Who has jumped now and then, and lately, will again */
static bool comes_in_runs(const struct ra_pattern *p)
{
	return p->jumps >= SOME_JUMPS && p->sequential < RA_SHARE_ONE;
}

/* Pages of a run; who hardly ever goes on, wants what he asks for */
static u64 run_pages(const struct ra_pattern *p)
{
	return p->sequential < RA_SHARE_ONE / 8 ? 1 : ra_unlg16(p->run_lg);
}

/*
 * From a window's beginning to where the reader's runs mostly end; or from there,
 * if that is past. A window far from the present run is of another one.
 */
static u64 to_run_end(const struct ra_pattern *p, u64 start)
{
	u64 first = p->run >> RA_PAGE_SHIFT;

	if (start < first || start > ra_pages(p->end) + LONGEST)
		start = first;
	return ra_distance(start - first, ra_unlg16(p->run_lg));
}

static bool skips(const struct ra_pattern *p, const struct ra_surroundings *s)
{
	return p->forward >= RA_SHARE_ONE * 7 / 8 &&
	       p->jump_lg > ra_lg16(min_t(u64, s->pipe, LONGEST));
}

/**
 * ra_leaves_out() - does a reader leave out what he will not come back for?
 * @p: the reader's pattern
 * @s: the rest
 *
 * Context: Any.
 * Return: true if pages past his run are not worth their time.
 */
bool ra_leaves_out(const struct ra_pattern *p, const struct ra_surroundings *s)
{
	return (skips(p, s) || (s->wasted && !jumps(p))) &&
	       (u64)p->misses * s->pipe < s->file;
}

/**
 * ra_may_be_less() - is there a reason to read less than stock would?
 * @s: what is around
 *
 * Context: Any.
 * Return: false if a run goes on, and all that is known speaks for its next pages.
 */
bool ra_may_be_less(const struct ra_surroundings *s)
{
	return !s->goes_on || (s->others && s->kept) || s->beside_stream ||
	       s->vain || s->refaults > RA_SHARE_ONE / 8;
}

/**
 * ra_window_limit() - what a window may take
 * @p: the reader's pattern
 * @s: the rest
 *
 * Context: Any.
 * Return: Pages.
 */
u64 ra_window_limit(const struct ra_pattern *p,
		    const struct ra_surroundings *s)
{
	bool tight = s->file > s->room - s->room / 8 ||
		     (s->crowded && s->refaults > RA_SHARE_ONE / 8);
	bool alone = jumps(p) && (tight || s->beside_stream || thinks(p, s));
	bool random = s->single || jumps(p);
	u64 limit = s->room / 32, run = run_pages(p);

	if (s->others)
		limit = min_t(u64, limit, max_t(u64, s->aside,
						s->default_window));
	if (!random && s->not_alone)
		limit = min_t(u64, limit, max(s->enough, s->default_window));
	if (random && tight)
		limit = min(limit, run);
	else if (random && (s->crowded || thinks(p, s)))
		limit = min(limit, s->aside < WORTHWHILE ? run :
							   max(run, s->aside));
	if (ra_leaves_out(p, s) || (tight && s->unread && comes_in_runs(p)))
		limit = min(limit, s->single ? run : to_run_end(p, s->start));
	return max_t(u64, limit, alone ? 1 : s->stock);
}

/**
 * ra_stays_unread() - is much of what is fetched of a file not read?
 * @was: it was so until now
 * @fetched: pages
 * @found: of these, the ones that have been read
 *
 * Context: Any.
 * Return: true if it is half and more than what may still be on its way; and, from
 * then on, an eighth, as it is less once windows are bounded.
 */
bool ra_stays_unread(bool was, u32 fetched, u32 found)
{
	u32 unread = fetched - min(found, fetched);

	return unread > (was ? fetched / 8 : fetched / 2 + 8 * LONGEST);
}

/**
 * ra_enough() - a window that is long enough for a stream
 * @was: the last one, in pages
 * @waited_ns: that its reader has waited since
 * @ns: since when
 *
 * Context: Any.
 * Return: Pages: as many, or four times as many if he has waited for a quarter of
 * the time.
 */
u32 ra_enough(u32 was, u64 waited_ns, u64 ns)
{
	return waited_ns > ns / 4 ? min_t(u32, 4 * was, LONGEST) : was;
}

/**
 * ra_in_vain() - has an eighth of what was fetched not been read?
 * @fetched: pages
 * @found: of these, the ones that have been read
 *
 * Context: Any.
 * Return: true if so. What is still on its way counts as not read.
 */
bool ra_in_vain(u32 fetched, u32 found)
{
	return fetched - min(found, fetched) > fetched / 8;
}

/**
 * ra_wastes() - is much of what is fetched not read?
 * @fetched: pages
 * @found: of these, the ones that have been read
 *
 * Context: Any.
 * Return: true if it is a quarter and more than what may still be on its way.
 */
bool ra_wastes(u32 fetched, u32 found)
{
	return fetched - min(found, fetched) > fetched / 4 + 2 * LONGEST;
}

/**
 * ra_aside() - what may be asked for where somebody waits for a miss
 * @quiet_us: a miss, when little is in the way
 * @bandwidth: of the device, pages/s
 * @issue_ns: that a reader takes to ask for a page, of many; 0: not known
 *
 * Context: Any.
 * Return: Pages that the device delivers in a quarter of a miss, or that a reader
 * asks for in a sixteenth of it, whichever is less.
 */
u64 ra_aside(u32 quiet_us, u32 bandwidth, u32 issue_ns)
{
	u64 pages = div_u64((u64)quiet_us * bandwidth, USEC_PER_SEC) / 4;

	if (issue_ns)
		pages = min(pages, div_u64((u64)quiet_us * NSEC_PER_USEC / 16,
					   issue_ns));
	return pages;
}
