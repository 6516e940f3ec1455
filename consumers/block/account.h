/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which decision answers for which page, and what came of it: pure bookkeeping
 * that knows neither files nor devices.
 */
#ifndef _ML_BLOCK_ACCOUNT_H
#define _ML_BLOCK_ACCOUNT_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/types.h>

#define RA_ACCOUNT_WINDOWS	256
#define RA_ACCOUNT_ORDER	9
#define RA_ACCOUNT_SETS		BIT(RA_ACCOUNT_ORDER)
#define RA_ACCOUNT_WAYS		4
#define RA_BLOCK_PAGES		16		/* of 4 KiB */
#define RA_HORIZON_NS		(4ULL * 1000 * 1000 * 1000)

/**
 * struct ra_window - what came of one decision so far
 * @link: among the open ones, by age, or the free ones
 * @opened_ns: when the decision was made
 * @cost_ns: what it has cost the reader, and others, in time
 * @fetched: pages that were read for it
 * @used: pages of it that the reader has read
 * @left: pages of it that have an entry, and are not read yet
 * @held: requests that have come to it and are not over
 * @open: is on the list of those
 * @strided: is about pieces ahead of a strided reader
 */
struct ra_window {
	struct list_head link;
	u64 opened_ns;
	u64 cost_ns;
	u32 fetched;
	u32 used;
	u32 left;
	u16 held;
	bool open;
	bool strided;
};

/* Of RA_BLOCK_PAGES pages those that @window answers for */
struct ra_block {
	u32 tag;
	u16 unread;
	u16 window;
};

/**
 * struct ra_account - a table of decisions and their pages
 * @close: a window is at its end; it is not looked at after that
 * @open: the windows that are, the oldest first
 * @free: the others
 * @windows: all of them
 * @blocks: a hash table of entries, in sets
 */
struct ra_account {
	void (*close)(struct ra_account *a, unsigned int window);
	struct list_head open;
	struct list_head free;
	struct ra_window windows[RA_ACCOUNT_WINDOWS];
	struct ra_block blocks[RA_ACCOUNT_SETS][RA_ACCOUNT_WAYS];
};

void ra_account_init(struct ra_account *a,
		     void (*close)(struct ra_account *a, unsigned int window));
int ra_account_open(struct ra_account *a, u64 now_ns);
void ra_account_add(struct ra_account *a, unsigned int window, u64 key,
		    u64 page, u32 nr);
int ra_account_find(const struct ra_account *a, u64 key, u64 page);
u32 ra_account_read(struct ra_account *a, u64 key, u64 page, u32 nr, u64 ns);
void ra_account_blame(struct ra_account *a, unsigned int window, u32 nr,
		      u64 ns);
void ra_account_release(struct ra_account *a, unsigned int window);
void ra_account_flush(struct ra_account *a);

#endif /* _ML_BLOCK_ACCOUNT_H */
