/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one reader of a file does, in integers: pure functions that neither
 * look at the kernel nor keep anything but what they are given.
 */
#ifndef _ML_BLOCK_PATTERN_H
#define _ML_BLOCK_PATTERN_H

#include <linux/types.h>

#define RA_PAGE_SHIFT		12	/* features and records count 4 KiB */
#define RA_PAGE			4096

/* The fault handler maps so much at a time, in bytes */
#define RA_FAULT_AROUND		(16 * RA_PAGE)

/* Shares are in 1/1024, logarithms in 1/16 of a doubling */
#define RA_SHARE_ONE		1024
#define RA_CONF_MAX		16

/* A stride that has come this often is a stride */
#define RA_CONF_SURE		3

/**
 * struct ra_pattern - the requests of one open file
 * @pos: where the last request began, in bytes
 * @end: where it ended
 * @run: where the current sequential run began
 * @stride: from one run's beginning to the next one's
 * @len: bytes of the last completed run, what a stride's pieces are made of
 * @asked_ns: when readahead was last asked for
 * @asked_requests: how many requests there had been by then
 * @requests: saturates
 * @misses: of these, the ones that had to wait for a miss; saturates
 * @sequential: share of requests that continue the one before
 * @forward: share of jumps that go forward
 * @hits: share of requests that did not wait for a miss
 * @run_lg: mean length of runs, lg16() of pages
 * @jump_lg: mean distance of jumps, lg16() of pages
 * @jumps: that there have been, 255 at the most
 * @think_lg: mean time from one request to the next, lg16() of us
 * @resumed: there have been requests that were not taken in
 * @repeats: how often @stride has come in a row up to now; saturates
 * @repeats_lg: mean of that where a stride ended, lg16(); 0: none has
 * @confidence: how sure @stride is, 0 .. RA_CONF_MAX
 */
struct ra_pattern {
	s64 pos;
	s64 end;
	s64 run;
	s64 stride;
	u32 len;
	u32 requests;
	u32 misses;
	u64 asked_ns;
	u32 asked_requests;
	u16 sequential;
	u16 forward;
	u16 hits;
	u16 run_lg;
	u16 jump_lg;
	u16 think_lg;
	u16 repeats;
	u16 repeats_lg;
	u8 jumps;
	bool resumed;
	u8 confidence;
};

/* The inputs of a decision; ra_features[] tells what they are */
enum ra_feature {
	RA_F_SYNC,
	RA_F_ASYNC,
	RA_F_FAULT,
	RA_F_MARKER,
	RA_F_REQUEST,
	RA_F_REQUESTS,
	RA_F_MISSES,
	RA_F_SEQUENTIAL,
	RA_F_HITS,
	RA_F_STRIDE,
	RA_F_STRIDE_SIGN,
	RA_F_STRIDE_CONF,
	RA_F_STRIDE_COVER,
	RA_F_RUN_MEAN,
	RA_F_RUN_NOW,
	RA_F_JUMP,
	RA_F_FORWARD,
	RA_F_THINK,
	RA_F_USED,
	RA_F_FETCHED,
	RA_F_STOCK_WINDOW,
	RA_F_FILE,
	RA_F_LEFT,
	RA_F_ROOM,
	RA_F_FILE_ROOM,
	RA_F_REFAULT,
	RA_F_LATENCY,
	RA_F_BANDWIDTH,
	RA_F_PIPE,
	RA_F_PAID,
	RA_F_LOAD,
	RA_F_OTHERS,
	RA_NR_FEATURES
};

/* Action 0 is what stock does; windows in growing order */
enum ra_action {
	RA_STOCK,
	RA_NONE,
	RA_64K,
	RA_256K,
	RA_1M,
	RA_2M,
	RA_STRIDE_16,
	RA_STRIDE_64,
	RA_NR_ACTIONS
};

/**
 * struct ra_state - what else a decision depends on
 * @fault: a page fault, not a read
 * @sync: a miss that continues a stream
 * @async: a marked page
 * @marker: a marked page of a stride
 * @index: page that is asked for
 * @request: pages asked for
 * @stock: pages that stock would read
 * @file: pages of the file
 * @used: share of the fetched pages of late that were read
 * @fetched: pages, since the file was opened
 * @room: pages of memory that are free or cache
 * @refault: share of the pages fetched of late that had been evicted before
 * @latency_us: what a miss costs on this device
 * @bandwidth: best seen of this device, pages per ms
 * @load: mean number of requests in the device of late, in 1/16
 * @others: misses of other files on this device that look random, 1/s
 */
struct ra_state {
	bool fault;
	bool sync;
	bool async;
	bool marker;
	u64 index;
	u32 request;
	u32 stock;
	u64 file;
	u32 used;
	u32 fetched;
	u64 room;
	u32 refault;
	u32 latency_us;
	u32 bandwidth;
	u32 load;
	u32 others;
};

/**
 * struct ra_pieces - places in a file, equal ones at equal distances
 * @pos: of the first, in bytes
 * @stride: from one to the next; 0 if there is one
 * @len: of each, in bytes
 * @count: of them
 */
struct ra_pieces {
	s64 pos;
	s64 stride;
	u32 len;
	u32 count;
};

static inline u64 ra_distance(s64 from, s64 to)
{
	return from < to ? (u64)to - from : (u64)from - to;
}

static inline u64 ra_pages(u64 bytes)
{
	return (bytes + RA_PAGE - 1) >> RA_PAGE_SHIFT;
}

u32 ra_lg16(u64 x);
u64 ra_unlg16(u32 lg);
void ra_pattern_reset(struct ra_pattern *p);
void ra_pattern_read(struct ra_pattern *p, s64 pos, u32 len, bool fault,
		     bool missed);
void ra_pattern_resume(struct ra_pattern *p, u32 misses);
void ra_pattern_asked(struct ra_pattern *p, u64 now_ns);
s64 ra_pattern_faulted_from(const struct ra_pattern *p, s64 pos);
bool ra_pattern_strided(const struct ra_pattern *p);
bool ra_pattern_ahead(const struct ra_pattern *p, u64 index, u32 request,
		      u32 count, struct ra_pieces *ahead);
void ra_features_fill(s32 *features, const struct ra_pattern *p,
		      const struct ra_state *s);
unsigned int ra_rule(const s32 *features);
s32 ra_reward(u64 cost_ns, u32 used, u32 wasted, u32 page_ns, u32 latency_us);

#endif /* _ML_BLOCK_PATTERN_H */
