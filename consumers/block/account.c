// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which decision answers for which page.
 */
#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "account.h"

/**
 * DOC: Accounts
 *
 * Each decision is about some pages: those it fetches, or those that stock
 * would have fetched in its place. It is judged by what happens when these are
 * read, which may be at once, much later, or never. So for each block of 64 KiB
 * an entry of eight bytes tells which pages of it nobody has read yet and which
 * window, that is, decision, answers for them. A read looks at the entries of
 * the blocks that it touches, mostly one, however many windows are open.
 *
 * - A page has one window: the last one whose decision was about it.
 * - The time that a request waits goes to the windows of the unread pages in it, in
 *   equal parts. Pages that have been read before belong to nobody.
 * - A request that misses a page which some window answers for is that window's
 *   fault, though a newer one takes the page over. It is blamed: it is charged
 *   the request, too, as if it had fetched just that.
 * - A window is closed when it has no unread page left, when it is older than
 *   RA_HORIZON_NS, or when it is the oldest and its place is needed. What has
 *   been fetched for it and not been read by then is waste.
 *
 * So who reads a file at random, all of which stays in memory, gives a large
 * window the credit for what it finds seconds later, and what is thrown away
 * before it is read is charged when it is missed.
 *
 * When the entries are too few, the oldest one of a set goes, and its window
 * does not answer for these pages any more: neither use nor waste.
 */

/* Both of the table's hashes: its high bits choose the set, the low ones tag */
static u64 hash_of(u64 key, u64 block)
{
	return (key + block) * GOLDEN_RATIO_64;
}

static struct ra_block *set_of(const struct ra_account *a, u64 hash)
{
	return (struct ra_block *)a->blocks[hash >> (64 - RA_ACCOUNT_ORDER)];
}

static void close_window(struct ra_account *a, struct ra_window *w)
{
	unsigned int window = w - a->windows;
	struct ra_block *b = a->blocks[0];
	unsigned int i;

	/* Rare: most windows close because nothing of them is left */
	for (i = 0; w->left && i < ARRAY_SIZE(a->blocks) * RA_ACCOUNT_WAYS;
	     i++, b++) {
		if (!b->unread || b->window != window)
			continue;
		w->left -= hweight16(b->unread);
		b->unread = 0;
	}
	w->open = false;
	list_move(&w->link, &a->free);
	a->close(a, window);
}

static void close_if_done(struct ra_account *a, struct ra_window *w)
{
	if (w->open && !w->left && !w->held)
		close_window(a, w);
}

/**
 * ra_account_init() - an empty account
 * @a: the account
 * @close: called when a window is closed
 */
void ra_account_init(struct ra_account *a,
		     void (*close)(struct ra_account *a, unsigned int window))
{
	unsigned int i;

	*a = (struct ra_account) { .close = close };
	INIT_LIST_HEAD(&a->open);
	INIT_LIST_HEAD(&a->free);
	for (i = 0; i < RA_ACCOUNT_WINDOWS; i++)
		list_add_tail(&a->windows[i].link, &a->free);
}

/* One that is too old or, if there is no room, the oldest; but not one held */
static void make_room(struct ra_account *a, u64 now_ns)
{
	bool full = list_empty(&a->free);
	struct ra_window *w;

	list_for_each_entry(w, &a->open, link) {
		if (!full &&
		    (s64)(now_ns - w->opened_ns) < (s64)RA_HORIZON_NS)
			return;
		if (!w->held) {
			close_window(a, w);
			return;
		}
	}
}

/**
 * ra_account_open() - a new decision
 * @a: the account
 * @now_ns: the time
 *
 * The window is held until ra_account_release(), so that it does not end before
 * its pages are added and its request is over.
 *
 * Return: the number of its window; -1 if all are held.
 */
int ra_account_open(struct ra_account *a, u64 now_ns)
{
	struct ra_window *w;

	make_room(a, now_ns);
	if (list_empty(&a->free))
		return -1;
	w = list_first_entry(&a->free, struct ra_window, link);
	list_del(&w->link);
	*w = (struct ra_window) {
		.opened_ns = now_ns,
		.held = 1,
		.open = true,
	};
	list_add_tail(&w->link, &a->open);
	return w - a->windows;
}

static u32 give_up(struct ra_account *a, struct ra_block *b, u16 pages)
{
	struct ra_window *w = &a->windows[b->window];
	u32 nr = hweight16(b->unread & pages);

	b->unread &= ~pages;
	w->left -= nr;
	return nr;
}

static u16 mask_of(u64 page, u32 nr, u64 block)
{
	u64 first = block * RA_BLOCK_PAGES;
	u32 from = page > first ? page - first : 0;
	u32 to = min_t(u64, page + nr - first, RA_BLOCK_PAGES);

	return GENMASK(to - 1, from);
}

static bool older(const struct ra_account *a, const struct ra_block *b,
		  const struct ra_block *than)
{
	return (s64)(a->windows[b->window].opened_ns -
		     a->windows[than->window].opened_ns) < 0;
}

/* An entry for a window's part of a block: its own, an empty, or the oldest */
static struct ra_block *take_block(struct ra_account *a, unsigned int window,
				   struct ra_block *set, u32 tag)
{
	struct ra_block *b, *victim = set;
	struct ra_window *w;

	for (b = set; b < set + RA_ACCOUNT_WAYS; b++) {
		if (b->unread && b->tag == tag && b->window == window)
			return b;
		if (!b->unread)
			victim = b;
		else if (victim->unread && older(a, b, victim))
			victim = b;
	}
	if (victim->unread) {
		w = &a->windows[victim->window];
		w->fetched -= min(w->fetched,
				  give_up(a, victim, victim->unread));
		close_if_done(a, w);
	}
	victim->tag = tag;
	victim->window = window;
	return victim;
}

/**
 * ra_account_add() - a decision is about these pages
 * @a: the account
 * @window: the decision's
 * @key: of the file
 * @page: the first page
 * @nr: pages
 */
void ra_account_add(struct ra_account *a, unsigned int window, u64 key,
		    u64 page, u32 nr)
{
	u64 block, last = (page + nr - 1) / RA_BLOCK_PAGES;
	struct ra_block *set, *b;
	unsigned int i;
	u64 hash;
	u16 mask;

	if (!nr)
		return;
	for (block = page / RA_BLOCK_PAGES; block <= last; block++) {
		mask = mask_of(page, nr, block);
		hash = hash_of(key, block);
		set = set_of(a, hash);
		for (i = 0; i < RA_ACCOUNT_WAYS; i++) {
			b = &set[i];
			if (!(b->unread & mask) || b->tag != (u32)hash)
				continue;
			give_up(a, b, mask);
			close_if_done(a, &a->windows[b->window]);
		}
		b = take_block(a, window, set, hash);
		b->unread |= mask;
		a->windows[window].left += hweight16(mask);
	}
}

/**
 * ra_account_find() - which decision answers for a page?
 * @a: the account
 * @key: of the file
 * @page: its number
 *
 * Return: The window; -1 if there is none, or the page has been read.
 */
int ra_account_find(const struct ra_account *a, u64 key, u64 page)
{
	u64 hash = hash_of(key, page / RA_BLOCK_PAGES);
	const struct ra_block *b = set_of(a, hash);
	unsigned int i;

	for (i = 0; i < RA_ACCOUNT_WAYS; i++, b++)
		if (b->unread & BIT(page % RA_BLOCK_PAGES) &&
		    b->tag == (u32)hash)
			return b->window;
	return -1;
}

/**
 * ra_account_read() - pages have been read
 * @a: the account
 * @key: of the file
 * @page: the first one
 * @nr: pages
 * @ns: that they were waited for
 *
 * Return: how many of them somebody answered for.
 */
u32 ra_account_read(struct ra_account *a, u64 key, u64 page, u32 nr, u64 ns)
{
	u64 block, last = (page + nr - 1) / RA_BLOCK_PAGES;
	struct ra_window *w;
	struct ra_block *b;
	u32 share, read, found = 0;
	unsigned int i;
	u64 hash;
	u16 mask;

	if (!nr)
		return 0;
	/* Most are not waited for; and most of the rest are one */
	share = min_t(u64, ns && nr > 1 ? div_u64(ns, nr) : ns, U32_MAX);
	for (block = page / RA_BLOCK_PAGES; block <= last; block++) {
		mask = mask_of(page, nr, block);
		hash = hash_of(key, block);
		b = set_of(a, hash);
		for (i = 0; i < RA_ACCOUNT_WAYS; i++, b++) {
			if (!(b->unread & mask) || b->tag != (u32)hash)
				continue;
			w = &a->windows[b->window];
			read = give_up(a, b, mask);
			w->used += read;
			w->cost_ns += (u64)read * share;
			found += read;
			close_if_done(a, w);
		}
	}
	return found;
}

/**
 * ra_account_blame() - a decision has not spared the reader a miss
 * @a: the account
 * @window: the decision's, held
 * @nr: pages that were asked for
 * @ns: what the miss took
 */
void ra_account_blame(struct ra_account *a, unsigned int window, u32 nr,
		      u64 ns)
{
	struct ra_window *w = &a->windows[window];

	w->used += nr;
	w->cost_ns += ns;
}

/**
 * ra_account_release() - a decision is not held any more
 * @a: the account
 * @window: the decision's; may be closed after that
 */
void ra_account_release(struct ra_account *a, unsigned int window)
{
	struct ra_window *w = &a->windows[window];

	w->held--;
	close_if_done(a, w);
}

/**
 * ra_account_flush() - close all windows, the oldest first
 * @a: the account; nothing in it may be held
 */
void ra_account_flush(struct ra_account *a)
{
	while (!list_empty(&a->open))
		close_window(a, list_first_entry(&a->open, struct ra_window,
						 link));
}
