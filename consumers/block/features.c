// SPDX-License-Identifier: GPL-2.0-only
/*
 * Features: what a decision sees of the reader, the device and memory.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "pattern.h"

/* ra_lg16() of 1000, which a us * page/ms is more than a page */
#define LG_1000	159

static s32 run_now(const struct ra_pattern *p, u64 index)
{
	s64 page = index << RA_PAGE_SHIFT;

	if (!p->requests || page < p->run || page > p->end + RA_FAULT_AROUND)
		return 0;
	return ra_lg16(ra_pages(page - p->run));
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
	u64 stride = ra_distance(0, p->stride);

	f[RA_F_SYNC] = s->sync;
	f[RA_F_ASYNC] = s->async;
	f[RA_F_FAULT] = s->fault;
	f[RA_F_MARKER] = s->marker;
	f[RA_F_REQUEST] = ra_lg16(s->request);
	f[RA_F_REQUESTS] = ra_lg16(p->requests);
	f[RA_F_MISSES] = ra_lg16(p->misses);
	f[RA_F_SEQUENTIAL] = p->sequential;
	f[RA_F_HITS] = p->hits;
	f[RA_F_STRIDE] = ra_lg16(ra_pages(stride));
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
	f[RA_F_FETCHED] = ra_lg16(s->fetched) - ra_lg16(s->file);
	f[RA_F_STOCK_WINDOW] = ra_lg16(s->stock);
	f[RA_F_FILE] = ra_lg16(s->file);
	f[RA_F_LEFT] = ra_lg16(s->file > s->index ? s->file - s->index : 0);
	f[RA_F_ROOM] = ra_lg16(s->room);
	f[RA_F_FILE_ROOM] = f[RA_F_FILE] - f[RA_F_ROOM];
	f[RA_F_REFAULT] = s->refault;
	f[RA_F_LATENCY] = ra_lg16(s->latency_us);
	f[RA_F_BANDWIDTH] = ra_lg16(s->bandwidth);
	f[RA_F_PIPE] = max(f[RA_F_LATENCY] + f[RA_F_BANDWIDTH] - LG_1000, 0);
	f[RA_F_PAID] = f[RA_F_MISSES] + f[RA_F_PIPE] - f[RA_F_FILE];
	f[RA_F_LOAD] = ra_lg16(s->load);
	f[RA_F_OTHERS] = ra_lg16(s->others);
}
