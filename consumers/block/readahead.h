/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is read, and what an action makes of a request.
 */
#ifndef _ML_BLOCK_READAHEAD_H
#define _ML_BLOCK_READAHEAD_H

#include <linux/readahead_policy.h>

#include "pattern.h"

struct inode;
struct ml_proxy_desc;
struct ra_device;

/**
 * struct ra_file - an open file that has missed lately
 * @file: it, compared and never followed; NULL: none
 * @mapping: its pages, compared, too
 * @pattern: what its reader does
 * @device: where it lies
 * @next: first piece ahead that is not issued yet, in bytes
 * @next_stride: its stride; 0: nothing is ahead
 * @used_at: jiffies
 * @waits_since_ns: the request under way has waited since then; 0: it has not
 * @decided_ns: when its last decision was made
 * @waited_ns: all waiting since the last one about a stream, at @enough_ns
 * @enough_ns: when that was
 * @enough: pages of a window, see ra_enough(); 0: there was none
 * @own_since_ns: when @own_misses was begun
 * @own_misses: of its own that look random, since then
 * @own_rate: of them, 1/s
 * @own_pages: fetched since then
 * @own_page_rate: of them, 1/s
 * @own_streamed: those that were fetched for a stream
 * @own_stream_rate: of them, 1/s
 * @own_samples: the device's, when these were begun
 * @beside_stream: streams of others get more than a sixteenth of what the device
 *	can do
 * @crowded: so it is, or others get more than a quarter
 * @file_pages: its size, at the last decision
 * @others: misses of other files that look random, 1/s, at the last decision
 * @fetched: pages, of late
 * @found: of these, the ones that have been read
 * @unread: many have not, see ra_stays_unread()
 * @fetched_ever: pages
 * @answering: the window of the request that is under way, held; or -1
 * @blamed: the window that has not spared it, held; or -1
 * @missed: the request under way has missed
 * @random: and looks random
 * @put_off: requests that have missed and have not come again yet
 * @treated: ra->size is not stock's
 * @control: its last decision was of the control arm, while others are the model's
 * @answered_at: jiffies, when a decision has last changed something
 * @sleeps_until: jiffies; it is left to stock, and not followed, until then
 * @sleeps: is it?
 * @slept_misses: that it had meanwhile
 * @doubled: how often the time that it sleeps has been doubled
 * @in_vain: decisions in a row that have changed nothing
 * @passed_over: misses that nothing has been decided about since then
 */
struct ra_file {
	const struct file *file;
	const struct address_space *mapping;
	struct ra_pattern pattern;
	struct ra_device *device;
	s64 next;
	s64 next_stride;
	unsigned long used_at;
	unsigned long answered_at;
	unsigned long sleeps_until;
	u32 slept_misses;
	u64 waits_since_ns;
	u64 decided_ns;
	u64 waited_ns;
	u64 enough_ns;
	u32 enough;
	u64 own_since_ns;
	u32 own_misses;
	u32 own_rate;
	u32 own_pages;
	u32 own_page_rate;
	u32 own_streamed;
	u32 own_stream_rate;
	u32 own_samples;
	u64 file_pages;
	u32 others;
	u32 fetched;
	u32 found;
	u32 fetched_ever;
	s16 answering;
	s16 blamed;
	bool beside_stream;
	bool crowded;
	bool missed;
	bool random;
	bool unread;
	bool treated;
	bool control;
	bool sleeps;
	u8 doubled;
	u8 in_vain;
	u8 put_off;
	u8 passed_over;
};

static inline bool ra_is_fault(const struct readahead_request *rq)
{
	return rq->site == READAHEAD_AROUND || rq->site == READAHEAD_LONE;
}

unsigned int ra_stock_pages(const struct ra_file *f,
			    const struct readahead_request *rq);
bool ra_act(struct ra_file *f, struct readahead_request *rq,
	    unsigned int action, struct ra_pieces *where);
bool ra_act_at_mark(struct ra_file *f, struct readahead_request *rq,
		    unsigned int action, struct ra_pieces *where);

/* schema.c */
extern const struct ml_proxy_desc ra_desc;

/* readahead.c */
int ra_create(void);
int ra_start(void);
void ra_stop(void);

/* params.c */
bool ra_is_chosen(struct inode *inode);

#endif /* _ML_BLOCK_READAHEAD_H */
