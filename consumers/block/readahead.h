/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is read, and what an action makes of a request.
 */
#ifndef _ML_BLOCK_READAHEAD_H
#define _ML_BLOCK_READAHEAD_H

#include <linux/readahead_policy.h>

#include "pattern.h"

struct ra_device;

/**
 * struct ra_file - an open file that has missed lately
 * @file: it, compared and never followed; NULL: none
 * @pattern: what its reader does
 * @device: where it lies
 * @next: first piece ahead that is not issued yet, in bytes
 * @next_stride: its stride; 0: nothing is ahead
 * @used_at: jiffies
 * @generation: changes with @file
 * @own_since_ns: when @own_misses was taken
 * @own_misses: pattern.misses then
 * @own_rate: misses of its own, 1/s
 * @answering: the window of the request that is under way, held; or -1
 * @blamed: the window that has not spared it, held; or -1
 * @used: share of the fetched pages that are read, mean of the windows
 * @missed: the request under way has missed
 * @treated: ra->size is not stock's
 */
struct ra_file {
	const struct file *file;
	struct ra_pattern pattern;
	struct ra_device *device;
	s64 next;
	s64 next_stride;
	unsigned long used_at;
	u32 generation;
	u64 own_since_ns;
	u32 own_misses;
	u32 own_rate;
	s16 answering;
	s16 blamed;
	u16 used;
	bool missed;
	bool treated;
};

bool ra_act(struct ra_file *f, struct readahead_request *rq,
	    unsigned int action, struct ra_pieces *where);
bool ra_act_at_mark(struct ra_file *f, struct readahead_request *rq,
		    unsigned int action, struct ra_pieces *where);

#endif /* _ML_BLOCK_READAHEAD_H */
